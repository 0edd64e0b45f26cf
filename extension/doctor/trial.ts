/** The trial on a real interface, in the process of a Node that may capture; its parent is told each check as it is made. */
import { listInterfaces, openPcap, SystemClock, type NetworkInterface } from '../../stack';
import { FailureMemory } from '../worker/link/failure-memory';
import { takeInstance, type Instance } from '../worker/link/instance';
import { LinkFailure } from '../worker/link/link';
import { addressOptions, DHCP_TIMEOUT_MS, parseServer } from '../worker/link/pcap-link';
import { RouterPath } from '../worker/link/router-path';
import { takeSharedAddress } from '../worker/link/shared-link';
import { HostTrial, type HostTrialOptions } from './host-trial';
import type { Check } from '../network-report';
import { runSteps } from './step-runner';
import type { TrialPlan } from './trial-plan';
import { trialSteps } from './trial-steps';
import type { DoctorCommand } from './command';

/** What is tried, as it travels to the process. */
export type TrialRequest = Pick<DoctorCommand, 'address' | 'dns' | 'binding' | 'localhost' | 'target'> & Pick<TrialPlan, 'fixes'> & { readonly interface: string };

export type TrialMessage = { readonly check: Check } | { readonly failure: string };

/** @throws Error in plain words for an interface that has gone meanwhile */
async function tryInterface(request: TrialRequest, signal: AbortSignal, onCheck: (check: Check) => void): Promise<void> {
  const { binding, target, fixes } = request;
  const on = listInterfaces().find(({ name }) => name === request.interface);
  const mac = on?.mac ?? null;
  if (!on || mac === null) throw new Error(`the interface ${request.interface} is gone: name another, --interface NAME`);
  const clock = new SystemClock();
  const instance = takeInstance(on);
  // Whatever kept the link 'auto' from this interface is looked into now: the next run tries it again.
  const memory = new FailureMemory(on);
  const remembered = memory.recall();
  memory.forget();
  const { address, letGo } = planAddress(request, on, instance);
  const trial = new HostTrial({
    clock, address, mac: instance.mac, dhcpTimeoutMs: DHCP_TIMEOUT_MS,
    open: (own) => openPcap({ interface: on.name, clock, binding, mac: own }),
  });
  const byRouter = request.localhost === 'router' ? new RouterPath(on.name, clock) : null;
  try {
    const steps = trialSteps(trial, { name: on.name, wireless: on.wireless, mac, remembered }, { target, byRouter, fixes });
    await runSteps(steps, { clock, signal, onCheck, takeDetails: () => trial.log.take() });
  } finally {
    byRouter?.close();
    trial.close();
    letGo();
    instance.release();
  }
}

/** The address as in a run; what stands against it is told by its step. */
function planAddress({ address: wanted, dns }: TrialRequest, on: NetworkInterface, instance: Instance): { readonly address: HostTrialOptions['address']; readonly letGo: () => void } {
  try {
    if (wanted.mode !== 'shared') return { address: addressOptions(wanted, dns.map(parseServer), instance, on), letGo: () => {} };
    const { ports, ...given } = takeSharedAddress(on.name, wanted, dns);
    return { address: { mode: 'shared', ...given, ports: { first: ports.first, last: ports.last } }, letGo: () => ports.release() };
  } catch (error) {
    if (!(error instanceof LinkFailure)) throw error;
    return { address: { mode: wanted.mode, obstacle: error.message }, letGo: () => {} };
  }
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
