/** A connection's state under the names of Linux's struct tcp_info, for assertions. */
import type { TcpSnapshot, TcpState } from '../../stack/tcp/types';
import type { Traffic } from './wire/traffic';

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

/** What the fields are made of. */
export interface Connection {
  readonly snapshot: TcpSnapshot;
  readonly traffic: Traffic;
  /** Script time. */
  readonly nowUs: number;
  readonly mtu: number;
}

/** Windows and flights are whole segments, times µs, as Linux has them. `Disorder` shows by SACK only. */
const FIELDS: ReadonlyMap<string, (connection: Connection) => number> = new Map<string, (connection: Connection) => number>([
  ['tcpi_state', ({ snapshot: { state } }) => STATES[state]],
  ['tcpi_rto', ({ snapshot: { rtoMs } }) => Math.round(rtoMs * 1000)],
  ['tcpi_snd_mss', ({ snapshot: { mss } }) => mss],
  ['tcpi_ca_state', ({ snapshot: { recovery, sackedSegments } }) => (recovery === 'fast' ? 3 : recovery === 'timeout' ? 4 : sackedSegments > 0 ? 1 : 0)],
  ['tcpi_options', ({ snapshot: { timestamps, sack, windowScale, ecn } }) => (timestamps ? 1 : 0) | (sack ? 2 : 0) | (windowScale ? 4 : 0) | (ecn ? 8 : 0)],
  ['tcpi_snd_wscale', ({ snapshot: { windowScale } }) => windowScale?.send ?? 0],
  ['tcpi_rcv_wscale', ({ snapshot: { windowScale } }) => windowScale?.receive ?? 0],
  ['tcpi_rcv_mss', ({ snapshot: { receiveMss } }) => receiveMss],
  ['tcpi_unacked', ({ snapshot: { unackedSegments } }) => unackedSegments],
  ['tcpi_sacked', ({ snapshot: { sackedSegments } }) => sackedSegments],
  ['tcpi_lost', ({ snapshot: { lostSegments } }) => lostSegments],
  ['tcpi_reord_seen', ({ snapshot: { reorderingSeen } }) => (reorderingSeen ? 1 : 0)],
  ['tcpi_rtt', ({ snapshot: { srttMs } }) => Math.round((srttMs ?? 0) * 1000)],
  ['tcpi_rttvar', ({ snapshot: { rttvarMs } }) => Math.round((rttvarMs ?? 0) * 1000)],
  ['tcpi_snd_cwnd', ({ snapshot: { cwndBytes, mss } }) => Math.floor(cwndBytes / Math.max(1, mss))],
  ['tcpi_snd_ssthresh', ({ snapshot: { ssthreshBytes, mss } }) => (Number.isFinite(ssthreshBytes) ? Math.floor(ssthreshBytes / Math.max(1, mss)) : INFINITE_SSTHRESH)],
  ['tcpi_total_retrans', ({ snapshot: { retransmissions } }) => retransmissions],
  ['tcpi_bytes_received', ({ snapshot: { bytesIn } }) => bytesIn],
  ['tcpi_segs_out', ({ snapshot: { segmentsOut } }) => segmentsOut],
  ['tcpi_segs_in', ({ snapshot: { segmentsIn } }) => segmentsIn],
  ['tcpi_notsent_bytes', ({ snapshot: { unsentBytes } }) => unsentBytes],
  ['tcpi_snd_wnd', ({ snapshot: { sndWnd } }) => sndWnd],
  ['tcpi_rcv_wnd', ({ snapshot: { rcvWnd } }) => rcvWnd],
  ['tcpi_total_rto', ({ snapshot: { timeouts } }) => timeouts],
  ['tcpi_bytes_acked', ({ snapshot: { sndUna, iss } }) => Math.max(0, ((sndUna - iss) | 0) - 1)],
  ['tcpi_bytes_sent', ({ traffic: { bytesSent } }) => bytesSent],
  ['tcpi_bytes_retrans', ({ traffic: { bytesSent, newBytesSent } }) => bytesSent - newBytesSent],
  ['tcpi_data_segs_out', ({ traffic: { dataSegmentsOut } }) => dataSegmentsOut],
  ['tcpi_data_segs_in', ({ traffic: { dataSegmentsIn } }) => dataSegmentsIn],
  ['tcpi_last_data_sent', ({ traffic: { lastDataSentUs }, nowUs }) => milliseconds(nowUs - lastDataSentUs)],
  ['tcpi_last_data_recv', ({ traffic: { lastDataReceivedUs }, nowUs }) => milliseconds(nowUs - lastDataReceivedUs)],
  ['tcpi_last_ack_recv', ({ traffic: { lastAckReceivedUs }, nowUs }) => milliseconds(nowUs - lastAckReceivedUs)],
  ['tcpi_pmtu', ({ mtu }) => mtu],
]);

/** Whether code may speak of the name: known before there is a connection to ask. */
export function isTcpInfoName(name: string): boolean {
  return SYMBOLS.has(name) || FIELDS.has(name);
}

/** @returns undefined for a name that is none of these, or of a field while there is no connection */
export function tcpInfo(name: string, connection: Connection | null): number | undefined {
  return SYMBOLS.get(name) ?? (connection ? FIELDS.get(name)?.(connection) : undefined);
}

function milliseconds(us: number): number {
  return Math.round(us / 1000);
}
