/** What may be given as a host: a dotted IPv4 address or a name. Names leave here in the form DNS takes. */
import { domainToASCII } from 'node:url';
import { outOfRange, shown, wrongType } from './arguments';

const EXPECTED = 'a dotted IPv4 address or a host name';

/**
 * @returns the host in lower case, international names in their ASCII form (RFC 5891)
 * @throws TypeError, RangeError naming the host and what is wrong with it
 */
export function checkHost(where: string, host: unknown): string {
  if (typeof host !== 'string') throw wrongType(where, 'host', EXPECTED, host);
  if (host === '') throw outOfRange(where, 'host', EXPECTED, host);
  if (host.includes('://')) throw new RangeError(`${where}: host is ${shown(host)}: give only the name, without the protocol, or use fetch`);
  if (host.startsWith('[') || /^[0-9a-f:.]*:[0-9a-f:.]*:/i.test(host)) {
    throw new RangeError(`${where}: host is ${shown(host)}: IPv6 addresses are not supported, only IPv4`);
  }
  if (host.includes(':')) throw new RangeError(`${where}: host is ${shown(host)}: give the port as the second argument`);
  const name = /^[\x21-\x7e]+$/.test(host) ? host.toLowerCase() : domainToASCII(host);
  // Four numbers, or fewer, can only be meant as an address (RFC 1123 §2.1).
  if (/^[\d.]+$/.test(name)) {
    if (!isDotted(name)) throw outOfRange(where, 'host', EXPECTED, host);
    return name;
  }
  // RFC 1035 §2.3.4: labels of 1 to 63 octets, 253 in all. Underscores occur in names of hosts too.
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (bare.length > 253 || (name === '' && host.length > 253)) throw new RangeError(`${where}: host is ${shown(host)}: longer than the 253 characters a name may have`);
  const fits = bare.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  if (!fits) throw outOfRange(where, 'host', EXPECTED, host);
  return name;
}

function isDotted(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}
