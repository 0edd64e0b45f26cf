/**
 * `localhost` by way of the router: out to it and back. A frame that is injected on an interface is never received
 * by that computer's own kernel, so nothing shorter leads there, and its answers come by the router, too, for which
 * it needs a neighbour entry that says so.
 */
import { formatIpv4, readSystemAddress, StackError, type Clock, type Stack, type Timer } from '../../../stack';

/** The computer is two hops away: who has not answered three SYNs by then will not. */
const CONNECT_LIMIT_MS = 10_000;
/** The computer's address can change: looked at so often, ms. */
const REFRESH_MS = 2_000;

/** Who stands in the way: the router sends nothing back; the computer does not know where the stack is, or does not answer. */
export type RouterPathCause = 'router' | 'unresolved' | 'silent';

export interface RouterPathLimit {
  readonly ms: number;
  /** What has been seen since the limit was asked for tells. */
  cause(): RouterPathCause;
  explain(): StackError;
}

export class RouterPath {
  private stack: Stack | null = null;
  private timer: Timer | null = null;

  constructor(
    private readonly interfaceName: string,
    private readonly clock: Clock,
  ) {}

  /** The computer's address on the interface, now; null: it has none. */
  get thisComputer(): { readonly address: number; readonly outside: string } | null {
    const own = readSystemAddress(this.interfaceName);
    return own && { address: own.address, outside: formatIpv4(own.address) };
  }

  /** From now on the stack sends what is for the computer to the router. */
  attach(stack: Stack): void {
    this.stack = stack;
    this.refresh();
  }

  /** For a connection that is being opened: how long it may take, and why it has failed then; null: it does not go to this computer. */
  limitOf(address: number): RouterPathLimit | null {
    const { stack } = this;
    if (!stack?.viaGateway.includes(address)) return null;
    const before = seenOf(stack);
    const cause = (): RouterPathCause => causeOf(before, seenOf(stack));
    return { ms: CONNECT_LIMIT_MS, cause, explain: () => explain(stack, address, cause()) };
  }

  close(): void {
    this.timer?.cancel();
    this.timer = null;
    this.stack = null;
  }

  private refresh(): void {
    const { stack, thisComputer, clock } = this;
    if (stack === null) return;
    const wanted = thisComputer === null ? [] : [thisComputer.address];
    if (wanted[0] !== stack.viaGateway[0]) stack.viaGateway = wanted;
    this.timer = clock.at(clock.now() + REFRESH_MS, () => this.refresh());
  }
}

interface Seen {
  /** Packets that the router has sent on to this computer. */
  readonly cameBack: number;
  /** Questions of this computer for our address. */
  readonly asked: number;
}

function seenOf({ counters: { ethernet, ipv4, arp } }: Stack): Seen {
  return { cameBack: ethernet.rxCameBack + ipv4.rxCameBack, asked: arp.rxUnanswerable };
}

function causeOf(before: Seen, now: Seen): RouterPathCause {
  if (now.asked > before.asked) return 'unresolved';
  return now.cameBack > before.cameBack ? 'silent' : 'router';
}

function explain(stack: Stack, address: number, cause: RouterPathCause): StackError {
  const info = stack.addressInfo;
  const computer = `this computer, ${formatIpv4(address)},`;
  const own = info === null ? 'the stack' : formatIpv4(info.address);
  const relay = 'take --localhost relay (setting riftnet.localhost)';
  switch (cause) {
    case 'unresolved':
      return new StackError('EHOSTUNREACH', `the router sends packets on, but ${computer} cannot resolve the stack's address ${own}, which does not hear its answers: give it the router as the way there, riftnet doctor --fix router, or ${relay}`);
    case 'router': {
      const router = info === null || info.gateway === null ? 'the router' : `the router ${formatIpv4(info.gateway)}`;
      return new StackError('EHOSTUNREACH', `${router} does not send packets back to ${computer} where they came from: ${relay}`);
    }
    case 'silent':
      return new StackError('ETIMEDOUT', `the router sends packets on, but ${computer} does not answer: a firewall of it, or a neighbour entry for ${own} with another MAC address than the router's (riftnet doctor --fix router); else ${relay}`);
  }
}
