/** The seam between the worker and a way to the network: one file beside this one for each kind. */
import { StackError, type AddressOptions, type Clock, type Device, type Observer, type PartialStackConfig, type Random, type Stack, type TcpSocket } from '../../../stack';
import type { LinkReport, WorkerSettings } from '../../protocol';

export type LogLevel = 'info' | 'warn' | 'error' | 'debug';

/** What links are opened with. */
export interface LinkContext {
  readonly settings: WorkerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** To be called when the link's `reason` is another. */
  readonly onReason: () => void;
}

/** A way to the network that is open: what a stack is put on. */
export interface Link {
  readonly kind: LinkReport['kind'];
  /** Closed by the stack that is put on it. */
  readonly device: Device;
  readonly address: AddressOptions;
  readonly stackConfig: PartialStackConfig;
  /** Whether there are other stations, which can have our address (RFC 5227). */
  readonly conflictDetection: boolean;
  /** One sentence for people: which link it is, and why. */
  readonly reason: string;
  /** The interface whose frames it captures; null: it has none. */
  readonly interfaceName: string | null;
  /**
   * The address that `localhost` is mapped to on this link, and the one it stands for, as text. null: this computer is
   * not reached over it.
   */
  readonly thisComputer: { readonly address: number; readonly outside: string } | null;
  /** The options that let `localhost` mean 127.0.0.1, for a person. */
  readonly loopbackAdvice: string;
  /** Another way must lead to this computer: the kernel does not see what is sent on its own interface. */
  readonly needsRelay: boolean;
  /** How long a connection waits for the stack's address, ms. */
  readonly addressTimeoutMs: number;
  /** Why the stack has no address, and the next step, each in a few words. */
  explainNoAddress(stack: Stack): { readonly cause: string; readonly advice: string };
  /** A name is about to be looked up. */
  beforeLookup?(): void;
  /** A failed lookup in the link's own terms. */
  explainLookup(error: StackError): StackError;
  /** A stack is on it now. */
  attached?(stack: Stack): void;
  /** Why an open connection was really reset, where the link did it on another's behalf; null: the peer did. */
  explainReset?(socket: TcpSocket): StackError | null;
  /** How long a connection to the address may take to be opened, ms, and why it has failed then; null: as long as TCP tries. */
  limitOf?(address: number): { readonly ms: number; explain(): StackError } | null;
  /** Whether the interface, back after a loss, has another MAC address than the device: then the link must be opened anew. */
  isStale?(): boolean;
  /** Counters of what the link is made of beside its device. */
  counters(): Readonly<Record<string, object>>;
  /** After the stack on it has been closed. Idempotent. */
  close(): void;
}

/** Of the gateway, also where that is only the relay beside another link. */
export const LOOPBACK_ADVICE = '--host-address 127.0.0.1 (setting riftnet.hostAddress)';

/** A link cannot be opened; the message names the thing, the value and the next step. */
export class LinkFailure extends Error {
  override readonly name = 'LinkFailure';
}

/** One way to try, and how long. */
export interface LinkAttempt {
  /** @throws LinkFailure if the machine has not what it takes, Error for a setting that cannot be */
  open(context: LinkContext): Link;
  /** The next way is tried when so long after this one was opened nobody has offered an address, ms. */
  readonly patienceMs: number;
  /** Nobody had offered one by then: why, in a few words. The next way is taken. */
  readonly onSilence?: (reason: string) => void;
}

/** A failed lookup, with the option that helps. */
export function explainLookup({ code, message }: StackError): StackError {
  return new StackError(code, message.replace(/\bset (one|other servers) \(dns\)/, 'name $1, --dns A.B.C.D (setting riftnet.dns)'));
}
