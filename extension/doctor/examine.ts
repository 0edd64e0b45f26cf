/** Puts the checks together: what can be told at once, then the trial on the interface. */
import { existsSync, readFileSync } from 'node:fs';
import { listInterfaces } from '../../stack';
import { nodeCandidates } from '../node/choose-node';
import { grantObstacle } from '../node/permission';
import { grantedCopy } from '../node/places';
import { probeNode } from '../node/probe-node';
import { unusableReason, type Probe } from '../node/probe-result';
import type { DoctorCommand } from './command';
import { reportInterfaces } from './interfaces';
import { bindingsCheck, capturingNode, check, interfaceCheck, libraryCheck, permissionCheck } from './local-checks';
import type { Check, FixReport, InterfaceReport, NodeReport, Report } from '../network-report';
import { REPORT_FORMAT } from '../network-report';
import { notTried } from './step-runner';
import { startTrial } from './trial-process';
import type { TrialRequest } from './trial';

export interface ExamineOptions {
  readonly command: DoctorCommand;
  readonly version: string;
  /** Folder of the built bundles, and this one among them. */
  readonly bundles: string;
  readonly bundle: string;
  /** How a person has the copy of Node made. */
  readonly fixCommand: string;
  /** How root makes a fix; given its name, and what it needs. */
  readonly rootFixCommand: (...what: string[]) => string;
  readonly signal: AbortSignal;
  readonly onCheck: (check: Check) => void;
  readonly fixes: readonly FixReport[];
  /** Asked in place of the real ones, by tests. */
  readonly system?: Partial<ExaminedSystem>;
}

export interface ExaminedSystem {
  readonly platform: NodeJS.Platform;
  readonly probe: (node: string) => Promise<Probe>;
  readonly interfaces: () => InterfaceReport[];
  readonly trial: typeof startTrial;
  readonly forwards: () => boolean;
}

/** Whether this computer passes packets on (ip-sysctl.txt), and so answers for addresses that are not its own. */
export function forwardsPackets(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

async function askNodes(nodePath: string | null, probe: (node: string) => Promise<Probe>): Promise<NodeReport[]> {
  return Promise.all(
    nodeCandidates(nodePath).map(async ({ path, from }) => {
      const answer = await probe(path);
      return { path, from, probe: 'result' in answer ? answer.result : null, obstacle: unusableReason(answer) };
    }),
  );
}

export async function examine(options: ExamineOptions): Promise<Report> {
  const { command, bundles, signal, fixes } = options;
  const platform = options.system?.platform ?? process.platform;
  const probe = options.system?.probe ?? ((node) => probeNode(node, bundles));
  const interfaces = options.system?.interfaces?.() ?? reportInterfaces(listInterfaces());
  const nodes = await askNodes(command.nodePath, probe);
  const checks: Check[] = [];
  const add = (check: Check): void => {
    checks.push(check);
    options.onCheck(check);
  };

  const copy = grantedCopy();
  add(libraryCheck(nodes, platform));
  add(bindingsCheck(nodes));
  add(permissionCheck(nodes, command.nodePath, { platform, copy, copyExists: copy !== null && existsSync(copy), grantObstacle: grantObstacle(), fixCommand: options.fixCommand }));
  add(interfaceCheck(interfaces, command.interface));
  const capturing = capturingNode(nodes);
  const on = interfaces.find((one) => (command.interface === null ? one.recommended : one.name === command.interface));
  // After a fix the network is not tried: that takes a while, and is a command of its own.
  const isTried = command.fix === null;
  if (isTried && capturing !== null && on?.obstacle === null) {
    await tryNetwork(options, capturing.path, on, add);
    // On a shared address the kernel has the packets in any case.
    if (command.address.mode !== 'shared' && usesComputersMac(checks, on) && (options.system?.forwards ?? forwardsPackets)()) add(forwardingCheck(options.rootFixCommand('forwarding')));
  } else if (isTried) {
    add(check('capture', 'the trial on the network', notTried(checks.find(({ status }) => status === 'failed')?.id ?? 'interface')));
  }
  const stopped = signal.aborted;
  return {
    format: REPORT_FORMAT, version: options.version, platform, arch: process.arch,
    ok: !stopped && checks.every(({ status }) => status === 'ok' || status === 'warning') && fixes.every(({ status }) => status !== 'failed' && status !== 'needs-root'),
    nodes, interfaces, checks, fixes,
  };
}

async function tryNetwork({ command, bundle, signal, system, rootFixCommand }: ExamineOptions, node: string, on: InterfaceReport, add: (check: Check) => void): Promise<void> {
  const { address, dns, binding, localhost, target } = command;
  const fixes = { shared: rootFixCommand('shared'), router: rootFixCommand('router', '--interface', on.name) };
  const request: TrialRequest = { interface: on.name, address, dns, binding, localhost, target, fixes };
  const failure = await (system?.trial ?? startTrial)(node, bundle, request, signal, add);
  if (failure === null) return;
  add(check('capture', `the trial on ${on.name}`, { status: 'failed', summary: failure, next: ['Run the check again.'] }));
}

/** Wi-Fi carries no other; elsewhere it is taken where the network answers no other. */
function usesComputersMac(checks: readonly Check[], on: InterfaceReport): boolean {
  return on.wireless || checks.some(({ id, status }) => id === 'dhcp' && status === 'warning');
}

function forwardingCheck(command: string): Check {
  return check('forwarding', 'the kernel leaves the stack\'s packets alone', {
    status: 'warning',
    summary: 'this computer forwards packets (net.ipv4.ip_forward is 1, as with containers) and the stack has its MAC address: the kernel answers what is for the stack with redirects and errors',
    next: ['Let the kernel drop what is for the stack\'s address; this takes root.'], commands: [command],
  });
}
