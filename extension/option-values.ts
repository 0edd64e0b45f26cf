/** How the terminal's commands read their options: what may be given, and what is said of what may not. */
import { isIPv4 } from 'node:net';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { parseAddress } from './address-setting';
import type { AddressSetting, PcapSettings } from './protocol';

/** What is wrong with the arguments, in words for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const BINDINGS: readonly PcapSettings['binding'][] = ['auto', 'cap', 'libpcap'];
export const LOCALHOST_MODES: readonly PcapSettings['localhost'][] = ['relay', 'router'];

/** @param help the command that lists the options @throws UsageError */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: T, help: string) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    // Node's own words name the option; its advice on dashes is shorter here.
    const message = error instanceof Error ? (error.message.split(/\. To specify|\n/)[0] ?? '') : String(error);
    const ambiguous = /^Option '(?:-\w, )?(--[\w-]+).* is ambiguous/.exec(message)?.[1];
    if (ambiguous !== undefined) throw new UsageError(`${ambiguous} needs a value; one that begins with a dash is written ${ambiguous}=-…`);
    throw new UsageError(`${message}; see ${help}`);
  }
}

/** @returns null for an option that is not given */
export function checkAddress(option: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!isIPv4(text)) throw new UsageError(`${option} must be an IPv4 address such as 192.0.2.1, not '${text}'`);
  return text;
}

/** The stack's own address. @param gateway the router that was given, dotted; null: none */
export function checkOwnAddress(text: string | undefined, gateway: string | null): AddressSetting {
  const address = parseAddress(text ?? 'dhcp');
  if (address === null) throw new UsageError(`--address must be dhcp, shared, or an IPv4 address with the length of its network, such as 192.0.2.7/24, not '${text}'`);
  if (address.mode !== 'dhcp') return { ...address, gateway };
  if (gateway !== null) throw new UsageError('--gateway goes with a given address, --address A.B.C.D/LEN or shared: DHCP names the router itself');
  return address;
}

/** @returns null for an option that is not given */
export function checkChoice<T extends string>(option: string, text: string | undefined, choices: readonly T[]): T | null {
  if (text === undefined) return null;
  const known = choices.find((choice) => choice === text);
  if (known === undefined) throw new UsageError(`${option} must be one of ${choices.join(', ')}, not '${text}'`);
  return known;
}

/** Name servers: the option repeated, or a list with commas. */
export function checkServers(given: readonly string[]): string[] {
  const servers = given.flatMap((text) => text.split(','));
  for (const server of servers) {
    const [address = '', port, more] = server.split(':');
    const portFits = port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535);
    if (!isIPv4(address) || !portFits || more !== undefined) throw new UsageError(`--dns must be an IPv4 address such as 192.0.2.1 or 192.0.2.1:53, not '${server}'`);
  }
  return servers;
}

export function checkNotEmpty(option: string, text: string): string {
  if (text === '') throw new UsageError(`${option} needs a value`);
  return text;
}
