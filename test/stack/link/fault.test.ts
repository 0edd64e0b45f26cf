import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import { createCable } from '../../../stack/link/cable';
import type { Device } from '../../../stack/link/device';
import { addFaults, type FaultOptions, type FaultyDevice } from '../../../stack/link/fault';
import { SeededRandom } from '../../../stack/random';

interface Arrived {
  readonly atMs: number;
  readonly id: number;
}

class Link {
  readonly clock = new VirtualClock();
  readonly device: FaultyDevice;
  readonly arrived: Arrived[] = [];
  private readonly far: Device;

  constructor(options: Omit<FaultOptions, 'clock' | 'random'>, seed = 1) {
    const [near, far] = createCable({ mtu: 1500 });
    this.far = far;
    this.device = addFaults(near, { ...options, clock: this.clock, random: new SeededRandom(seed) });
    far.onFrame = () => this.clock.soon(() => this.take());
  }

  /** Sends an IPv4 frame that carries `id`, of `length` bytes. */
  send(id: number, length = 60): void {
    const frame = new Uint8Array(length);
    frame[12] = 8;
    frame[14] = id >>> 8;
    frame[15] = id & 255;
    this.device.send(frame, length);
    frame.fill(0xff);
  }

  ids(): number[] {
    return this.arrived.map(({ id }) => id);
  }

  private take(): void {
    this.far.receive(1_000, (frame) => this.arrived.push({ atMs: this.clock.now(), id: ((frame[14] ?? 0) << 8) | (frame[15] ?? 0) }));
  }
}

describe('Fault link', () => {
  it('passes everything at once and in order when it has no faults', () => {
    const link = new Link({});
    for (let id = 0; id < 10; id++) link.send(id);
    link.clock.advance(0);
    assert.deepEqual(link.ids(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('loses about the share that is asked for, and counts it', () => {
    const link = new Link({ loss: 0.2 });
    for (let id = 0; id < 1_000; id++) link.send(id);
    link.clock.advance(0);
    assert.ok(link.device.faults.lost > 150 && link.device.faults.lost < 250, `${link.device.faults.lost}`);
    assert.equal(link.arrived.length, 1_000 - link.device.faults.lost);
  });

  it('repeats a run with the same seed, and no other', () => {
    const run = (seed: number): number[] => {
      const link = new Link({ loss: 0.3, reorder: 0.3, duplicate: 0.3, delayMs: 1, jitterMs: 5 }, seed);
      for (let id = 0; id < 100; id++) link.send(id);
      link.clock.advance(1_000);
      return link.ids();
    };
    assert.deepEqual(run(1), run(1));
    assert.notDeepEqual(run(1), run(2));
  });

  it('delays each frame by the same time, in order', () => {
    const link = new Link({ delayMs: 30 });
    link.send(1);
    link.clock.advance(10);
    link.send(2);
    link.clock.advance(100);
    assert.deepEqual(link.arrived, [{ id: 1, atMs: 30 }, { id: 2, atMs: 40 }]);
  });

  it('holds frames back so that later ones overtake them, and loses none', () => {
    const link = new Link({ reorder: 0.2, reorderMs: 10 });
    for (let id = 0; id < 100; id++) {
      link.send(id);
      link.clock.advance(1);
    }
    link.clock.advance(20);
    const { reordered } = link.device.faults;
    assert.ok(reordered > 5);
    assert.equal(link.arrived.filter(({ id, atMs }) => atMs === id + 10).length, reordered);
    assert.deepEqual(link.ids().sort((a, b) => a - b), [...Array(100).keys()]);
    assert.notDeepEqual(link.ids(), [...Array(100).keys()]);
  });

  it('sends frames twice', () => {
    const link = new Link({ duplicate: 1 });
    link.send(1);
    link.send(2);
    link.clock.advance(0);
    assert.deepEqual(link.ids(), [1, 1, 2, 2]);
    assert.equal(link.device.faults.duplicated, 2);
  });

  it('flips one bit of a packet behind the Ethernet header, and spares ARP', () => {
    const [near, far] = createCable({ mtu: 1500 });
    const device = addFaults(near, { corrupt: 1, clock: new VirtualClock(), random: new SeededRandom(1) });
    const bitsOf = (type: readonly [number, number]): { readonly header: number; readonly rest: number } => {
      const frame = new Uint8Array(60);
      frame.set(type, 12);
      device.send(frame, 60);
      assert.equal(frame.reduce((sum, byte) => sum + byte, 0), type[0] + type[1], 'the sender’s buffer stays as it is');
      let header = 0;
      let rest = 0;
      far.receive(1, (got) => got.forEach((byte, i) => {
        const bits = (byte ^ (frame[i] ?? 0)).toString(2).replaceAll('0', '').length;
        if (i < 14) header += bits;
        else rest += bits;
      }));
      return { header, rest };
    };
    for (let i = 0; i < 100; i++) assert.deepEqual(bitsOf([8, 0]), { header: 0, rest: 1 });
    assert.deepEqual(bitsOf([8, 6]), { header: 0, rest: 0 });
  });

  it('is a bottleneck of a rate with a queue: frames leave one after another, and what does not fit is lost', () => {
    // 1 000 bytes take 1 ms; three fit the queue beside none that is being sent.
    const link = new Link({ rate: { bitsPerSecond: 8_000_000, queueBytes: 3_000 }, delayMs: 5 });
    for (let id = 0; id < 5; id++) link.send(id, 1_000);
    link.clock.advance(1);
    link.send(5, 1_000);
    link.clock.advance(100);
    assert.deepEqual(link.arrived, [{ id: 0, atMs: 6 }, { id: 1, atMs: 7 }, { id: 2, atMs: 8 }, { id: 5, atMs: 9 }]);
    assert.equal(link.device.faults.overflowed, 2);
  });

  it('loses exactly the frames it is told to', () => {
    const link = new Link({ drop: (_, index) => index === 1 });
    for (let id = 0; id < 3; id++) link.send(id);
    link.clock.advance(0);
    assert.deepEqual(link.ids(), [0, 2]);
  });

  it('holds bounded memory', () => {
    const link = new Link({ delayMs: 1_000, maxHeldBytes: 600 });
    for (let id = 0; id < 100; id++) link.send(id);
    link.clock.advance(2_000);
    assert.equal(link.arrived.length, 10);
    assert.equal(link.device.faults.overflowed, 90);
  });

  it('delivers nothing after close', () => {
    const link = new Link({ delayMs: 10 });
    link.send(1);
    link.device.close();
    link.clock.advance(100);
    assert.deepEqual(link.arrived, []);
    assert.equal(link.clock.nextAt(), Infinity);
  });

  it('refuses shares and times out of range', () => {
    assert.throws(() => new Link({ loss: 1.5 }), /loss is 1\.5: it is a share, 0 to 1/);
    assert.throws(() => new Link({ delayMs: -1 }), /delayMs is -1/);
  });
});
