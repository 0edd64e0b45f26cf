import assert from 'node:assert/strict';
import { VirtualClock } from '../../stack/clock';
import { createCable } from '../../stack/link/cable';
import { SeededRandom } from '../../stack/random';
import { runStack } from '../../stack/run-stack';
import { Stack } from '../../stack/stack';
import { ip, transfer, twoStacks } from '../support/two-stacks';

describe('Two stacks on a cable', function () {
  this.timeout(120_000);

  it('transfer bytes exactly, and close both ways', () => {
    const data = new SeededRandom(3).bytes(3_000_000);
    const net = twoStacks();
    assert.deepEqual(transfer(net, data, 60_000), data);
    assert.equal(net.a.counters.tcp.txRetransmissions, 0);
    assert.equal(net.a.counters.arp.txRequests, 1, 'one ARP request resolves the neighbour');
  });

  for (const mtu of [68, 576, 9_000, 65_535]) {
    it(`transfer at MTU ${mtu}`, () => {
      const data = new SeededRandom(mtu).bytes(200_000);
      assert.deepEqual(transfer(twoStacks({ mtu }), data, 600_000), data);
    });
  }

  it('transfer exactly through loss, reordering and duplication, over 200 seeds', () => {
    const faults = { loss: 0.05, reorder: 0.05, duplicate: 0.02, delayMs: 5 };
    for (let seed = 1; seed <= 200; seed++) {
      const data = new SeededRandom(seed).bytes(100_000);
      const received = transfer(twoStacks({ seed, faults }), data, 600_000);
      assert.ok(received, `seed ${seed}: stalled`);
      assert.ok(Buffer.from(received).equals(data), `seed ${seed}: other bytes arrived`);
    }
  });

  it('transfer exactly through corruption: every damaged packet is caught', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const data = new SeededRandom(seed).bytes(100_000);
      const net = twoStacks({ seed, faults: { corrupt: 0.02, delayMs: 1 } });
      const received = transfer(net, data, 600_000);
      assert.ok(received && Buffer.from(received).equals(data), `seed ${seed}`);
    }
  });

  it('leave nothing to do when nothing is open', () => {
    const net = twoStacks();
    assert.ok(transfer(net, new Uint8Array(1_000), 60_000));
    net.clock.advance(600_000);
    assert.equal(net.clock.nextAt(), Infinity);
    assert.equal([...net.a.tcp.sockets].length, 0);
  });
});

describe('Stack', () => {
  it('tells TCP and UDP of a neighbour that does not answer (RFC 1122 §2.3.2.2)', () => {
    const { clock, a } = twoStacks();
    const socket = a.tcp.connect({ address: ip('10.0.0.9'), port: 80 }, clock.now());
    const udp = a.udp.bind();
    udp.send(ip('10.0.0.9'), 53, Uint8Array.of(1));
    let udpError = '';
    udp.onChange = () => (udpError = udp.takeError()?.error.code ?? '');
    assert.ok(clock.runWhile(() => socket.state === 'CLOSED', 10_000));
    assert.equal(socket.error?.code, 'EHOSTUNREACH');
    assert.equal(udpError, 'EHOSTUNREACH');
    assert.equal(a.counters.arp.txRequests, 3);
    assert.equal(a.counters.arp.failed, 1);
  });

  it('tells a connection of a closed port at once', () => {
    const { clock, a } = twoStacks();
    const socket = a.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, clock.now());
    assert.ok(clock.runWhile(() => socket.state === 'CLOSED', 1_000));
    assert.equal(socket.error?.code, 'ECONNREFUSED');
  });

  it('answers a datagram for a closed port with ICMP, and the sender hears it', () => {
    const { clock, a, b } = twoStacks();
    const udp = a.udp.bind();
    let code = '';
    udp.onChange = () => (code = udp.takeError()?.error.code ?? '');
    udp.send(ip('10.0.0.2'), 9, Uint8Array.of(1, 2, 3));
    clock.advance(10);
    assert.equal(code, 'ECONNREFUSED');
    assert.equal(b.counters.icmp.txErrors, 1);
    assert.equal(a.counters.icmp.rxErrors, 1);
  });

  it('sends datagrams over the MTU in fragments and puts them together', () => {
    const { clock, a, b } = twoStacks();
    const data = new SeededRandom(5).bytes(10_000);
    const inbox = b.udp.bind({ port: 7 });
    assert.equal(a.udp.bind().send(ip('10.0.0.2'), 7, data), 'sent');
    clock.advance(10);
    assert.deepEqual(inbox.receive()?.data, data);
    assert.equal(a.counters.ipv4.txFragments, 7);
    assert.equal(b.counters.ipv4.reassembled, 1);
  });

  it('sends from 0.0.0.0 to everybody without an address, and takes answers on port 68 only (RFC 2131 §4.1)', () => {
    const clock = new VirtualClock();
    const [left, right] = createCable({ mtu: 1500 });
    const client = new Stack({ device: left, random: new SeededRandom(1), address: { mode: 'dhcp' } });
    const server = new Stack({ device: right, random: new SeededRandom(2), address: { mode: 'static', address: ip('10.0.0.2'), prefixLength: 24 } });
    runStack(client, clock);
    runStack(server, clock);
    const inbox = server.udp.bind({ port: 67 });
    clock.advance(1);
    const discover = inbox.receive();
    assert.equal(discover?.source, 0);
    assert.equal(discover?.destination, 0xffff_ffff);
    assert.equal(client.addressInfo, null);
    inbox.send(0xffff_ffff, 69, Uint8Array.of(1));
    clock.advance(1);
    assert.equal(client.counters.ipv4.rxNotForUs, 1);
    inbox.send(0xffff_ffff, 68, Uint8Array.of(1));
    clock.advance(1);
    assert.equal(client.counters.ipv4.rxNotForUs, 1);
    assert.equal(client.counters.udp.rxDatagrams, 1);
  });

  it('as a router, takes connections for any address and answers from it', () => {
    const clock = new VirtualClock();
    const [left, right] = createCable({ mtu: 1500 });
    const host = new Stack({ device: left, random: new SeededRandom(1), address: { mode: 'static', address: ip('10.0.0.1'), prefixLength: 24, gateway: ip('10.0.0.2') } });
    const router = new Stack({ device: right, random: new SeededRandom(2), address: { mode: 'static', address: ip('10.0.0.2'), prefixLength: 24 }, acceptAnyDestination: true });
    runStack(host, clock);
    runStack(router, clock);
    const listener = router.tcp.listen({ port: 'any' });
    const socket = host.tcp.connect({ address: ip('93.184.216.34'), port: 443 }, clock.now());
    assert.ok(clock.runWhile(() => socket.isOpen, 1_000));
    clock.advance(1);
    const accepted = listener.accept();
    assert.equal(accepted?.localAddress, ip('93.184.216.34'));
    assert.equal(accepted?.localPort, 443);
  });

  it('has no way to its own address or to 127.0.0.0/8', () => {
    const { clock, a } = twoStacks();
    for (const address of ['10.0.0.1', '127.0.0.1']) {
      assert.throws(() => a.tcp.connect({ address: ip(address), port: 80 }, clock.now()), { code: 'ENETUNREACH' });
    }
  });

  it('takes at most a batch of frames in one poll, and says that more wait', () => {
    const clock = new VirtualClock();
    const [left, right] = createCable({ mtu: 1500 });
    const stack = new Stack({ device: right, random: new SeededRandom(2), config: { ipv4: { rxBatch: 10 } }, address: { mode: 'static', address: ip('10.0.0.2'), prefixLength: 24 } });
    const frame = new Uint8Array(60).fill(0xff);
    for (let i = 0; i < 25; i++) left.send(frame, frame.length);
    assert.equal(stack.poll(clock.now()), true);
    assert.equal(stack.counters.ethernet.rxUnknownType, 10);
    assert.equal(stack.poll(clock.now()), true);
    assert.equal(stack.poll(clock.now()), false);
    assert.equal(stack.counters.ethernet.rxUnknownType, 25);
  });

  it('resets its connections when closed, also from within a callback', () => {
    const { clock, a, b } = twoStacks();
    let ended: string | undefined;
    b.tcp.listen({ port: 80 }).onAccept = (accepted) => {
      accepted.onChange = () => (ended = accepted.error?.code);
      accepted.write(Uint8Array.of(1));
    };
    const socket = a.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, clock.now());
    socket.onChange = () => {
      if (socket.readableBytes > 0) a.close(clock.now());
    };
    clock.advance(100);
    assert.equal(socket.state, 'CLOSED');
    assert.equal(ended, 'ECONNRESET');
    assert.equal(a.poll(clock.now()), false);
    assert.equal(a.pollAt(), Infinity);
  });

  it('tells its connections\' users why it was closed, where somebody else closed it', () => {
    const { clock, a, b } = twoStacks();
    b.tcp.listen({ port: 80 });
    const [open, opening] = [a.tcp.connect({ address: ip('10.0.0.2'), port: 80 }, clock.now()), a.tcp.connect({ address: ip('10.0.0.9'), port: 80 }, clock.now())];
    const told: string[] = [];
    for (const socket of [open, opening]) socket.onChange = () => told.push(`${socket.state} ${socket.error?.code} ${socket.error?.message}`);
    clock.advance(100);
    assert.equal(open.state, 'ESTABLISHED');
    told.length = 0;
    a.close(clock.now(), 'another link is used');
    assert.deepEqual(told, ['CLOSED ENETDOWN another link is used', 'CLOSED ENETDOWN another link is used']);
  });

  it('refuses settings and addresses out of range, by name', () => {
    const [device] = createCable({ mtu: 1500 });
    const make = (config: object, prefixLength = 24, address = ip('10.0.0.1')) => () =>
      new Stack({ device, random: new SeededRandom(1), config, address: { mode: 'static', address, prefixLength } });
    assert.throws(make({ ipv4: { ttl: 0 } }), /ipv4\.ttl is 0: it must be a number from 1 to 255/);
    assert.throws(make({ tcp: { nagle: 1 } }), /tcp\.nagle is 1: it must be true or false/);
    assert.throws(make({ tcp: { nagel: true } }), /tcp\.nagel is no setting/);
    assert.throws(make({ tcp: { ephemeralFirst: 60_000, ephemeralLast: 50_000 } }), /ephemeralFirst is 60000/);
    assert.throws(make({}, 33), /prefix length of 33/);
    assert.throws(make({}, 24, ip('127.0.0.1')), /address 127\.0\.0\.1\/24/);
    assert.throws(make({}, 24, ip('10.0.0.255')), /address 10\.0\.0\.255\/24/);
  });
});
