/** The host that the stack under test has its sessions with: echo over TCP and UDP, a DHCP and a DNS server. */
import { decode, encode } from 'dns-packet';
import type { VirtualClock } from '../../../stack/clock';
import { DhcpServer } from '../../../stack/gateway/dhcp-server';
import type { Subnet } from '../../../stack/gateway/subnet';
import type { Stack } from '../../../stack/stack';
import type { TcpSocket } from '../../../stack/tcp/types';

export const ECHO_PORT = 80;
export const DATAGRAM_PORT = 5_353;
/** Nobody has it. */
export const CLOSED_PORT = 9;
/** No more of a datagram than that is sent back. */
export const LARGE_ECHO_BYTES = 1_000;
const DNS_PORT = 53;
/** One connection takes a tenth of a second. */
const PATIENCE_MS = 2_000;

/** Sends back what arrives, and closes when the other end has closed. An end that is silent for long is asked whether it lives. */
export function serveEcho(stack: Stack): void {
  const target = new Uint8Array(4_096);
  stack.tcp.listen({ port: ECHO_PORT }).onAccept = (socket) => {
    socket.setKeepAlive({ idleMs: 5_000, intervalMs: 1_000, probes: 3 });
    const work = (): void => {
      while (socket.readableBytes > 0 && socket.writableBytes >= target.length) socket.write(target.subarray(0, socket.read(target)));
      if (socket.peerClosed && socket.readableBytes === 0) socket.close();
    };
    socket.onChange = work;
    work();
  };
  const datagrams = stack.udp.bind({ port: DATAGRAM_PORT });
  datagrams.onChange = () => {
    for (let one = datagrams.receive(); one; one = datagrams.receive()) {
      // Two that echo each other would go on for ever.
      if (one.sourcePort !== DATAGRAM_PORT) datagrams.send(one.source, one.sourcePort, one.data.subarray(0, LARGE_ECHO_BYTES));
    }
  };
}

/** Answers every question for an address: with an alias and two addresses, or with "no such name". */
export function serveNames(stack: Stack): void {
  const socket = stack.udp.bind({ port: DNS_PORT });
  socket.onChange = () => {
    for (let query = socket.receive(); query; query = socket.receive()) {
      const { id = 0, questions = [] } = decode(Buffer.from(query.data));
      const name = questions[0]?.name ?? '';
      const known = !name.startsWith('no-');
      const answer = encode({
        type: 'response', id, questions, flags: known ? 0x8180 : 0x8183,
        answers: known
          ? [
              { type: 'CNAME', class: 'IN', name, ttl: 1, data: `alias.${name}` },
              { type: 'A', class: 'IN', name: `alias.${name}`, ttl: 1, data: '10.0.0.2' },
              { type: 'A', class: 'IN', name: `alias.${name}`, ttl: 1, data: '10.0.0.9' },
            ]
          : [],
      });
      socket.send(query.source, query.sourcePort, new Uint8Array(answer));
    }
  };
}

export function serveAddresses(stack: Stack, clock: VirtualClock, subnet: Subnet): void {
  new DhcpServer({ clock, udp: stack.udp, counters: stack.counters.gateway, subnet, leaseSeconds: 86_400 });
}

/** Opens a connection to an echo server, has some lines sent back, closes, and does it again, until stopped. */
export class EchoClient {
  /** Connections that went through to their end. */
  completed = 0;
  private stopped = false;
  private socket: TcpSocket | null = null;

  constructor(
    private readonly stack: Stack,
    private readonly clock: VirtualClock,
    private readonly address: number,
  ) {
    this.open();
  }

  stop(): void {
    this.stopped = true;
    this.socket?.abort();
    this.socket = null;
  }

  private open(): void {
    if (this.stopped) return;
    let socket: TcpSocket;
    try {
      socket = this.stack.tcp.connect({ address: this.address, port: ECHO_PORT }, this.clock.now());
    } catch {
      this.again(); // Its table is full, or its address is gone: that is what the fuzzing is about.
      return;
    }
    this.socket = socket;
    // Two ends that a forged segment has put out of step may wait for each other for ever: this user does not.
    const patience = this.clock.at(this.clock.now() + PATIENCE_MS, () => {
      socket.abort();
      work();
    });
    const target = new Uint8Array(2_000);
    let lines = 0;
    let waiting = 0;
    const work = (): void => {
      waiting -= socket.read(target);
      if (socket.isOpen && waiting <= 0 && lines < 4) {
        waiting += socket.write(target.subarray(0, 50 << (2 * lines++)));
      } else if (lines === 4 && waiting <= 0) socket.close();
      if (socket.isOpen || socket.state === 'SYN-SENT' || socket.state === 'SYN-RECEIVED' || this.socket !== socket) return;
      patience.cancel();
      if (socket.error === null) this.completed++;
      this.socket = null;
      this.again();
    };
    socket.onChange = work;
  }

  private again(): void {
    this.clock.at(this.clock.now() + 20, () => this.open());
  }
}
