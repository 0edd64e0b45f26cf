/** Path MTU: what routers say (RFC 1191), and what their silence says (black holes, RFC 4821 §7.7, RFC 2923 §2.1). */
import type { TcpContext } from './context';
import type { Tcb } from './tcb';

/** Sizes to try when a router names none (RFC 1191 §7.1). */
const PLATEAUS = [32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_006, 552];
/** Smaller segments are not sent on ICMP's word alone, which may be forged; such a path has to fragment. As Linux does. */
const MIN_PATH_MTU = 552;
/** IPv4 and TCP without options. */
const HEADER_BYTES = 40;
/** Timeouts in a row of one full-sized segment before its size is taken for the reason. */
const BLACK_HOLE_TIMEOUTS = 2;
/** RFC 1191 §6.3: after so long the path may have grown; ms. */
const RAISE_AFTER_MS = 600_000;

/** A router's fragmentation-needed. @param nextHopMtu 0 if it names none @returns whether segments got smaller */
export function pathShrank(context: TcpContext, tcb: Tcb, nextHopMtu: number): boolean {
  return reduce(context, tcb, nextHopMtu > 0 ? nextHopMtu : nextPlateau(packetBytes(tcb)));
}

/** The retransmission timer has expired `timeouts` times in a row for the first segment. */
export function checkBlackHole(context: TcpContext, tcb: Tcb, timeouts: number): void {
  const full = tcb.sent.length > 0 && ((tcb.sent.end(0) - tcb.sent.start(0)) >>> 0) >= tcb.sndMss;
  if (!context.config.blackHoleDetection || !tcb.dontFragment || !full || timeouts < BLACK_HOLE_TIMEOUTS) return;
  context.counters.blackHoles++;
  reduce(context, tcb, nextPlateau(packetBytes(tcb)));
  // At the smallest size the path may fragment: rather slow than not at all.
  if (packetBytes(tcb) <= MIN_PATH_MTU) tcb.dontFragment = false;
}

/** A new connection begins with what others have found out about the path. */
export function beginWithPath(context: TcpContext, tcb: Tcb): void {
  const mss = context.egress.pathMtu(tcb.remoteAddress) - HEADER_BYTES - tcb.optionBytes;
  if (mss >= tcb.sndMss) return;
  tcb.sndMss = mss;
  tcb.mssReducedAt = context.now;
}

/** Tries the size of the handshake again when the reduction is old. */
export function raiseIfOld(context: TcpContext, tcb: Tcb): void {
  if (tcb.mssReducedAt < 0 || context.now - tcb.mssReducedAt < RAISE_AFTER_MS) return;
  tcb.mssReducedAt = -1;
  tcb.dontFragment = true;
  setMss(tcb, tcb.handshakeMss);
}

function reduce(context: TcpContext, tcb: Tcb, mtu: number): boolean {
  const fragmented = !tcb.dontFragment;
  if (mtu < MIN_PATH_MTU) tcb.dontFragment = false;
  const mss = Math.max(MIN_PATH_MTU, mtu) - HEADER_BYTES - tcb.optionBytes;
  if (mss >= tcb.sndMss && tcb.dontFragment === !fragmented) return false; // nothing smaller can come of it
  tcb.mssReducedAt = context.now;
  setMss(tcb, Math.min(tcb.sndMss, mss));
  return true;
}

/** What a full segment takes as an IPv4 packet. */
function packetBytes(tcb: Tcb): number {
  return tcb.sndMss + HEADER_BYTES + tcb.optionBytes;
}

export function setMss(tcb: Tcb, mss: number): void {
  tcb.sndMss = mss;
  tcb.congestion.setMss(mss);
}

function nextPlateau(mtu: number): number {
  return PLATEAUS.find((size) => size < mtu) ?? MIN_PATH_MTU;
}
