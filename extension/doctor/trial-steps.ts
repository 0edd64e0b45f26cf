/** From an open interface to an answer from outside, step by step, as scripts' connections go. */
import { formatIpv4, formatMac, parseIpv4, type AddressInfo, type DnsResult, type PcapResult, type TcpSocket } from '../../stack';
import { formatNetwork, type HostTrial } from './host-trial';
import type { Step, StepResult } from './step-runner';

export interface TrialTarget {
  readonly host: string;
  readonly port: number;
}

export interface TrialInterface {
  readonly name: string;
  /** Wi-Fi: it carries only frames from the interface's own MAC address. */
  readonly wireless: boolean;
  readonly mac: Uint8Array;
  /** Why the link `auto` has gone without it until now; null: it has not. */
  readonly remembered: { readonly at: string; readonly reason: string } | null;
}

/** Two DISCOVERs and a while, with each MAC address (RFC 2131 §4.1: the second after 4 s, the third after 12). */
export const DHCP_PATIENCE_MS = 10_000;
/** RFC 5227 §2.1.1 takes 4 to 7 s; after a conflict another address has to be leased and probed. */
const ADDRESS_LIMIT_MS = 25_000;
/** Three requests a second apart (RFC 1122 §2.3.2.1), and a while. */
const ROUTER_LIMIT_MS = 5_000;
const DNS_LIMIT_MS = 20_000;
const CONNECTION_LIMIT_MS = 15_000;
/** RFC 863: whatever arrives there is thrown away. A datagram to it makes the stack ask for the router's MAC address. */
const DISCARD_PORT = 9;
const HTTP_PORT = 80;
/** Of an answer that is no HTTP. */
const MAX_ANSWER_BYTES = 512;

const failed = (summary: string, ...next: string[]): StepResult => ({ status: 'failed', summary, next });

/** @param on where @param target what is connected to at the end */
export function trialSteps(trial: HostTrial, on: TrialInterface, target: TrialTarget): Step[] {
  const { given } = trial.options;
  const targetAddress = parseIpv4(target.host);
  const steps = [captureStep(trial, on), ...(given === null ? [dhcpStep(trial, on)] : []), addressStep(trial, given === null), routerStep(trial)];
  if (targetAddress === null) steps.push(dnsStep(trial, target));
  return [...steps, connectionStep(trial, target, targetAddress)];
}

function captureStep(trial: HostTrial, on: TrialInterface): Step {
  return {
    id: 'capture', title: `capture on ${on.name}`, limitMs: 10_000, needs: [],
    timedOut: () => failed('it could not be opened in time', 'Try again; if it stays so, another interface: --interface NAME (setting riftnet.interface).'),
    run() {
      const mac = on.wireless ? on.mac : trial.options.identity.mac;
      const result = trial.open(mac);
      if (result.device === null) return Promise.resolve(failed(describeFailures(result), 'See the checks above: a binding to libpcap, and the permission to capture.'));
      const { device, warnings } = result;
      const whose = on.wireless ? "the interface's own MAC address, since Wi-Fi carries no other," : 'a MAC address of its own,';
      const summary = `opened by ${device.binding}, with ${whose} ${formatMac(device.mac)}; packets of up to ${device.mtu} bytes`;
      const { remembered } = on;
      const again = remembered === null ? [] : [`The link 'auto' has taken the gateway since ${remembered.at} (${remembered.reason}); the next run tries ${on.name} again.`];
      return Promise.resolve({ status: warnings.length === 0 ? 'ok' : 'warning', summary, next: [...warnings, ...again] });
    },
  };
}

function describeFailures(result: PcapResult): string {
  return [...new Set(result.failures.map(({ binding, reason }) => `${binding}: ${reason}`))].join('; ');
}

function dhcpStep(trial: HostTrial, on: TrialInterface): Step {
  const noAnswer = (): StepResult =>
    failed(
      'nobody offered an address that can be used',
      'Is there a DHCP server on this network (as in every router at home)? Is the cable in, or the Wi-Fi joined?',
      'A network that lets in only known MAC addresses (port security, 802.1X, some clouds and virtual machines) answers none of the stack\'s own: allow it there.',
      'With an address of your own choice: --address A.B.C.D/LEN --gateway A.B.C.D (settings riftnet.address, riftnet.gateway), one that nobody else has.',
    );
  return {
    id: 'dhcp', title: 'an address by DHCP', limitMs: 2 * DHCP_PATIENCE_MS + 2_000, needs: ['capture'],
    timedOut: noAnswer,
    async run(signal) {
      const leased = (): true | null => (trial.eventsOf('address-probing').length > 0 || trial.eventsOf('address').length > 0 ? true : null);
      trial.start();
      if (await trial.until(leased, signal, DHCP_PATIENCE_MS)) return dhcpResult(trial);
      if (signal.aborted || on.wireless) return noAnswer();
      trial.log.note(`no answer to ${formatMac(trial.options.identity.mac)}; again with the interface's MAC address, ${formatMac(on.mac)}`);
      const result = trial.open(on.mac);
      if (result.device === null) return failed(describeFailures(result));
      trial.start();
      if (!(await trial.until(leased, signal, DHCP_PATIENCE_MS))) return noAnswer();
      return {
        ...dhcpResult(trial), status: 'warning',
        next: ["The network answers only the interface's own MAC address, which the link then takes by itself after 10 s. Let the switch or the virtual machine allow other MAC addresses, and it starts at once."],
      };
    },
  };
}

function dhcpResult(trial: HostTrial): StepResult {
  const offered = trial.eventsOf('address-probing').at(-1)?.address ?? trial.eventsOf('address').at(-1)?.address ?? 'an address';
  return { status: 'ok', summary: `${offered} was leased` };
}

function addressStep(trial: HostTrial, byDhcp: boolean): Step {
  const taken = (): StepResult => {
    const { given } = trial.options;
    const conflict = (trial.eventsOf('address-taken').at(-1) ?? trial.eventsOf('warning').at(-1))?.message;
    const what = given === null ? 'no leased address could be used' : `the address ${formatNetwork(given)} could not be used`;
    return failed(
      conflict === undefined ? `${what} in time` : `${what}: ${conflict}`,
      byDhcp ? 'Another station has the address that the DHCP server gives out: give that station another, or let the server leave it out.' : 'Choose another address, one that nobody has and the DHCP server does not give out.',
    );
  };
  return {
    id: 'address', title: 'nobody else has the address', limitMs: ADDRESS_LIMIT_MS, needs: byDhcp ? ['dhcp'] : ['capture'],
    timedOut: taken,
    async run(signal) {
      const { given, refuse } = trial.options;
      const own = given && refuse(given.address);
      if (own !== null) return failed(own, 'Choose another address, one that nobody has and the DHCP server does not give out.');
      if (!byDhcp) trial.start();
      // A given address is tried again a minute later; DHCP may give another at once.
      const info = await trial.until(() => addressOf(trial) ?? (byDhcp || trial.eventsOf('address-taken').length === 0 ? null : 'taken'), signal);
      if (info === null || info === 'taken') return taken();
      const router = info.gateway === null ? 'no router' : `router ${formatIpv4(info.gateway)}`;
      const servers = info.dns.map(({ address }) => formatIpv4(address)).join(', ') || 'no name server';
      return { status: 'ok', summary: `${formatNetwork(info)}, ${router}, ${servers}` };
    },
  };
}

function addressOf(trial: HostTrial): AddressInfo | null {
  return trial.stack?.addressInfo ?? null;
}

function routerStep(trial: HostTrial): Step {
  const silent = (): StepResult => {
    const gateway = addressOf(trial)?.gateway ?? null;
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
      const info = addressOf(trial);
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

function dnsStep(trial: HostTrial, { host }: TrialTarget): Step {
  const silent = (): StepResult => {
    const servers = (addressOf(trial)?.dns ?? []).map(({ address }) => formatIpv4(address)).join(', ');
    return failed(`${servers || 'no name server'} did not answer for ${host}`, ...DNS_NEXT);
  };
  return {
    id: 'dns', title: `the name ${host}`, limitMs: DNS_LIMIT_MS, needs: ['address'],
    timedOut: silent,
    async run(signal) {
      const { stack } = trial;
      if (stack === null) return silent();
      if ((addressOf(trial)?.dns ?? []).length === 0) return failed('the network names no name server', 'Give one: --dns A.B.C.D (setting riftnet.dns).');
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

function connectionStep(trial: HostTrial, target: TrialTarget, targetAddress: number | null): Step {
  const name = `${target.host}:${target.port}`;
  const silent = (): StepResult =>
    failed(`${name} did not answer`, 'A firewall, of the network or of the target, can keep it out: try another, --target HOST[:PORT], first one in your own network.');
  return {
    id: 'connection', title: `a connection to ${name}`, limitMs: CONNECTION_LIMIT_MS, needs: targetAddress === null ? ['dns'] : ['address'],
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
