/** `localhost` by way of the router, as with `--localhost router`: out to it, and back to a server that is made here for it. */
import { createServer, type Socket } from 'node:net';
import { formatIpv4 } from '../../stack';
import type { RouterPath, RouterPathCause } from '../worker/link/router-path';
import { NO_WAY_BY_ROUTER } from '../worker/link/shared-link';
import type { HostTrial } from './host-trial';
import { failed, type Step, type StepResult } from './step-runner';
import type { TrialInterface } from './trial-plan';

/** The path's own limit for a connection, and a while. */
const LIMIT_MS = 12_000;

/** @param fixRouter the command that gives this computer the router as its way to the stack; the stack's address is to be added */
export function localhostStep(trial: HostTrial, on: TrialInterface, path: RouterPath, fixRouter: string): Step {
  const late = (): StepResult => failed('this computer was not reached in time', 'Run the check again, or take --localhost relay (setting riftnet.localhost).');
  return {
    id: 'localhost', title: 'this computer, by way of the router', limitMs: LIMIT_MS, needs: ['router'],
    timedOut: late,
    async run(signal) {
      if (trial.options.address.mode === 'shared') return failed(NO_WAY_BY_ROUTER);
      const { stack, addressInfo } = trial;
      if (stack === null || addressInfo === null) return failed('the address was lost', 'Run the check again.');
      const { thisComputer } = path;
      if (thisComputer === null) return failed(`this computer has no IPv4 address on ${on.name} that localhost could stand for`, 'Give it one, or take --localhost relay (setting riftnet.localhost).');
      const { address, outside } = thisComputer;
      const server = await listen(outside);
      if (server instanceof Error) return failed(`no server could be made on ${outside}: ${server.message}`, 'Run the check again.');
      const { port } = server;
      path.attach(stack);
      const { clock } = trial.options;
      const started = clock.now();
      const limit = path.limitOf(address);
      const socket = stack.tcp.connect({ address, port }, started);
      socket.onChange = () => trial.changed();
      try {
        const outcome = await trial.until(() => (socket.error ? 'refused' : socket.isOpen ? 'open' : null), signal, limit?.ms);
        if (signal.aborted) return late();
        if (outcome === 'open') return { status: 'ok', summary: `${outside}:${port} was reached in ${Math.round(clock.now() - started)} ms` };
        // An answer, if not the one that was expected: something on this computer is in between.
        if (outcome === 'refused') return { status: 'warning', summary: `${outside} was reached, and ended the connection: ${socket.error?.message ?? ''}`, next: ['A firewall of this computer refuses it: let it take connections from the stack.'] };
        if (limit === null) return late();
        return { ...failed(limit.explain().message), commands: commandsFor(limit.cause(), `${fixRouter} --address ${formatIpv4(addressInfo.address)}`) };
      } finally {
        socket.onChange = null;
        socket.abort();
        server.close();
      }
    },
  };
}

/** Of the router's own rules there is nothing to mend from here. */
function commandsFor(cause: RouterPathCause, fixRouter: string): string[] {
  return cause === 'router' ? [] : [fixRouter];
}

/** A server on a free port of one address, for the moment. It says nothing. */
function listen(host: string): Promise<{ readonly port: number; close(): void } | Error> {
  return new Promise((resolve) => {
    const taken = new Set<Socket>();
    const server = createServer((socket) => void taken.add(socket.on('error', () => {})));
    const close = (): void => {
      server.close();
      for (const socket of taken) socket.destroy();
    };
    server.once('error', resolve);
    server.listen({ host, port: 0 }, () => {
      const at = server.address();
      resolve(at !== null && typeof at === 'object' ? { port: at.port, close } : new Error('the system named no port'));
    });
  });
}
