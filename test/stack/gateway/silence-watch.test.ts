import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { VirtualClock } from '../../../stack/clock';
import { SilenceWatch, type WatchedConnection } from '../../../stack/gateway/silence-watch';
import { until, Network } from './gateway-harness';

const LIMIT_MS = 100_000;
const LOOK_MS = 10_000;
/** The machine's own order of bytes, as Linux writes addresses. */
const word = (dotted: string): string => {
  const bytes = Buffer.from(dotted.split('.').map(Number));
  return (new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? bytes.reverse() : bytes).toString('hex').toUpperCase();
};
const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

interface Row {
  readonly localPort?: number;
  readonly remote?: string;
  readonly remotePort?: number;
  readonly queued?: number;
  /** 1 retransmits, 4 probes a closed window, 0 is idle. */
  readonly timer?: number;
  readonly retransmissions?: number;
  readonly probes?: number;
}

/** As Linux prints it. */
function table(...rows: Row[]): string {
  const lines = rows.map(({ localPort = 40_000, remote = '192.0.2.9', remotePort = 80, queued = 0, timer = 0, retransmissions = 0, probes = 0 }, i) =>
    `   ${i}: ${word('198.51.100.7')}:${hex(localPort, 4)} ${word(remote)}:${hex(remotePort, 4)} 01 ${hex(queued, 8)}:00000000 ${hex(timer, 2)}:00000014 ${hex(retransmissions, 8)}  1000        ${probes} 12345 2 0000000000000000 20 4 30 10 -1`);
  return ['  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode', ...lines, ''].join('\n');
}

class Watched implements WatchedConnection {
  readonly remoteAddress = '192.0.2.9';
  readonly remotePort = 80;
  awaitsWord = true;
  heardAt = -Infinity;
  silences = 0;

  constructor(readonly localPort = 40_000) {}

  acknowledged(): void {
    this.awaitsWord = false;
  }

  silent(): void {
    this.silences++;
    this.awaitsWord = false;
  }
}

class World {
  readonly clock = new VirtualClock();
  readonly watch: SilenceWatch;
  text: string | null = table();
  reads = 0;

  constructor(readonly connections: readonly Watched[]) {
    this.watch = new SilenceWatch({
      clock: this.clock, connections: () => connections, limitMs: LIMIT_MS,
      readTable: () => {
        this.reads++;
        return Promise.resolve(this.text);
      },
    });
    this.watch.start();
  }

  /** One look after the other, each time with a new table. */
  async looks(...texts: (string | null)[]): Promise<void> {
    for (const text of texts) {
      this.text = text;
      this.clock.advance(LOOK_MS);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  }
}

const silent = (retransmissions: number): string => table({ queued: 5, timer: 1, retransmissions });

describe('A peer outside that falls silent', () => {
  it('is ended once the system has repeated itself for the limit without an answer', async () => {
    const connection = new Watched();
    const world = new World([connection]);
    await world.looks(silent(3), silent(5), silent(6), silent(6), silent(7), silent(7), silent(7), silent(8), silent(8), silent(8));
    assert.deepEqual([connection.silences, world.clock.now()], [0, LIMIT_MS]);
    await world.looks(silent(8));
    assert.deepEqual([connection.silences, world.clock.now()], [1, LIMIT_MS + LOOK_MS]);
    world.watch.close();
    assert.equal(world.clock.nextAt(), Infinity);
  });

  it('is not ended while it acknowledges something now and then', async () => {
    const connection = new Watched();
    const world = new World([connection]);
    for (let round = 0; round < 10; round++) await world.looks(silent(2), silent(4), silent(5), silent(1));
    assert.equal(connection.silences, 0);
  });

  it('is ended if it does not answer the probes of its closed window; one that answers them is not', async () => {
    const [dead, alive] = [new Watched(40_001), new Watched(40_002)];
    const world = new World([dead, alive]);
    const both = (probes: number): string => table({ localPort: 40_001, queued: 9, timer: 4, probes }, { localPort: 40_002, queued: 9, timer: 4, probes: 1 });
    await world.looks(...[2, 3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8].map(both));
    assert.deepEqual([dead.silences, alive.silences], [1, 0]);
  });

  it('is waited for for the limit from the last bytes on that came from it', async () => {
    const connection = new Watched();
    const world = new World([connection]);
    for (let round = 0; round < 30; round++) {
      await world.looks(silent(7));
      if (round === 5) connection.heardAt = world.clock.now();
      if (connection.silences > 0) break;
    }
    assert.deepEqual([connection.silences, world.clock.now()], [1, connection.heardAt + LIMIT_MS]);
  });

  it('is told from others by both ends, and from one that has acknowledged everything, which is asked about no more', async () => {
    const [first, second] = [new Watched(40_001), new Watched(40_002)];
    const world = new World([first, second]);
    const text = table(
      { localPort: 40_001, queued: 0 }, { localPort: 40_001, remote: '192.0.2.10', queued: 5, timer: 1, retransmissions: 9 },
      { localPort: 40_002, queued: 5, timer: 1, retransmissions: 9, remotePort: 81 },
    );
    await world.looks(...Array.from({ length: 15 }, () => text));
    assert.deepEqual([first.silences, first.awaitsWord, second.silences, second.awaitsWord], [0, false, 0, true]);
    second.awaitsWord = false;
    const before = world.reads;
    await world.looks(text, text);
    assert.equal(world.reads, before, 'nothing is read while nothing is awaited');
  });

  it('is not looked for where the system tells nothing', async () => {
    const world = new World([new Watched()]);
    await world.looks(null, silent(9), silent(9));
    assert.deepEqual([world.reads, world.clock.nextAt()], [1, Infinity]);
  });

  /** A guest writes to a server whose system, from the server's first bytes on, acknowledges nothing. */
  async function fallsSilent(greet: (socket: Socket, fall: () => void) => void) {
    let ports: { readonly local: number; readonly remote: number } | null = null;
    const network = await Network.open({
      config: { tcpSilenceMs: 100 },
      system: { readTcpTable: () => Promise.resolve(ports === null ? table() : table({ localPort: ports.local, remote: '127.0.0.1', remotePort: ports.remote, queued: 4, timer: 1, retransmissions: 7 })) },
    });
    let port = 0;
    port = await network.serve((socket) => greet(socket, () => (ports = { local: socket.remotePort ?? 0, remote: port })));
    const guest = network.connect(port);
    guest.write('Hello?');
    return { network, guest, port };
  }

  it('ends the guest’s connection though bytes came that crossed what was written: they acknowledge nothing of it', async () => {
    const { network, guest } = await fallsSilent((socket, fall) => {
      socket.on('data', () => socket.write('What I had to say anyway.', fall));
    });
    try {
      await until(() => guest.received > 0, 'the bytes');
      await until(() => guest.socket.state === 'CLOSED', 'the end');
      assert.equal(network.counters.tcpSilent, 1);
    } finally {
      network.close();
    }
  });

  it('ends the guest’s connection though the table said that all was acknowledged, where something was written while it was read', async () => {
    let heard = '';
    let again: () => void = () => {};
    const reads: string[] = [];
    const network = await Network.open({
      config: { tcpSilenceMs: 100 },
      system: {
        async readTcpTable() {
          const { localPort = 0, remotePort = 0 } = ends;
          const text = table({ localPort, remote: '127.0.0.1', remotePort, ...(reads.length > 0 && { queued: 5, timer: 1, retransmissions: 7 }) });
          reads.push(text);
          if (reads.length === 1) {
            again();
            await until(() => heard === 'first second', 'the second words');
          }
          return text;
        },
      },
    });
    let ends: Row = {};
    try {
      const port = await network.serve((socket) => {
        ends = { localPort: socket.remotePort ?? 0, remotePort: socket.localPort ?? 0 };
        socket.on('data', (data) => (heard += data.toString()));
      });
      const guest = network.connect(port);
      again = () => guest.write('second');
      guest.write('first ');
      await until(() => guest.socket.state === 'CLOSED', 'the end');
      assert.ok(reads.length > 1);
    } finally {
      network.close();
    }
  });

  it('ends the guest’s connection, with a reason that is told once', async () => {
    const { network, guest, port } = await fallsSilent((socket, fall) => socket.on('data', fall));
    try {
      const { hostAddressInside } = network.gateway;
      await until(() => guest.socket.state === 'CLOSED', 'the end');
      assert.equal(guest.socket.error?.code, 'ECONNRESET');
      assert.deepEqual([network.counters.tcpSilent, network.gateway.openConnections], [1, 0]);
      const { localPort } = guest.socket;
      assert.equal(network.gateway.whyReset(localPort, hostAddressInside, port), 'ETIMEDOUT');
      assert.equal(network.gateway.whyReset(localPort, hostAddressInside, port), null);
    } finally {
      network.close();
    }
  });
});
