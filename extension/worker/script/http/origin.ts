/** A server as connections know it (RFC 6454): scheme, name and port. */
export interface Origin {
  /** `protocol//host:port`. */
  readonly key: string;
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
}

export function originOf({ protocol, hostname, port }: URL): Origin {
  const secure = protocol === 'https:';
  const number = port === '' ? (secure ? 443 : 80) : Number(port);
  return { key: `${protocol}//${hostname}:${number}`, hostname, port: number, secure };
}

/** Whether a URL's host is an address: its parser writes every IPv4 address in dotted form, and takes no name that looks like one. */
export function isAddress(hostname: string): boolean {
  return /^[\d.]+$/.test(hostname);
}
