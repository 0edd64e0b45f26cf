/** ICMP's types and codes by the names that scripts use (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
export const ICMP_UNREACHABLE = 3;
export const ICMP_SOURCE_QUENCH = 4;
export const ICMP_TIME_EXCEEDED = 11;
export const ICMP_PARAMETER_PROBLEM = 12;
export const CODE_FRAGMENTATION_NEEDED = 4;

export const ICMP_TYPES: ReadonlyMap<string, number> = new Map([
  ['echo_reply', 0], ['unreachable', ICMP_UNREACHABLE], ['source_quench', ICMP_SOURCE_QUENCH], ['redirect', 5], ['echo_request', 8],
  ['time_exceeded', ICMP_TIME_EXCEEDED], ['parameter_problem', ICMP_PARAMETER_PROBLEM], ['timestamp_request', 13], ['timestamp_reply', 14],
  ['information_request', 15], ['information_reply', 16], ['address_mask_request', 17], ['address_mask_reply', 18],
]);

export const ICMP_UNREACHABLE_CODES: ReadonlyMap<string, number> = new Map([
  ['net_unreachable', 0], ['host_unreachable', 1], ['protocol_unreachable', 2], ['port_unreachable', 3], ['frag_needed', CODE_FRAGMENTATION_NEEDED],
  ['source_route_failed', 5], ['net_unknown', 6], ['host_unknown', 7], ['source_host_isolated', 8], ['net_prohibited', 9], ['host_prohibited', 10],
  ['net_unreachable_for_tos', 11], ['host_unreachable_for_tos', 12], ['packet_filtered', 13], ['precedence_violation', 14], ['precedence_cutoff', 15],
]);
