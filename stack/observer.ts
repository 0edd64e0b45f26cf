/** What the stack counts and tells. Every dropped packet increments one of these counters. */

function zero<const K extends string>(...names: K[]): Record<K, number> {
  const counters: Partial<Record<K, number>> = {};
  for (const name of names) counters[name] = 0;
  // Every name was just set: the loop above makes the record complete.
  return counters as Record<K, number>;
}

/** Named counters, by layer. All start at 0 and only grow. */
export function createCounters() {
  return {
    ethernet: zero('rxTooShort', 'rxNotForUs', 'rxCameBack', 'rxOwnEcho', 'rxUnknownType'),
    arp: zero(
      'rxMalformed', 'rxRequests', 'rxReplies', 'rxIgnored', 'rxUnanswerable', 'txRequests', 'txReplies',
      'resolved', 'failed', 'queueFull', 'tableFull', 'expired', 'txUnresolved', 'txProbes', 'txAnnouncements', 'conflicts', 'defended',
    ),
    ipv4: zero(
      'rxPackets', 'rxTooShort', 'rxBadVersion', 'rxBadHeaderLength', 'rxBadTotalLength', 'rxBadChecksum',
      'rxNotForUs', 'rxNotOurs', 'rxCameBack', 'rxBadSource', 'rxUnknownProtocol', 'rxSourceRoute', 'rxFragments', 'reassembled', 'reassemblyTimeout',
      'reassemblyOverlap', 'reassemblyDuplicate', 'reassemblyBadEcn', 'reassemblyFull', 'reassemblyTooBig', 'txPackets', 'txFragments', 'txNoRoute', 'txTooBig',
      'pathMtuNarrowed', 'pathMtuEvicted',
    ),
    icmp: zero(
      'rxTooShort', 'rxBadChecksum', 'rxEchoRequests', 'rxEchoReplies', 'rxErrors', 'rxErrorsIgnored',
      'rxRedirectsIgnored', 'rxUnknownType', 'txEchoReplies', 'txErrors', 'txRateLimited', 'txSuppressed',
    ),
    udp: zero('rxDatagrams', 'rxTooShort', 'rxBadLength', 'rxBadChecksum', 'rxPartialChecksum', 'rxNoPort', 'rxQueueFull', 'txDatagrams', 'txDropped'),
    tcp: zero(
      'rxSegments', 'rxTooShort', 'rxBadOffset', 'rxBadOptions', 'rxBadChecksum', 'rxPartialChecksum', 'rxNoConnection', 'rxUnacceptable',
      'rxBadAck', 'rxInvalidUnanswered', 'rxBadReset', 'rxBadSyn', 'rxNoAck', 'rxAfterClose', 'rxOutOfOrder', 'rxOutOfOrderDropped', 'rxDuplicate',
      'rxBeyondWindow', 'rxAfterFin', 'rxBadPaws', 'rxBacklogFull', 'rxTableFull', 'rxIcmpIgnored', 'rxBadBroadcast',
      'txSegments', 'txResets', 'txRetransmissions', 'txChallengeAcks', 'txUnreachable',
      'activeOpens', 'passiveOpens', 'timeouts', 'fastRetransmits', 'spuriousRecoveries', 'tailLossProbes', 'keepAliveProbes', 'stalled', 'blackHoles', 'ecnReductions', 'rxNoTimestamp', 'resets', 'timeWaitReused', 'timeWaitEvicted',
    ),
    dhcp: zero(
      'rxMalformed', 'rxWrongTransaction', 'rxUnexpected', 'rxUnusable', 'rxRefused', 'rxNaks', 'txDiscovers', 'txRequests', 'txReleases', 'txDeclines',
      'leases', 'expired',
    ),
    dns: zero(
      'queries', 'cacheHits', 'retries', 'timeouts', 'rxMalformed', 'rxMismatched', 'rxServerFailures', 'rxTruncated', 'rxOtherCase', 'tcpQueries', 'mdnsQueries', 'cacheEvicted',
    ),
    gateway: zero(
      'tcpRelayed', 'tcpRefused', 'tcpFailed', 'tcpForbidden', 'tcpReset', 'tcpSilent', 'udpFlows', 'udpFlowsEvicted', 'udpDropped', 'udpFailed',
      'udpForbidden', 'dnsForwarded', 'dnsFailed', 'dnsDropped', 'dhcpLeases', 'dhcpNaks', 'dhcpIgnored', 'dhcpMalformed',
    ),
  };
}

export type Counters = ReturnType<typeof createCounters>;

/** Things that happened, for logs and for the embedder. */
export type StackEvent =
  | { readonly type: 'address'; readonly address: string; readonly prefixLength: number; readonly gateway: string | null; readonly dns: readonly string[]; readonly source: 'static' | 'dhcp' | 'shared' }
  /** The address is checked for another owner (RFC 5227) before it is used: a few seconds, which begin after `afterMs`. */
  | { readonly type: 'address-probing'; readonly address: string; readonly afterMs: number }
  /** Another station has the address, or this computer itself. DHCP is asked for another (null), or the same one is tried again. */
  | { readonly type: 'address-taken'; readonly address: string; readonly message: string; readonly retryMs: number | null }
  | { readonly type: 'address-lost'; readonly reason: string }
  | { readonly type: 'link'; readonly change: 'down' | 'gone' | 'up' | 'mtu-changed'; readonly message: string }
  | { readonly type: 'tcp-state'; readonly id: number; readonly from: string; readonly to: string }
  | { readonly type: 'warning'; readonly message: string };

export type Observer = (event: StackEvent) => void;
