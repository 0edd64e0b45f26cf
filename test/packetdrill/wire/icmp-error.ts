/** A script's ICMP packet as the layer below would hand it to TCP. */
import type { TransportError } from '../../../stack/egress';
import type { IcmpPacketSpec } from '../syntax/ast';
import type { Flow } from './flow';
import { CODE_FRAGMENTATION_NEEDED, ICMP_PARAMETER_PROBLEM, ICMP_SOURCE_QUENCH, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from '../syntax/icmp-names';
import { UnsupportedConstruct } from '../syntax/script-error';

/** RFC 792: an error quotes the first eight bytes behind the IPv4 header. */
const QUOTED_BYTES = 8;

/** @throws UnsupportedConstruct for ICMP that is no error about a packet */
export function transportError(flow: Flow, spec: IcmpPacketSpec, line: number): TransportError {
  const { localAddress, localPort, remoteAddress, remotePort } = flow.tuple;
  const transport = new Uint8Array(QUOTED_BYTES);
  const view = new DataView(transport.buffer);
  view.setUint16(0, localPort);
  view.setUint16(2, remotePort);
  view.setUint32(4, flow.liveLocalSeq(spec.quotedSeq));
  return { local: localAddress, remote: remoteAddress, transport, kind: kindOf(spec, line) };
}

function kindOf({ icmpType, code, mtu }: IcmpPacketSpec, line: number): TransportError['kind'] {
  switch (icmpType) {
    case ICMP_UNREACHABLE:
      return code === CODE_FRAGMENTATION_NEEDED ? { type: 'fragmentation-needed', nextHopMtu: mtu ?? 0 } : { type: 'unreachable', code };
    case ICMP_SOURCE_QUENCH:
      return { type: 'source-quench' };
    case ICMP_TIME_EXCEEDED:
      return { type: 'time-exceeded', code };
    case ICMP_PARAMETER_PROBLEM:
      return { type: 'parameter-problem' };
    default:
      throw new UnsupportedConstruct(line, `icmp of type ${icmpType}`);
  }
}
