/** The project's own scripts: each passes, and fails with the mechanism off that it is about. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TcpConfig } from '../../stack/config';
import { formatOutcome, runScript } from './run-script';

const FOLDER = 'test/packetdrill/scripts';

/** Scripts by the setting without which they must fail. */
const MUTATIONS: readonly (readonly [script: string, mutation: Partial<TcpConfig>])[] = [
  ['ack/delayed.pkt', { delayedAckMs: 0 }],
  ['ack/quick-at-start.pkt', { quickAcks: 0 }],
  ['close/active.pkt', { mslMs: 1_000 }],
  ['congestion/fast-retransmit.pkt', { fastRetransmit: false }],
  ['congestion/limited-transmit.pkt', { limitedTransmit: false }],
  ['congestion/new-reno.pkt', { fastRetransmit: false }],
  ['congestion/slow-start.pkt', { initialWindowSegments: 4 }],
  ['defence/challenge-limit.pkt', { challengeAcksPerSecond: 1_000 }],
  ['handshake/passive-options.pkt', { windowScaling: false }],
  ['handshake/syn-gives-up.pkt', { connectTimeoutMs: 127_000 }],
  ['handshake/syn-back-off.pkt', { initialRtoMs: 3_000 }],
  ['nagle/minshall.pkt', { nagle: false }],
  ['nagle/small-writes.pkt', { nagle: false }],
  ['retransmission/rto-back-off.pkt', { minRtoMs: 1_000 }],
  ['window/scaled-both-ways.pkt', { windowScaling: false }],
];

function run(name: string, mutation?: Partial<TcpConfig>): string {
  return formatOutcome(runScript(readFileSync(join(FOLDER, name), 'utf8'), name, mutation ? { mutation } : {}));
}

describe('packetdrill: the scripts', () => {
  const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt')).map((name) => name.replaceAll('\\', '/')).sort();

  for (const name of names) {
    it(`${name} passes`, () => assert.equal(run(name), `PASS ${name}`));
  }

  it('cite what they follow', () => {
    for (const name of names) assert.match(readFileSync(join(FOLDER, name), 'utf8'), /RFC \d+/, name);
  });

  for (const [name, mutation] of MUTATIONS) {
    it(`${name} fails with ${JSON.stringify(mutation)}`, () => assert.match(run(name, mutation), /^FAIL /));
  }
});
