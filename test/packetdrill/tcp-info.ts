/** A connection's state under the names of Linux's struct tcp_info, for assertions. */
import type { TcpSnapshot, TcpState } from '../../stack/tcp/types';

/** include/net/tcp_states.h */
const STATES: Readonly<Record<TcpState, number>> = {
  ESTABLISHED: 1, 'SYN-SENT': 2, 'SYN-RECEIVED': 3, 'FIN-WAIT-1': 4, 'FIN-WAIT-2': 5, 'TIME-WAIT': 6, CLOSED: 7, 'CLOSE-WAIT': 8, 'LAST-ACK': 9, CLOSING: 11,
};

const SYMBOLS: ReadonlyMap<string, number> = new Map([
  ['TCP_ESTABLISHED', 1], ['TCP_SYN_SENT', 2], ['TCP_SYN_RECV', 3], ['TCP_FIN_WAIT1', 4], ['TCP_FIN_WAIT2', 5], ['TCP_TIME_WAIT', 6], ['TCP_CLOSE', 7],
  ['TCP_CLOSE_WAIT', 8], ['TCP_LAST_ACK', 9], ['TCP_LISTEN', 10], ['TCP_CLOSING', 11],
  ['TCP_CA_Open', 0], ['TCP_CA_Disorder', 1], ['TCP_CA_CWR', 2], ['TCP_CA_Recovery', 3], ['TCP_CA_Loss', 4],
  ['TCPI_OPT_TIMESTAMPS', 1], ['TCPI_OPT_SACK', 2], ['TCPI_OPT_WSCALE', 4], ['TCPI_OPT_ECN', 8], ['TCPI_OPT_ECN_SEEN', 16], ['TCPI_OPT_SYN_DATA', 32],
]);

/** Linux's TCP_INFINITE_SSTHRESH, segments. */
const INFINITE_SSTHRESH = 0x7fff_ffff;

/** Windows and flights are whole segments, times µs, as Linux has them. `Disorder` shows by SACK only. */
const FIELDS: ReadonlyMap<string, (snapshot: TcpSnapshot) => number> = new Map<string, (snapshot: TcpSnapshot) => number>([
  ['tcpi_state', ({ state }) => STATES[state]],
  ['tcpi_rto', ({ rtoMs }) => Math.round(rtoMs * 1000)],
  ['tcpi_snd_mss', ({ mss }) => mss],
  ['tcpi_ca_state', ({ recovery, sackedSegments }) => (recovery === 'fast' ? 3 : recovery === 'timeout' ? 4 : sackedSegments > 0 ? 1 : 0)],
  ['tcpi_options', ({ timestamps, sack, windowScale, ecn }) => (timestamps ? 1 : 0) | (sack ? 2 : 0) | (windowScale ? 4 : 0) | (ecn ? 8 : 0)],
  ['tcpi_snd_wscale', ({ windowScale }) => windowScale?.send ?? 0],
  ['tcpi_rcv_wscale', ({ windowScale }) => windowScale?.receive ?? 0],
  ['tcpi_rcv_mss', ({ receiveMss }) => receiveMss],
  ['tcpi_unacked', ({ unackedSegments }) => unackedSegments],
  ['tcpi_sacked', ({ sackedSegments }) => sackedSegments],
  ['tcpi_lost', ({ lostSegments }) => lostSegments],
  ['tcpi_reord_seen', ({ reorderingSeen }) => (reorderingSeen ? 1 : 0)],
  ['tcpi_rtt', ({ srttMs }) => Math.round((srttMs ?? 0) * 1000)],
  ['tcpi_rttvar', ({ rttvarMs }) => Math.round((rttvarMs ?? 0) * 1000)],
  ['tcpi_snd_cwnd', ({ cwndBytes, mss }) => Math.floor(cwndBytes / Math.max(1, mss))],
  ['tcpi_snd_ssthresh', ({ ssthreshBytes, mss }) => (Number.isFinite(ssthreshBytes) ? Math.floor(ssthreshBytes / Math.max(1, mss)) : INFINITE_SSTHRESH)],
  ['tcpi_total_retrans', ({ retransmissions }) => retransmissions],
  ['tcpi_bytes_received', ({ bytesIn }) => bytesIn],
  ['tcpi_segs_out', ({ segmentsOut }) => segmentsOut],
  ['tcpi_segs_in', ({ segmentsIn }) => segmentsIn],
  ['tcpi_notsent_bytes', ({ unsentBytes }) => unsentBytes],
  ['tcpi_snd_wnd', ({ sndWnd }) => sndWnd],
  ['tcpi_rcv_wnd', ({ rcvWnd }) => rcvWnd],
]);

/** Whether code may speak of the name: known before there is a connection to ask. */
export function isTcpInfoName(name: string): boolean {
  return SYMBOLS.has(name) || FIELDS.has(name);
}

/** @returns undefined for a name that is none of these, or of a field while there is no connection */
export function tcpInfo(name: string, snapshot: TcpSnapshot | null): number | undefined {
  return SYMBOLS.get(name) ?? (snapshot ? FIELDS.get(name)?.(snapshot) : undefined);
}
