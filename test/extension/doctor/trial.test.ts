import assert from 'node:assert/strict';
import { HostTrial, type HostTrialOptions } from '../../../extension/doctor/host-trial';
import type { Check } from '../../../extension/network-report';
import { runSteps, type Step } from '../../../extension/doctor/step-runner';
import { trialSteps } from '../../../extension/doctor/trial-steps';
import { WireLog } from '../../../extension/doctor/wire-log';
import { createCable, CryptoRandom, parseIpv4, runStack, Stack, tapDevice, VirtualClock, type PcapDevice, type PcapResult } from '../../../stack';

const ip = (text: string): number => parseIpv4(text) ?? assert.fail(text);
const OUR_MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);
const PEER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);

/** Lets promises run between the steps of the clock. */
async function drive<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false;
  void work.then(() => (done = true), () => (done = true));
  for (let i = 0; i < 100_000 && !done; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (clock.nextAt() < Infinity) clock.runUntil(clock.nextAt());
  }
  return work;
}

describe('steps one after the other', () => {
  const step = (id: Step['id'], run: Step['run'], needs: Step['needs'] = []): Step => ({
    id, title: id, limitMs: 1_000, needs, run, timedOut: () => ({ status: 'failed', summary: 'too late', next: ['wait'] }),
  });

  async function run(steps: readonly Step[], signal = new AbortController().signal): Promise<{ checks: Check[]; told: Check[] }> {
    const clock = new VirtualClock();
    const lines = ['left over'];
    const told: Check[] = [];
    const checks = await drive(clock, runSteps(steps, { clock, signal, takeDetails: () => lines.splice(0), onCheck: (check) => void told.push(check) }));
    return { checks, told };
  }

  it('are told as they come, and what builds on a failure is skipped, and what builds on that', async () => {
    const { checks, told } = await run([
      step('capture', () => Promise.resolve({ status: 'ok', summary: 'fine' })),
      step('dhcp', () => Promise.resolve({ status: 'failed', summary: 'no answer', commands: ['mend'] }), ['capture']),
      step('router', () => assert.fail('not to be run'), ['dhcp']),
      step('dns', () => assert.fail('not to be run'), ['router']),
      step('connection', () => Promise.resolve({ status: 'warning', summary: 'refused' }), ['capture']),
    ]);
    assert.deepEqual(checks.map(({ id, status }) => `${id} ${status}`), ['capture ok', 'dhcp failed', 'router skipped', 'dns skipped', 'connection warning']);
    assert.deepEqual(checks[1], { id: 'dhcp', title: 'dhcp', status: 'failed', summary: 'no answer', details: [], next: [], commands: ['mend'], ms: 0 });
    assert.equal(checks[2]?.summary, "not tried: 'dhcp' comes first");
    assert.deepEqual(told, checks);
  });

  it('have each its time, after which it is told to end', async () => {
    let aborted = false;
    const { checks } = await run([step('dns', (limit) => new Promise(() => limit.addEventListener('abort', () => (aborted = true))))]);
    assert.deepEqual(checks.map(({ status, summary, next, ms }) => [status, summary, next, ms]), [['failed', 'too late', ['wait'], 1_000]]);
    assert.equal(aborted, true);
  });

  it('that throw are told as errors of ours, and the next goes on', async () => {
    const { checks } = await run([step('dns', () => Promise.reject(new Error('boom'))), step('connection', () => Promise.resolve({ status: 'ok', summary: '' }))]);
    assert.match(checks[0]?.summary ?? '', /an error of Riftnet itself: boom/);
    assert.equal(checks[1]?.status, 'ok');
  });

  it('end when they are given up', async () => {
    const stop = new AbortController();
    const { checks } = await run([
      step('capture', () => {
        setImmediate(() => stop.abort());
        return new Promise(() => undefined);
      }),
      step('dhcp', () => assert.fail('not to be run')),
    ], stop.signal);
    assert.deepEqual(checks.map(({ status, summary }) => [status, summary]), [['skipped', 'stopped'], ['skipped', 'not tried: the check was stopped']]);
  });
});

describe('the trial on an interface', () => {
  /** A cable with a router on its other end, that listens on port 80. */
  function network(router: { readonly answers: boolean; readonly listens: boolean }) {
    const clock = new VirtualClock();
    const [ours, theirs] = createCable({ mtu: 1_500, macs: [OUR_MAC, PEER_MAC] });
    const peer = new Stack({ device: theirs, random: new CryptoRandom(), address: { mode: 'static', address: ip(router.answers ? '10.0.0.1' : '10.0.0.9'), prefixLength: 24 } });
    const running = runStack(peer, clock);
    if (router.listens) {
      peer.tcp.listen({ port: 80 }).onAccept = (socket) => {
        socket.onChange = () => {
          if (socket.readableBytes === 0) return;
          socket.write(new TextEncoder().encode('HTTP/1.1 204 No Content\r\n\r\n'));
          socket.close();
        };
      };
    }
    const device = Object.assign(tapDevice(ours, () => undefined), { interfaceName: 'test0', binding: 'cap', isUp: true }) as unknown as PcapDevice;
    return { clock, open: (): PcapResult => ({ device, warnings: [], failures: [] }), close: () => running.stop() };
  }

  async function tryIt(options: Pick<HostTrialOptions, 'open'> & Partial<Pick<HostTrialOptions, 'address'>> & { clock: VirtualClock }, target = { host: '10.0.0.1', port: 80 }): Promise<Check[]> {
    const { clock, open } = options;
    const trial = new HostTrial({
      clock, open, mac: OUR_MAC, dhcpTimeoutMs: 1_000,
      address: options.address ?? { mode: 'static', address: ip('10.0.0.2'), prefixLength: 24, gateway: ip('10.0.0.1') },
    });
    const steps = trialSteps(trial, { name: 'test0', wireless: false, mac: OUR_MAC, remembered: null }, { target, byRouter: null, fixes: { shared: 'fix shared', router: 'fix router' } });
    const signal = new AbortController().signal;
    const checks = await drive(clock, runSteps(steps, { clock, signal, takeDetails: () => trial.log.take(), onCheck: () => undefined }));
    trial.close();
    return checks;
  }

  it('goes through all its steps, and tells the router\'s MAC address and the server\'s answer', async () => {
    const net = network({ answers: true, listens: true });
    const checks = await tryIt(net);
    net.close();
    assert.deepEqual(checks.map(({ id, status }) => `${id} ${status}`), ['capture ok', 'address ok', 'router ok', 'connection ok'], JSON.stringify(checks, null, 1));
    assert.equal(checks[2]?.summary, '10.0.0.1 is at 02:00:00:00:00:01');
    assert.match(checks[3]?.summary ?? '', /it answers HTTP\/1\.1 204 No Content$/);
    // RFC 5227 §2.1.1.
    assert.ok((checks[1]?.ms ?? 0) >= 4_000 && (checks[1]?.ms ?? 0) <= 7_000, `${checks[1]?.ms} ms`);
  });

  it('tells a refusal, for which the network works', async () => {
    const net = network({ answers: true, listens: false });
    const checks = await tryIt(net);
    net.close();
    assert.deepEqual(checks.map(({ id, status }) => `${id} ${status}`), ['capture ok', 'address ok', 'router ok', 'connection warning']);
    assert.ok(checks[3]?.details.some((line) => /^seen TCP 10\.0\.0\.1:80 .* RST-ACK$/.test(line)), checks[3]?.details.join('\n'));
  });

  it('tells a router that is silent after five seconds', async () => {
    const net = network({ answers: false, listens: false });
    const checks = await tryIt(net);
    net.close();
    assert.deepEqual(checks.map(({ id, status }) => `${id} ${status}`), ['capture ok', 'address ok', 'router failed', 'connection failed']);
    assert.equal(checks[2]?.ms, 5_000);
    assert.equal(checks[2]?.details.filter((line) => line === 'sent ARP: who has 10.0.0.1? tell 10.0.0.2').length, 3);
  });

  it('says why the stack cannot have the address, and tries nothing without it', async () => {
    const net = network({ answers: true, listens: true });
    for (const [address, expected] of [
      [{ mode: 'shared', obstacle: 'test0 has no IPv4 address' }, /^test0 has no IPv4 address$/],
      [{ mode: 'static', address: ip('10.0.0.255'), prefixLength: 24 }, /10\.0\.0\.255\/24 is not one that a host on a link can have/],
    ] as const) {
      const checks = await tryIt({ ...net, address });
      assert.deepEqual(checks.map(({ status }) => status), ['ok', 'failed', ...checks.slice(2).map(() => 'skipped')], JSON.stringify(checks));
      assert.match(checks[1]?.summary ?? '', expected);
      assert.ok((checks[1]?.next.length ?? 0) > 0);
    }
    net.close();
  });

  it('says why the interface could not be opened, each reason once, and tries nothing over it', async () => {
    const failures = (['cap', 'libpcap'] as const).map((binding) => ({ binding, reason: `${binding} says no` }));
    const checks = await tryIt({ clock: new VirtualClock(), open: () => ({ device: null, failures }) });
    assert.deepEqual(checks.map(({ id, status }) => `${id} ${status}`), ['capture failed', 'address skipped', 'router skipped', 'connection skipped']);
    assert.equal(checks[0]?.summary, 'cap: cap says no; libpcap: libpcap says no');
  });
});

describe('what was sent and seen', () => {
  it('leaves out what is between others, and is bounded', () => {
    const log = new WireLog();
    const arp = (target: Uint8Array, to: Uint8Array): Uint8Array => Uint8Array.from([...to, ...PEER_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, ...PEER_MAC, 10, 0, 0, 1, ...target, 10, 0, 0, 2]);
    const everybody = new Uint8Array(6).fill(255);
    log.add(arp(new Uint8Array(6), everybody), 'seen', OUR_MAC);
    assert.deepEqual(log.take(), []);
    log.add(arp(OUR_MAC, everybody), 'seen', OUR_MAC);
    log.add(arp(new Uint8Array(6), OUR_MAC), 'seen', OUR_MAC);
    assert.deepEqual(log.take(), ['seen ARP: 10.0.0.1 is at 02:00:00:00:00:01', 'seen ARP: 10.0.0.1 is at 02:00:00:00:00:01']);
    // Who asks for our address, and what a router sends back past us, is about us once the address is ours.
    const asked = Uint8Array.from([...everybody, ...PEER_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...PEER_MAC, 10, 0, 0, 1, ...new Uint8Array(6), 10, 0, 0, 2]);
    log.add(asked, 'seen', OUR_MAC);
    assert.deepEqual(log.take(), []);
    log.own = ip('10.0.0.2');
    log.add(asked, 'seen', OUR_MAC);
    assert.deepEqual(log.take(), ['seen ARP: who has 10.0.0.2? tell 10.0.0.1']);
    // The refusal of what made the router known would stand under the next step.
    const refusal = (port: number): Uint8Array => {
      const quoted = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1, 0xc0, 0, 0, port, 0, 8, 0, 0];
      return Uint8Array.from([...OUR_MAC, ...PEER_MAC, 8, 0, 0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0x66, 0xc3, 10, 0, 0, 1, 10, 0, 0, 2, 3, 3, 0, 0, 0, 0, 0, 0, ...quoted]);
    };
    log.add(refusal(9), 'seen', OUR_MAC);
    log.add(refusal(53), 'seen', OUR_MAC);
    assert.deepEqual(log.take().map((line) => line.slice(0, 23)), ['seen ICMP from 10.0.0.1']);
    for (let i = 0; i < 20; i++) log.add(arp(OUR_MAC, OUR_MAC), 'seen', OUR_MAC);
    assert.deepEqual([log.take().length, log.take().length], [17, 0]);
  });
});
