/** What ICMP says about a connection, with the checks of RFC 5927 against forged messages. */
import type { TransportError } from '../egress';
import { StackError, type StackErrorCode } from '../errors';
import { formatIpv4 } from '../wire/address';
import { readU16, readU32 } from '../wire/bytes';
import { seqDiff, seqWithin } from '../wire/seq';
import type { TcpContext } from './context';
import { pathShrank } from './path-mtu';
import type { Tcb } from './tcb';

/** @returns whether the error was about a segment that is in flight */
export function onTransportError(context: TcpContext, find: (localPort: number, remotePort: number) => Tcb | null, error: TransportError): boolean {
  const { transport } = error;
  const tcb = find(readU16(transport, 0), readU16(transport, 2));
  const seq = readU32(transport, 4);
  // RFC 5927 §4.1: the quoted segment must be one that is in flight now.
  if (!tcb || !seqWithin(seq, tcb.sndUna, Math.max(1, seqDiff(tcb.sndMax, tcb.sndUna)))) {
    context.counters.rxIcmpIgnored++;
    return false;
  }
  const { kind } = error;
  if (kind.type === 'fragmentation-needed') {
    onFragmentationNeeded(context, tcb, kind.nextHopMtu);
    return true;
  }
  const failure = failureOf(error);
  // RFC 5927 §5.2, RFC 1122 §4.2.3.9: once synchronized every such error is soft, the retransmissions decide.
  if (!failure || tcb.isSynchronized) {
    context.counters.rxIcmpIgnored++;
    if (failure) tcb.softError = failure.why; // if it comes to a timeout, this is why
    return true;
  }
  const peer = `${formatIpv4(tcb.remoteAddress)}:${tcb.remotePort}`;
  // While connecting, an answer now serves the user better than one after two minutes (RFC 5461 §4.1).
  context.finish(tcb, new StackError(failure.code, `${peer} cannot be reached: ${failure.why}`));
  return true;
}

function failureOf(error: TransportError): { code: StackErrorCode; why: string } | null {
  switch (error.kind.type) {
    case 'neighbor-unresolved':
      if (error.kind.nextHop !== error.remote) {
        return { code: 'EHOSTUNREACH', why: `the router ${formatIpv4(error.kind.nextHop)} does not answer (no reply to ARP).` };
      }
      return { code: 'EHOSTUNREACH', why: 'nothing on the local network answers for it (no reply to ARP).' };
    case 'unreachable':
      // RFC 792, RFC 1812 §5.2.7.1
      switch (error.kind.code) {
        case 0:
        case 6:
        case 11:
          return { code: 'ENETUNREACH', why: 'a router has no route to its network.' };
        case 2:
        case 3:
          return { code: 'ECONNREFUSED', why: 'its host does not take TCP on that port.' };
        case 9:
        case 10:
        case 13:
          return { code: 'EACCES', why: 'a router or firewall on the way prohibits it.' };
        default:
          return { code: 'EHOSTUNREACH', why: 'a router on the way reports the host unreachable.' };
      }
    default:
      return null;
  }
}

/** RFC 1191 §6.4: smaller segments from now on, and what was in flight again in smaller ones. */
function onFragmentationNeeded(context: TcpContext, tcb: Tcb, nextHopMtu: number): void {
  if (!pathShrank(context, tcb, nextHopMtu)) {
    context.counters.rxIcmpIgnored++;
    return;
  }
  tcb.sent.markAllLost();
  tcb.retransmitNow = tcb.sent.hasLost;
  context.touch(tcb);
}
