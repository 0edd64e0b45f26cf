/** Plans the fixes that were asked for from what this machine is, and carries them out. */
import { formatIpv4, listInterfaces, readSystemAddress, sharedPorts } from '../../../stack';
import { fitInterfaces } from '../../worker/link/interface-choice';
import type { DoctorCommand } from '../command';
import { forwardsPackets } from '../examine';
import { ownAddresses, rememberFixed } from '../own-addresses';
import type { FixReport } from '../../network-report';
import { carryOut, FIX_IDS, runProgram, type FixContext, type FixId, type FixPlan } from './fix';
import { findSource, planCopy, planRemoval } from './granted-copy';
import { OWN_TABLE, planForwarding, planShared, planTableRemoval, SHARED_TABLE } from './kernel-rules';
import { planNeighbour, planNeighbourRemoval } from './neighbour-entry';

const TITLES: Readonly<Record<FixId, string>> = {
  capture: 'a copy of Node that may capture',
  shared: 'ports of the shared address that the kernel leaves alone',
  router: 'the way from this computer to the stack, by the router',
  forwarding: 'the stack\'s address, which the kernel leaves alone',
};

/** @param onCommand told before a command is run */
export function applyFixes(command: DoctorCommand, onCommand: (command: string) => void, run = runProgram): FixReport[] {
  const { fix } = command;
  if (fix === null) return [];
  const context: FixContext = { isRoot: process.getuid?.() === 0, run, onCommand };
  return FIX_IDS.filter((id) => fix.what.includes(id)).map((id) => {
    const plan = fix.undo ? planUndo(id, command, context) : planFix(id, command, context);
    return carryOut(id, TITLES[id], plan, context);
  });
}

function planFix(id: FixId, command: DoctorCommand, { run }: FixContext): FixPlan {
  const { platform } = process;
  switch (id) {
    case 'capture':
      return planCopy({ platform, source: findSource(command.nodePath), run });
    case 'shared':
      return planShared(platform, portsOrWords(), run);
    case 'router': {
      const { interfaceName, addresses, router } = place(command);
      if (interfaceName === null) return NO_INTERFACE;
      rememberFixed(addresses);
      return planNeighbour({ platform, interfaceName, addresses, router, run });
    }
    case 'forwarding':
      return planForwarding(platform, place(command).addresses, forwardsPackets(), run);
  }
}

function planUndo(id: FixId, command: DoctorCommand, { run, isRoot }: FixContext): FixPlan {
  const { platform } = process;
  switch (id) {
    case 'capture':
      return planRemoval({});
    case 'shared':
      return planTableRemoval(platform, SHARED_TABLE, run, isRoot);
    case 'router': {
      const { interfaceName, addresses } = place(command);
      return interfaceName === null ? NO_INTERFACE : planNeighbourRemoval({ platform, interfaceName, addresses, run });
    }
    case 'forwarding':
      return planTableRemoval(platform, OWN_TABLE, run, isRoot);
  }
}

const NO_INTERFACE: FixPlan = { kind: 'none', status: 'failed', summary: 'no interface can carry the stack: name one, --interface NAME' };

/** Where the stack is a host, and with which addresses. */
function place({ interface: wanted, address }: DoctorCommand): { readonly interfaceName: string | null; readonly addresses: string[]; readonly router: string | null } {
  const interfaceName = wanted ?? fitInterfaces(listInterfaces(), false)[0]?.name ?? null;
  const system = interfaceName === null ? null : readSystemAddress(interfaceName);
  const gateway = system?.gateway ?? null;
  return { interfaceName, addresses: address.mode === 'static' ? [address.address] : ownAddresses(system), router: gateway === null ? null : formatIpv4(gateway) };
}

function portsOrWords(): { readonly first: number; readonly last: number } | { readonly words: string } {
  try {
    return sharedPorts();
  } catch (error) {
    return { words: error instanceof Error ? error.message : String(error) };
  }
}
