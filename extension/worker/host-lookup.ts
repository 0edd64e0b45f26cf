/** From the host a script names to an address the stack may connect to. */
import { formatIpv4, parseIpv4, StackError } from '../../stack';
import type { Uplink } from './attachment';

export type LookupResult = { readonly address: number } | { readonly error: StackError };

/** RFC 6761 §6.3 lets a resolver answer these names itself; the contract maps them to this computer's own address. */
export function isThisComputer(host: string): boolean {
  return /(^|\.)localhost\.?$/i.test(host);
}

/** Whether the host has to be asked for at a name server. */
export function isName(host: string): boolean {
  return !isThisComputer(host) && parseIpv4(host.replace(/\.$/, '')) === null;
}

/** @param now ms of the stack's clock @returns what cancels it; `done` may be called before this returns, and not after a cancel */
export function lookUp({ link, stack }: Uplink, host: string, now: number, done: (result: LookupResult) => void): () => void {
  if (isThisComputer(host)) {
    const { thisComputer } = link;
    const message = `${host} is this computer, which has no IPv4 address on the stack's interface: give it one, or take --localhost relay (setting riftnet.localhost)`;
    done(thisComputer ?? { error: new StackError('EADDRNOTAVAIL', message) });
    return () => {};
  }
  const name = host.toLowerCase().replace(/\.$/, '');
  const literal = parseIpv4(name);
  if (literal !== null) {
    done(checked(literal, host, link));
    return () => {};
  }
  link.beforeLookup?.();
  const query = stack.dns.resolve(name, now, (result) => {
    if ('error' in result) return done({ error: link.explainLookup(result.error) });
    // RFC 6724's order is for hosts with several addresses of their own; the first is as good as any here.
    const address = result.addresses.find((candidate) => !isLoopback(candidate)) ?? result.addresses[0];
    done(address === undefined ? { error: new StackError('ENOTFOUND', `${host} has no IPv4 address`) } : checked(address, host, link));
  });
  return () => query.cancel();
}

function checked(address: number, host: string, link: Uplink['link']): LookupResult {
  const dotted = formatIpv4(address);
  const subject = host === dotted ? dotted : `${host} resolves to ${dotted}, which`;
  if (isLoopback(address)) {
    const message = `${subject} is a loopback address: the stack bypasses the operating system's, so it cannot be reached. For a server on this computer connect to 'localhost', and let the server listen on 0.0.0.0, or let localhost mean 127.0.0.1: ${link.loopbackAdvice}`;
    return { error: new StackError('EADDRNOTAVAIL', message) };
  }
  if (address >>> 24 === 0 || address >= 0xe000_0000) {
    return { error: new StackError('EADDRNOTAVAIL', `${subject} is not the address of one host: TCP cannot connect to it`) };
  }
  return { address };
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3). */
function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}
