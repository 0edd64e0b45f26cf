import assert from 'node:assert/strict';
import { VirtualClock } from '../../stack/clock';
import { createCable } from '../../stack/link/cable';
import { SeededRandom } from '../../stack/random';
import { runStack } from '../../stack/run-stack';
import { Stack } from '../../stack/stack';
import { ip } from '../support/two-stacks';

/** A stack whose polls are counted, alone on a cable. */
function make() {
  const clock = new VirtualClock();
  const [device, peer] = createCable({ mtu: 1500 });
  const stack = new Stack({ device, random: new SeededRandom(1), address: { mode: 'static', address: ip('10.0.0.1'), prefixLength: 24 } });
  const polls: number[] = [];
  const poll = stack.poll.bind(stack);
  stack.poll = (now) => {
    polls.push(now);
    return poll(now);
  };
  return { clock, peer, stack, polls, runner: runStack(stack, clock) };
}

describe('runStack', () => {
  it('polls once at first and then not until something happens', () => {
    const { clock, polls } = make();
    clock.advance(3_600_000);
    assert.deepEqual(polls, [0]);
    assert.equal(clock.nextAt(), Infinity);
  });

  it('polls once for any number of frames and calls', () => {
    const { clock, peer, stack, polls } = make();
    clock.advance(100);
    for (let i = 0; i < 10; i++) peer.send(new Uint8Array(60), 60);
    const socket = stack.udp.bind();
    for (let i = 0; i < 10; i++) socket.send(ip('10.0.0.255'), 9, Uint8Array.of(1));
    clock.advance(0);
    assert.deepEqual(polls, [0, 100]);
    assert.equal(stack.counters.ethernet.rxNotForUs, 10);
  });

  it('polls when a timer of the stack is due, with one timer armed', () => {
    const { clock, stack, polls } = make();
    clock.advance(10);
    stack.udp.bind().send(ip('10.0.0.9'), 9, Uint8Array.of(1));
    clock.advance(60_000);
    assert.deepEqual(polls, [0, 10, 1_010, 2_010, 3_010], 'three ARP requests, a second apart, and giving up');
    assert.equal(clock.nextAt(), Infinity);
  });

  it('polls again at once while a batch was not enough, letting others run between', () => {
    const { clock, peer, stack, polls } = make();
    clock.advance(1);
    for (let i = 0; i < 600; i++) peer.send(new Uint8Array(60), 60);
    let pollsBefore = 0;
    clock.soon(() => (pollsBefore = polls.length));
    clock.advance(0);
    assert.equal(pollsBefore, 2);
    assert.deepEqual(polls, [0, 1, 1, 1]);
    assert.equal(stack.counters.ethernet.rxNotForUs, 600);
  });

  it('stops', () => {
    const { clock, peer, runner, polls, stack } = make();
    runner.stop();
    runner.stop();
    peer.send(new Uint8Array(60), 60);
    clock.advance(1_000);
    assert.deepEqual(polls, []);
    assert.equal(stack.onWork, null);
  });
});
