/** The name servers outside that the gateway forwards to. */
import { Resolver } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { StackError } from '../../errors';
import { parseResolvConf } from './resolv-conf';

const DNS_PORT = 53;
/** A laptop changes networks: the system is asked again after this, ms. */
const REFRESH_MS = 5_000;
/** More servers than this are not asked: the guest has long given up. */
const MAX_SERVERS = 6;
const RESOLV_CONF = '/etc/resolv.conf';
/** The servers that systemd-resolved itself asks, without its stub, which reads the hosts file. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
/** systemd-resolved's stubs. */
const STUBS = new Set(['127.0.0.53', '127.0.0.54']);

export interface Upstream {
  /** IPv4 or IPv6, as text. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** How the system is asked; tests put their own in its place. */
export interface UpstreamSystem {
  readonly platform: string;
  /** @returns the file's text, or null if it cannot be read */
  readonly readFile: (path: string) => string | null;
  /** As `dns.getServers()`. */
  readonly dnsServers: () => readonly string[];
}

export const UPSTREAM_SYSTEM: UpstreamSystem = {
  platform: process.platform,
  readFile(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  },
  // A new resolver reads the system's configuration anew; the module's own keeps what it read first.
  dnsServers: () => new Resolver().getServers(),
};

/** @returns null if the text is no `a.b.c.d`, `a.b.c.d:port`, IPv6 address or `[v6]:port` */
export function parseUpstream(text: string): Upstream | null {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const dotted = /^(\d[\d.]*)(?::(\d{1,5}))?$/.exec(text);
  const address = bracketed?.[1] ?? dotted?.[1] ?? text;
  const port = Number(bracketed?.[2] ?? dotted?.[2] ?? DNS_PORT);
  const family = isIP(address);
  if ((family !== 4 && family !== 6) || (bracketed && family !== 6) || port < 1 || port > 65_535) return null;
  return { address, port, family };
}

/** The inverse of `parseUpstream`; the port is left out where it is 53. */
export function formatUpstream({ address, port, family }: Upstream): string {
  if (port === DNS_PORT) return address;
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

export interface UpstreamList {
  readonly servers: readonly Upstream[];
  /** Why there is none, with the next step; null if there is one. */
  readonly problem: string | null;
}

export class Upstreams {
  private readonly configured: readonly Upstream[];
  private list: UpstreamList = { servers: [], problem: null };
  private readAt = -Infinity;

  /** @param configured replaces the system's unless empty @throws StackError EINVAL */
  constructor(
    configured: readonly string[],
    private readonly system: UpstreamSystem,
  ) {
    this.configured = configured.map((text) => {
      const server = parseUpstream(text);
      if (!server) throw new StackError('EINVAL', `dns server ${JSON.stringify(text)} is not an address with an optional port: give one as 192.0.2.1 or 192.0.2.1:53`);
      return server;
    });
  }

  /** @param now ms; the system is asked at most every five seconds */
  current(now: number): UpstreamList {
    if (this.configured.length > 0) return { servers: this.configured, problem: null };
    if (now - this.readAt >= REFRESH_MS) {
      this.readAt = now;
      this.list = readSystem(this.system);
    }
    return this.list;
  }
}

/** The servers that the system asks now, read anew. */
export function systemNameServers(system: UpstreamSystem = UPSTREAM_SYSTEM): UpstreamList {
  return readSystem(system);
}

function readSystem(system: UpstreamSystem): UpstreamList {
  const usable = (texts: readonly string[]): Upstream[] =>
    texts.flatMap((text) => {
      const server = parseUpstream(text);
      return server && !STUBS.has(server.address) && server.address !== '0.0.0.0' && server.address !== '::' ? [server] : [];
    }).slice(0, MAX_SERVERS);

  if (system.platform !== 'linux') {
    const servers = usable(system.dnsServers());
    return { servers, problem: servers.length > 0 ? null : 'the system names no DNS server: connect to a network, or set one (dns)' };
  }
  const text = system.readFile(RESOLV_CONF);
  if (text === null) return { servers: [], problem: `${RESOLV_CONF} cannot be read: set a DNS server (dns)` };
  const named = parseResolvConf(text);
  let servers = usable(named);
  if (servers.length > 0) return { servers, problem: null };
  if (!named.some((name) => STUBS.has(name))) return { servers, problem: `${RESOLV_CONF} names no DNS server: set one (dns)` };
  servers = usable(parseResolvConf(system.readFile(RESOLVED_CONF) ?? ''));
  return {
    servers,
    problem: servers.length > 0 ? null : `${RESOLV_CONF} names systemd-resolved, and ${RESOLVED_CONF} no server that it asks: connect to a network, or set one (dns)`,
  };
}
