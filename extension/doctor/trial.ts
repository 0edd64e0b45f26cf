/** The trial on a real interface, in the process of a Node that may capture; its parent is told each check as it is made. */
import { listInterfaces, openPcap, parseIpv4, SystemClock, type DnsServer } from '../../stack';
import { FailureMemory } from '../worker/link/failure-memory';
import { takeInstance } from '../worker/link/instance';
import { DHCP_TIMEOUT_MS, ownedHere } from '../worker/link/pcap-link';
import { HostTrial, type HostTrialOptions } from './host-trial';
import type { Check } from '../network-report';
import { runSteps } from './step-runner';
import { trialSteps } from './trial-steps';
import type { DoctorCommand } from './command';

const DNS_PORT = 53;

/** What is tried, as it travels to the process. */
export type TrialRequest = Pick<DoctorCommand, 'given' | 'dns' | 'binding' | 'target'> & { readonly interface: string };

export type TrialMessage = { readonly check: Check } | { readonly failure: string };

/** @throws Error in plain words for an interface that has gone meanwhile */
async function tryInterface(request: TrialRequest, signal: AbortSignal, onCheck: (check: Check) => void): Promise<void> {
  const { given, dns, binding, target } = request;
  const on = listInterfaces().find(({ name }) => name === request.interface);
  const mac = on?.mac ?? null;
  if (!on || mac === null) throw new Error(`the interface ${request.interface} is gone: name another, --interface NAME`);
  const clock = new SystemClock();
  const servers = dns.length === 0 ? null : dns.map(serverOf);
  const instance = takeInstance(on);
  // Whatever kept the link 'auto' from this interface is looked into now: the next run tries it again.
  const memory = new FailureMemory(on);
  const remembered = memory.recall();
  memory.forget();
  const options: HostTrialOptions = {
    clock, identity: instance, refuse: ownedHere, dhcpTimeoutMs: DHCP_TIMEOUT_MS,
    open: (own) => openPcap({ interface: on.name, clock, binding, mac: own }),
    dns: servers,
    given: given && {
      mode: 'static', address: numberOf(given.address), prefixLength: given.prefixLength,
      ...(given.gateway !== null && { gateway: numberOf(given.gateway) }),
      ...(servers && { dns: servers }),
    },
  };
  const trial = new HostTrial(options);
  try {
    await runSteps(trialSteps(trial, { name: on.name, wireless: on.wireless, mac, remembered }, target), { clock, signal, onCheck, takeDetails: () => trial.log.take() });
  } finally {
    trial.close();
    instance.release();
  }
}

function serverOf(text: string): DnsServer {
  const [address = '', port = DNS_PORT] = text.split(':');
  return { address: numberOf(address), port: Number(port) };
}

function numberOf(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`${JSON.stringify(text)} is no IPv4 address, such as 192.0.2.7`);
  return address;
}

/** The process's whole life. It ends at once, and in order, when its parent lets go of it. */
export async function runTrialProcess(request: TrialRequest): Promise<void> {
  const stop = new AbortController();
  process.on('disconnect', () => stop.abort());
  // Ctrl-C reaches every process of the terminal's group: the parent decides.
  process.on('SIGINT', () => {});
  const tell = (message: TrialMessage): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  try {
    await tryInterface(request, stop.signal, (check) => tell({ check }));
  } catch (error) {
    tell({ failure: error instanceof Error ? error.message : String(error) });
  }
  if (process.connected) process.disconnect();
}
