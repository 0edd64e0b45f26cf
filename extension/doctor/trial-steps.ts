/** From an open interface to an answer from outside, step by step, as scripts' connections go. */
import { formatIpv4, formatMac, parseIpv4, type DnsResult, type TcpSocket } from '../../stack';
import { addressSteps } from './address-steps';
import type { HostTrial } from './host-trial';
import { localhostStep } from './localhost-step';
import type { CheckId } from '../network-report';
import { failed, type Step, type StepResult } from './step-runner';
import { describeFailures, type TrialInterface, type TrialPlan, type TrialTarget } from './trial-plan';
import { DISCARD_PORT } from './wire-log';

/** Three requests a second apart (RFC 1122 §2.3.2.1), and a while. */
const ROUTER_LIMIT_MS = 5_000;
const DNS_LIMIT_MS = 20_000;
const CONNECTION_LIMIT_MS = 15_000;
const HTTP_PORT = 80;
/** Of an answer that is no HTTP. */
const MAX_ANSWER_BYTES = 512;

/** @param on where */
export function trialSteps(trial: HostTrial, on: TrialInterface, { target, byRouter, fixes }: TrialPlan): Step[] {
  const targetAddress = parseIpv4(target.host);
  // A kernel that answers for the stack would reset what is tried next.
  const ready: CheckId[] = trial.options.address.mode === 'shared' ? ['address', 'kernel'] : ['address'];
  return [
    captureStep(trial, on),
    ...addressSteps(trial, on, fixes.shared),
    routerStep(trial),
    ...(targetAddress === null ? [dnsStep(trial, target, ready)] : []),
    connectionStep(trial, target, targetAddress, ready),
    ...(byRouter === null ? [] : [localhostStep(trial, on, byRouter, fixes.router)]),
  ];
}

function captureStep(trial: HostTrial, on: TrialInterface): Step {
  return {
    id: 'capture', title: `capture on ${on.name}`, limitMs: 10_000, needs: [],
    timedOut: () => failed('it could not be opened in time', 'Try again; if it stays so, another interface: --interface NAME (setting riftnet.interface).'),
    run() {
      const { address, mac: own } = trial.options;
      const isShared = address.mode === 'shared';
      const mac = on.wireless || isShared ? on.mac : own;
      const result = trial.open(mac);
      if (result.device === null) return Promise.resolve(failed(describeFailures(result), 'See the checks above: a binding to libpcap, and the permission to capture.'));
      const { device, warnings } = result;
      const whose = isShared ? "this computer's own MAC address," : on.wireless ? "the interface's own MAC address, since Wi-Fi carries no other," : 'a MAC address of its own,';
      const summary = `opened by ${device.binding}, with ${whose} ${formatMac(device.mac)}; packets of up to ${device.mtu} bytes`;
      const { remembered } = on;
      const again = remembered === null ? [] : [`The link 'auto' has taken the gateway since ${remembered.at} (${remembered.reason}); the next run tries ${on.name} again.`];
      return Promise.resolve({ status: warnings.length === 0 ? 'ok' : 'warning', summary, next: [...warnings, ...again] });
    },
  };
}

function routerStep(trial: HostTrial): Step {
  const silent = (): StepResult => {
    const gateway = trial.addressInfo?.gateway ?? null;
    const name = gateway === null ? 'the router' : formatIpv4(gateway);
    return failed(
      `${name} does not say its MAC address`,
      `Is ${name} switched on, and in this network? A router that DHCP names wrongly is mended there; a given one with --gateway (setting riftnet.gateway).`,
      'Client isolation of a Wi-Fi or a guest network keeps stations apart: ask who runs it.',
    );
  };
  return {
    id: 'router', title: 'the router answers', limitMs: ROUTER_LIMIT_MS, needs: ['address'],
    timedOut: silent,
    async run(signal) {
      const info = trial.addressInfo;
      const { stack } = trial;
      if (info === null || stack === null) return failed('the address was lost', 'Run the check again.');
      const { gateway } = info;
      if (gateway === null) return { status: 'warning', summary: 'there is none: only the stations of this network can be reached', next: ['Where there is a router, let DHCP name it, or give it: --gateway A.B.C.D (setting riftnet.gateway).'] };
      const socket = stack.udp.bind({});
      socket.send(gateway, DISCARD_PORT, new Uint8Array(0));
      const mac = await trial.until(() => trial.macOf(gateway), signal);
      socket.close();
      return mac === null ? silent() : { status: 'ok', summary: `${formatIpv4(gateway)} is at ${mac}` };
    },
  };
}

function dnsStep(trial: HostTrial, { host }: TrialTarget, needs: readonly CheckId[]): Step {
  const silent = (): StepResult => {
    const servers = (trial.addressInfo?.dns ?? []).map(({ address }) => formatIpv4(address)).join(', ');
    return failed(`${servers || 'no name server'} did not answer for ${host}`, ...DNS_NEXT);
  };
  return {
    id: 'dns', title: `the name ${host}`, limitMs: DNS_LIMIT_MS, needs,
    timedOut: silent,
    async run(signal) {
      const { stack } = trial;
      if (stack === null) return silent();
      if ((trial.addressInfo?.dns ?? []).length === 0) return failed('the network names no name server', 'Give one: --dns A.B.C.D (setting riftnet.dns).');
      const answer: { result: DnsResult | null } = { result: null };
      const query = stack.dns.resolve(host, trial.options.clock.now(), (result) => {
        answer.result = result;
        trial.changed();
      });
      const result = await trial.until(() => answer.result, signal);
      query.cancel();
      if (result === null) return silent();
      if ('addresses' in result) return { status: 'ok', summary: `${host} is ${result.addresses.map(formatIpv4).join(', ')}` };
      if (result.error.code === 'ENOTFOUND') return failed(`the name servers answer, and know no address for it: ${result.error.message}`, 'Is the name spelt right? Another one: --target HOST[:PORT].');
      return failed(result.error.message, ...DNS_NEXT);
    },
  };
}

const DNS_NEXT = ['Another name server: --dns A.B.C.D (setting riftnet.dns).', 'A firewall that lets only the network\'s own servers through, or only known computers: ask who runs it.'];

function connectionStep(trial: HostTrial, target: TrialTarget, targetAddress: number | null, ready: readonly CheckId[]): Step {
  const name = `${target.host}:${target.port}`;
  const silent = (): StepResult =>
    failed(`${name} did not answer`, 'A firewall, of the network or of the target, can keep it out: try another, --target HOST[:PORT], first one in your own network.');
  return {
    id: 'connection', title: `a connection to ${name}`, limitMs: CONNECTION_LIMIT_MS, needs: targetAddress === null ? [...ready, 'dns'] : ready,
    timedOut: silent,
    async run(signal) {
      const { stack } = trial;
      if (stack === null) return silent();
      const { clock } = trial.options;
      const address = targetAddress ?? (await resolved(trial, target.host, signal));
      if (address === null) return silent();
      const started = clock.now();
      const socket = stack.tcp.connect({ address, port: target.port }, clock.now());
      socket.onChange = () => trial.changed();
      try {
        const outcome = await trial.until(() => (socket.error || socket.isOpen ? socket.error ?? 'open' : null), signal);
        if (outcome === null) return silent();
        if (outcome !== 'open') {
          if (outcome.code !== 'ECONNREFUSED') return failed(outcome.message, ...(silent().next ?? []));
          return { status: 'warning', summary: `the network works: ${name} was reached, and refused the connection`, next: ['One that listens: --target HOST[:PORT].'] };
        }
        const opened = `connected in ${Math.round(clock.now() - started)} ms`;
        if (target.port !== HTTP_PORT) return { status: 'ok', summary: opened };
        return { status: 'ok', summary: `${opened}; ${await askHttp(trial, socket, target.host, signal)}` };
      } finally {
        socket.onChange = null;
        socket.abort();
      }
    },
  };
}

/** What the step before has asked is still known. */
async function resolved(trial: HostTrial, host: string, signal: AbortSignal): Promise<number | null> {
  const answer: { result: DnsResult | null } = { result: null };
  trial.stack?.dns.resolve(host, trial.options.clock.now(), (result) => {
    answer.result = result;
    trial.changed();
  });
  const result = await trial.until(() => answer.result, signal);
  return result !== null && 'addresses' in result ? (result.addresses[0] ?? null) : null;
}

/** @returns what the server says first */
async function askHttp(trial: HostTrial, socket: TcpSocket, host: string, signal: AbortSignal): Promise<string> {
  const request = `HEAD / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: riftnet-doctor\r\nConnection: close\r\n\r\n`;
  socket.write(new TextEncoder().encode(request));
  trial.log.note('sent HEAD / HTTP/1.1');
  const answer = new Uint8Array(MAX_ANSWER_BYTES);
  let length = 0;
  const line = await trial.until(() => {
    length += socket.read(answer.subarray(length));
    const text = String.fromCharCode(...answer.subarray(0, length));
    if (text.includes('\n') || length === answer.length || socket.peerClosed || socket.error) return text;
    return null;
  }, signal);
  const first = (line ?? '').split('\r\n')[0]?.replace(/[^ -~]/g, '?') ?? '';
  return first.startsWith('HTTP/') ? `it answers ${first}` : `it answers no HTTP (${JSON.stringify(first.slice(0, 80))})`;
}
