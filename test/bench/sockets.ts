/** What many open and idle sockets cost: memory, and the time of a poll that concerns one of them. */
import { createPair, SERVER_ADDRESS, type Pair } from './support/loopback';
import type { Benchmark } from './support/harness';
import type { TcpSocket } from '../../stack';

const PORT = 5_001;
const MANY = 10_000;
/** Both ends are in this process. */
const ENDS = 2;

interface Open {
  readonly pair: Pair;
  readonly clients: TcpSocket[];
  readonly servers: TcpSocket[];
  /** The time on the stacks' clock, ms. */
  now: number;
}

/** Opens `count` connections that carry a byte each way, as connections do, and then nothing. */
function open(count: number): Open {
  const pair = createPair({ tcp: { listenBacklog: 1_000 } });
  const { client, server, settle } = pair;
  const state: Open = { pair, clients: [], servers: [], now: 0 };
  const target = new Uint8Array(16);
  server.tcp.listen({ port: PORT }).onAccept = (socket) => {
    state.servers.push(socket);
    socket.onChange = () => {
      const length = socket.read(target);
      if (length > 0) socket.write(target.subarray(0, length));
    };
  };
  while (state.clients.length < count) {
    for (let i = 0; i < 500 && state.clients.length < count; i++) {
      const socket = client.tcp.connect({ address: SERVER_ADDRESS, port: PORT }, state.now);
      state.clients.push(socket);
      socket.write(Uint8Array.of(1));
      socket.onChange = () => socket.read(target);
    }
    settle(state.now);
    state.now += 1;
  }
  // Delayed ACKs go out, and idle buffers give their memory back.
  for (const until = state.now + 10_000; state.now < until; state.now += 50) settle(state.now);
  const isOpen = (socket: TcpSocket): boolean => socket.isOpen && socket.bufferedBytes === 0;
  if (state.servers.length !== count || !state.clients.every(isOpen) || !state.servers.every(isOpen)) throw new Error(`not all of ${count} connections are open and idle`);
  return state;
}

async function liveBytes(): Promise<number> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('node must be started with --expose-gc');
  // The memory of arrays goes some time after the arrays.
  for (let i = 0; i < 5; i++) {
    await gc({ type: 'major', execution: 'async' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** KiB of heap and of memory outside it, per open socket. */
async function memory(): Promise<number> {
  open(100); // what exists once
  const before = await liveBytes();
  const state = open(MANY);
  const after = await liveBytes();
  if (state.clients.length !== MANY) throw new Error('they are needed until here');
  return (after - before) / (MANY * ENDS) / 1_024;
}

const POLLS = 20_000;
/** The sockets that something happens on, however many are idle beside them. */
const ACTIVE = 10;

/** µs for a byte to an active socket and back, with its delayed ACK: some eight polls, each with one thing to do. */
function roundTrip(idle: number): () => Promise<number> {
  return async () => {
    const state = open(idle + ACTIVE);
    await liveBytes();
    const { pair } = state;
    const message = Uint8Array.of(1);
    const target = new Uint8Array(16);
    let echoed = 0;
    const active = state.clients.filter((_, i) => i % Math.ceil((idle + ACTIVE) / ACTIVE) === 0);
    for (const socket of active) socket.onChange = () => (echoed += socket.read(target));
    const exchange = (i: number): void => {
      active[i % active.length]?.write(message);
      pair.settle(state.now);
      // The ACK of the echo is delayed: let it go.
      state.now += 50;
      pair.settle(state.now);
    };
    for (let i = 0; i < POLLS; i++) exchange(i);
    echoed = 0;
    // Processor time: these are small figures, and other processes would show in them.
    const started = process.cpuUsage();
    for (let i = 0; i < POLLS; i++) exchange(i);
    const { user, system } = process.cpuUsage(started);
    if (echoed !== POLLS) throw new Error(`${echoed} of ${POLLS} bytes came back`);
    return (user + system) / POLLS;
  };
}

const fewest = roundTrip(10);

export const benchmarks: readonly Benchmark[] = [
  { name: 'sockets/memory', unit: 'KiB', run: memory, target: 'under 4 KiB per idle socket, of 10 000' },
  { name: 'sockets/poll-10', unit: 'µs', run: fewest },
  { name: 'sockets/poll-1000', unit: 'µs', run: roundTrip(1_000), against: { what: 'the same among 10 idle sockets', run: fewest }, target: 'what is due, not what exists: about 1' },
  { name: 'sockets/poll-10000', unit: 'µs', run: roundTrip(MANY), against: { what: 'the same among 10 idle sockets', run: fewest }, target: 'what is due, not what exists: about 1' },
];
