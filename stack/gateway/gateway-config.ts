/** Every tunable of the embedded gateway: default, unit and range. */
export interface GatewayConfig {
  /**
   * The network on the cable, as `10.0.2.0/24`; prefix 8 … 29. null: the first of a few private networks that
   * no interface of this computer is in, since addresses in it cannot be reached beyond the gateway.
   */
  readonly subnet: string | null;
  /**
   * Dotted IPv4 address on the operating system's side that the guest's `localhost` stands for. null: this
   * computer's primary address.
   */
  readonly hostAddress: string | null;
  /** Name servers that replace the system's: `a.b.c.d`, `a.b.c.d:port`, an IPv6 address, `[v6]:port`. Empty: the system's. */
  readonly dnsServers: readonly string[];
  /** Largest IPv4 packet on the cable, bytes, 1280 … 65535. It is memory: the larger, the fewer packets. */
  readonly mtu: number;
  /** Memory of each end's receive queue, bytes. */
  readonly queueBytes: number;
  /** How long the operating system may take to connect, ms: longer than the guest repeats its SYN (`tcp.connectTimeoutMs`). */
  readonly tcpConnectTimeoutMs: number;
  /** Connections not yet open, at once: as many as the guest's stack holds (`tcp.maxConnections`), which repeats its SYN while it waits. */
  readonly tcpBacklog: number;
  /** How long a reset from outside waits for the guest to take the bytes that came before it, ms. */
  readonly tcpResetDrainMs: number;
  /**
   * How long a peer outside may take nothing of what a guest that has ended in order left for it, ms. The system tells
   * only of whole pieces that were taken, of up to a megabyte: one that reads slowly needs minutes for each.
   */
  readonly tcpLingerMs: number;
  /**
   * How long a peer outside may acknowledge nothing of what was sent to it, ms, where the system tells (Linux): as long
   * as the stack's own user timeout (`tcp.userTimeoutMs`).
   */
  readonly tcpSilenceMs: number;
  /** Idle time after which a UDP flow is forgotten, ms (RFC 4787 §4.3: at least two minutes, five recommended). */
  readonly udpIdleMs: number;
  /** UDP flows at once; the least recently used is closed. */
  readonly udpMaxFlows: number;
  /** DNS queries under way at once. */
  readonly dnsMaxQueries: number;
  /** Wait for one name server before the next is asked too, ms. */
  readonly dnsAttemptMs: number;
  /** After this the guest is told that no server answered, ms. */
  readonly dnsLimitMs: number;
  /** The DHCP lease, s. */
  readonly leaseSeconds: number;
}

export const DEFAULT_GATEWAY_CONFIG: GatewayConfig = {
  subnet: null,
  hostAddress: null,
  dnsServers: [],
  mtu: 65_535,
  queueBytes: 16 << 20,
  tcpConnectTimeoutMs: 129_000,
  tcpBacklog: 65_536,
  tcpResetDrainMs: 10_000,
  tcpLingerMs: 900_000,
  tcpSilenceMs: 100_000,
  udpIdleMs: 300_000,
  udpMaxFlows: 512,
  dnsMaxQueries: 256,
  dnsAttemptMs: 1_000,
  dnsLimitMs: 5_000,
  leaseSeconds: 86_400,
};
