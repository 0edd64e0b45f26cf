/** Which names are asked for at all, and in which form. */
import { StackError } from '../errors';
import type { Random } from '../random';
import { parseIpv4, type Ipv4Address } from '../wire/address';

/** RFC 1035 §2.3.4, without the root's own byte: characters of a name as it is written. */
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/**
 * - an address where `text` is a dotted quad: it is not asked for;
 * - a name in lower case without the last dot;
 * - an error with code ENOTFOUND that says what is wrong.
 */
export function parseHostName(text: string): Ipv4Address | string | StackError {
  const address = parseIpv4(text);
  if (address !== null) return address;
  const shown = JSON.stringify(text.length > MAX_NAME_LENGTH ? `${text.slice(0, 60)}…` : text);
  const refuse = (why: string) => new StackError('ENOTFOUND', `${shown} cannot be resolved: ${why}`);
  if (text.includes(':')) return refuse('only IPv4 addresses and names are supported, without a port');
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  if (name === '') return refuse('the name is empty');
  if (name.length > MAX_NAME_LENGTH) return refuse(`a name has at most ${MAX_NAME_LENGTH} characters, this one has ${name.length}`);
  const labels = name.split('.');
  for (const label of labels) {
    if (label === '') return refuse('two dots follow one another, or the name begins with one');
    if (label.length > MAX_LABEL_LENGTH) return refuse(`"${label.slice(0, 20)}…" is longer than ${MAX_LABEL_LENGTH} characters`);
    // RFC 1123 §2.1 and, for the underscore, what servers have in use (RFC 2181 §11).
    if (!/^[a-z0-9_-]+$/.test(label)) {
      return refuse(/[^\x20-\x7e]/.test(label) ? 'write an international name in its ASCII form (xn--…)' : `"${label}" has a character that no host name has`);
    }
    if (label.startsWith('-') || label.endsWith('-')) return refuse(`"${label}" begins or ends with a hyphen`);
  }
  const top = labels.at(-1) ?? '';
  // RFC 3696 §2: no top-level domain is all digits; this is a mistyped address.
  if (/^\d+$/.test(top)) return refuse('it is neither a name nor an IPv4 address of four numbers from 0 to 255');
  // RFC 6761 §6.3: such a query must not leave the host; whoever uses the stack gives this name its meaning.
  if (top === 'localhost') return refuse('the stack has no loopback address');
  return name;
}

/**
 * The name with each letter in upper or lower case by chance: a server repeats the question as it came, a forger
 * has to guess it (draft-vixie-dnsext-dns0x20).
 */
export function randomCase(name: string, random: Random): string {
  let bits = 0;
  let left = 0;
  let out = '';
  for (const char of name) {
    if (left === 0) {
      bits = random.u32();
      left = 32;
    }
    out += (bits & 1) === 0 ? char : char.toUpperCase();
    bits >>>= 1;
    left--;
  }
  return out;
}
