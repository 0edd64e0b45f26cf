/** How the stack comes by its address: leased, given, or this computer's own. */
import { formatIpv4, formatMac, type AddressInfo } from '../../stack';
import { watchKernel } from '../worker/link/kernel-watch';
import { formatNetwork, type HostTrial } from './host-trial';
import { failed, type Step, type StepResult } from './step-runner';
import { describeFailures, type TrialInterface } from './trial-plan';

/** Two DISCOVERs and a while, with each MAC address (RFC 2131 §4.1: the second after 4 s, the third after 12). */
export const DHCP_PATIENCE_MS = 10_000;
/** RFC 5227 §2.1.1 takes 4 to 7 s; after a conflict another address has to be leased and probed. */
const ADDRESS_LIMIT_MS = 25_000;
/** A shared address is there already. */
const SHARED_LIMIT_MS = 5_000;
/** The kernel's silence is waited for, 3 s. */
const KERNEL_LIMIT_MS = 6_000;
const CHOOSE_ANOTHER = 'Choose another address, one that nobody has and the DHCP server does not give out.';

/** The steps to an address, the last of them `address`. @param fixShared the command that keeps the kernel off the shared ports */
export function addressSteps(trial: HostTrial, on: TrialInterface, fixShared: string): Step[] {
  switch (trial.options.address.mode) {
    case 'dhcp':
      return [dhcpStep(trial, on), ownAddressStep(trial, true)];
    case 'static':
      return [ownAddressStep(trial, false)];
    case 'shared':
      return [sharedAddressStep(trial, on), kernelStep(trial, fixShared)];
  }
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
      trial.log.note(`no answer to ${formatMac(trial.options.mac)}; again with the interface's MAC address, ${formatMac(on.mac)}`);
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

function ownAddressStep(trial: HostTrial, byDhcp: boolean): Step {
  const taken = (): StepResult => {
    const { address } = trial.options;
    const conflict = (trial.eventsOf('address-taken').at(-1) ?? trial.eventsOf('warning').at(-1))?.message;
    const what = 'address' in address ? `the address ${formatNetwork(address)} could not be used` : 'no leased address could be used';
    return failed(
      conflict === undefined ? `${what} in time` : `${what}: ${conflict}`,
      byDhcp ? 'Another station has the address that the DHCP server gives out: give that station another, or let the server leave it out.' : CHOOSE_ANOTHER,
    );
  };
  return {
    id: 'address', title: 'nobody else has the address', limitMs: ADDRESS_LIMIT_MS, needs: byDhcp ? ['dhcp'] : ['capture'],
    timedOut: taken,
    async run(signal) {
      const failure = byDhcp ? null : begin(trial);
      if (failure !== null) return failed(failure, CHOOSE_ANOTHER);
      // A given address is tried again a minute later; DHCP may give another at once.
      const info = await trial.until(() => trial.addressInfo ?? (byDhcp || trial.eventsOf('address-taken').length === 0 ? null : 'taken'), signal);
      return info === null || info === 'taken' ? taken() : { status: 'ok', summary: describeAddress(info) };
    },
  };
}

function sharedAddressStep(trial: HostTrial, on: TrialInterface): Step {
  const late = (): StepResult => failed(`the address of ${on.name} could not be taken in time`, 'Run the check again.');
  return {
    id: 'address', title: "this computer's address, shared", limitMs: SHARED_LIMIT_MS, needs: ['capture'],
    timedOut: late,
    async run(signal) {
      const failure = begin(trial);
      if (failure !== null) return failed(failure, "An address of the stack's own: --address dhcp, or A.B.C.D/LEN (setting riftnet.address).");
      const info = await trial.until(() => trial.addressInfo, signal);
      const { address } = trial.options;
      if (info === null || !('ports' in address)) return late();
      return { status: 'ok', summary: `${describeAddress(info)}; the ports ${address.ports.first} to ${address.ports.last} are the stack's` };
    },
  };
}

/** Without the packet filter the kernel answers what is for the stack, and resets its connections. */
function kernelStep(trial: HostTrial, fixShared: string): Step {
  const notAsked = (): StepResult => ({ status: 'warning', summary: 'the kernel could not be asked in time' });
  return {
    id: 'kernel', title: "the kernel leaves the stack's ports alone", limitMs: KERNEL_LIMIT_MS, needs: ['address'],
    timedOut: notAsked,
    async run(signal) {
      const { address } = trial.options;
      if (!('ports' in address)) return notAsked();
      if (process.platform !== 'linux') {
        return { status: 'warning', summary: `on ${process.platform} this cannot be told from here`, next: ['docs/network-setup.md says how the kernel is kept off the ports.'] };
      }
      const { first, last } = address.ports;
      let answers: boolean | null = null;
      const told = (value: boolean) => (): void => {
        answers = value;
        trial.changed();
      };
      trial.log.note(`sent this computer's kernel a connection to 127.0.0.1:${first}, a port of the stack's, where the filter holds too`);
      const end = watchKernel(first, told(true), told(false));
      const answer = await trial.until(() => answers, signal);
      end();
      if (answer === null) return notAsked();
      trial.log.note(answer ? 'seen an answer of the kernel' : 'seen nothing: the packet filter drops it');
      if (!answer) return { status: 'ok', summary: `a packet filter keeps it off the ports ${first} to ${last}` };
      return {
        status: 'failed', summary: `it answers on the ports ${first} to ${last}, and would reset the stack's connections`,
        next: ['Keep it off these ports by one nftables table; this takes root.'], commands: [fixShared],
      };
    },
  };
}

/** @returns why the stack cannot have the address, or null: it has begun to get it */
function begin(trial: HostTrial): string | null {
  const { address } = trial.options;
  if ('obstacle' in address) return address.obstacle;
  try {
    trial.start();
    return null;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

function describeAddress(info: AddressInfo): string {
  const router = info.gateway === null ? 'no router' : `router ${formatIpv4(info.gateway)}`;
  const servers = info.dns.length === 0 ? 'no name server' : `name server ${info.dns.map(({ address }) => formatIpv4(address)).join(', ')}`;
  return `${formatNetwork(info)}, ${router}, ${servers}`;
}
