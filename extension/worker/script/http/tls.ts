/** TLS over a stream of ours: Node's, with certificates verified against its own roots and those the user added. */
import type { SecureContext, SecureContextOptions, TLSSocket } from 'node:tls';
import { isAddress, type Origin } from './origin';
import type { ChannelStream } from './stream';

/** Sessions kept to be resumed, one for each server. */
const MAX_SESSIONS = 100;

export class Tls {
  private readonly sessions = new Map<string, Buffer>();
  private context: SecureContext | null = null;

  /** @param extraCaCertificates PEM of authorities that are trusted beside Node's own; may be empty */
  constructor(private readonly extraCaCertificates: string) {}

  start(stream: ChannelStream, { key, hostname }: Origin): TLSSocket {
    // Loaded here: node:tls costs as much to load as the rest of the client, and http needs none of it.
    const tls = process.getBuiltinModule('node:tls');
    this.context ??= tls.createSecureContext(this.trusted(tls.rootCertificates));
    // A name may end with the root's dot, a certificate's never does.
    const name = hostname.replace(/\.$/, '');
    const session = this.sessions.get(key);
    const socket = tls.connect({
      socket: stream,
      secureContext: this.context,
      // An address has no server name to send (RFC 6066 §3), but the certificate is checked for it all the same: it must
      // be among the addresses that it names (RFC 9110 §4.3.5).
      servername: isAddress(name) ? '' : name,
      host: name,
      ALPNProtocols: ['http/1.1'],
      // One for this very server: a resumed session is not checked for its name again.
      ...(session === undefined ? {} : { session }),
    });
    socket.on('session', (ticket) => this.keep(key, ticket));
    return socket;
  }

  /** Each authority costs time to read: those that Node brings already, as the system's own mostly are, are left out. */
  private trusted(roots: readonly string[]): SecureContextOptions {
    if (this.extraCaCertificates === '') return {};
    const bare = (certificate: string) => certificate.replace(/\s+/g, '');
    const known = new Set(roots.map(bare));
    const extra = (this.extraCaCertificates.match(/-----BEGIN [^]+?-----END [^-]+-----/g) ?? []).filter((certificate) => !known.has(bare(certificate)));
    return extra.length === 0 ? {} : { ca: [...roots, ...extra] };
  }

  private keep(key: string, ticket: Buffer): void {
    this.sessions.delete(key);
    this.sessions.set(key, ticket);
    const [oldest] = this.sessions.keys();
    if (this.sessions.size > MAX_SESSIONS && oldest !== undefined) this.sessions.delete(oldest);
  }
}
