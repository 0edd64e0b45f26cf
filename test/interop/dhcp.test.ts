/** Addresses from real DHCP servers, and RFC 5227 against kernels that hold them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startDnsmasq, startUdhcpd, type DhcpPool } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { Guest } from './support/guest';
import type { Programs } from './support/programs';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const PORT = 7_000;
const POOL: DhcpPool = { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router };
const one = (address: string): DhcpPool => ({ ...POOL, first: address, last: address });

describe('An address by DHCP', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan((made) => ({ lan, programs, folder } = made), { offloads: false });

  type Options = Omit<Parameters<Programs['guest']>[1], 'binding'>;
  const guest = (options: Options = {}): Promise<Guest> => programs.guest(lan.host, { binding: 'auto', ...options });

  async function addressOf(from: Guest, after = 0): Promise<string> {
    const { address } = await from.until('an address', (message) => typeof message.address === 'string', after);
    return address ?? '';
  }

  const dhcpCounters = async (from: Guest): Promise<Record<string, number>> => (await from.counters()).stack['dhcp'] ?? {};

  /** Polls the guest's counters until they fit: what it waits for is told by no message. */
  async function untilCounters(from: Guest, what: string, fits: (counters: Record<string, number>) => boolean): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const counters = await dhcpCounters(from);
      if (fits(counters)) return;
      assert.ok(performance.now() < deadline, `waited for ${what}: ${JSON.stringify(counters)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function echo(from: Guest, bytes = 1 << 20): Promise<void> {
    const { received, intact, error } = await from.perform({ do: 'echo', address: WAN.server, port: PORT, bytes });
    assert.deepEqual({ received, intact, error }, { received: bytes, intact: true, error: undefined });
  }

  it('comes from dnsmasq with router and name server, and leads to a server beyond the router', async () => {
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL, options: [`address=/web.test/${WAN.server}`] });
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
    const ours = await guest({ conflictDetection: true });
    assert.match(await addressOf(ours), /^10\.77\.0\.5\d$/);
    const { addresses } = await ours.perform({ do: 'resolve', name: 'web.test' });
    assert.deepEqual(addresses, [WAN.server]);
    await echo(ours);
  });

  it('is renewed before it ends, with connections unharmed (RFC 2131 §4.4.5)', async () => {
    await startUdhcpd(programs, lan.router, folder.path, { ...POOL, leaseSeconds: 4 });
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
    const ours = await guest();
    const address = await addressOf(ours);
    const transfer = ours.perform({ do: 'connect-and-hold', address: WAN.server, port: PORT, ms: 9_000 });
    await untilCounters(ours, 'three leases', ({ leases = 0 }) => leases >= 4);
    assert.deepEqual(await transfer, { alive: true });
    assert.deepEqual(ours.messages.filter((message) => message.address !== undefined).map((message) => message.address), [address]);
    const { txDiscovers, rxNaks, expired } = await dhcpCounters(ours);
    assert.deepEqual({ txDiscovers, rxNaks, expired }, { txDiscovers: 1, rxNaks: 0, expired: 0 });
  });

  it('is lost with its connections when no server renews it, and comes again with a server', async () => {
    const server = await startUdhcpd(programs, lan.router, folder.path, { ...POOL, leaseSeconds: 4 });
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
    const ours = await guest({ config: { dhcp: { initialTimeoutMs: 500 } } });
    await addressOf(ours);
    const held = ours.perform({ do: 'connect-and-hold', address: WAN.server, port: PORT, ms: 60_000 });
    await server.stop('SIGKILL');
    const after = ours.messages.length;
    const { event } = await ours.until('the address to be lost', (message) => message.event?.type === 'address-lost', after);
    assert.match(event?.reason ?? '', /the DHCP lease of 10\.77\.0\.5\d ended: no server renewed it/);
    const { error, message } = await held;
    assert.equal(error, 'ENETDOWN');
    assert.match(String(message), /lease/);

    await startUdhcpd(programs, lan.router, folder.path, POOL);
    await addressOf(ours, after);
    await echo(ours);
  });

  it('of another network, remembered from the last run, is refused by the server and replaced at once (RFC 2131 §3.2)', async () => {
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL });
    const leaseFile = path.join(folder.path, 'lease.json');
    fs.writeFileSync(leaseFile, JSON.stringify({ address: 0x0a63_0005, server: 0x0a63_0001 }));
    const ours = await guest({ leaseFile });
    const address = await addressOf(ours);
    assert.match(address, /^10\.77\.0\.5\d$/);
    const { rxNaks, txDiscovers } = await dhcpCounters(ours);
    assert.deepEqual({ rxNaks, txDiscovers }, { rxNaks: 1, txDiscovers: 1 });

    // Kept, and asked for alone, in the next run.
    assert.equal(await ours.stop(), 0);
    const again = await guest({ leaseFile });
    assert.equal(await addressOf(again), address);
    assert.equal((await dhcpCounters(again))['txDiscovers'], 0);
  });

  it('is given back when the stack ends: the server lends it to the next at once', async () => {
    await startUdhcpd(programs, lan.router, folder.path, one('10.77.0.50'));
    const first = await guest();
    assert.equal(await addressOf(first), '10.77.0.50');
    assert.equal(await first.stop(), 0);
    const second = await guest({ mac: '02524e000008' });
    assert.equal(await addressOf(second), '10.77.0.50');
  });

  for (const server of ['dnsmasq', 'udhcpd'] as const) {
    for (const hostForwards of [false, true]) {
      it(`comes to two of ours at once from ${server}, on a computer that forwards ${hostForwards ? 'packets' : 'nothing'}; its kernel says nothing about them`, async () => {
        lan.host.run('sysctl', '-qw', `net.ipv4.ip_forward=${hostForwards ? 1 : 0}`);
        if (server === 'udhcpd') await startUdhcpd(programs, lan.router, folder.path, POOL);
        else await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL });
        await programs.peer(lan.server, 'echo-server', String(PORT)).line();
        const capture = await programs.capture(lan.router, 'lan', path.join(folder.path, 'lan.pcapng'));
        const both = await Promise.all([guest({ clientId: 'ff01' }), guest({ mac: '02524e000008', clientId: 'ff02' })]);
        const addresses = await Promise.all(both.map((ours) => addressOf(ours)));
        assert.notEqual(addresses[0], addresses[1]);
        await Promise.all(both.map((ours) => echo(ours)));
        await capture.stop();
        assert.deepEqual(await capture.frames(`icmp || (eth.src == ${lan.host.mac()} && ip)`), []);
      });
    }
  }

  it('with the computer\'s own MAC is told apart by the client identifier (RFC 2131 §4.2), where the server looks at it', async () => {
    await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL });
    await programs.peer(lan.server, 'echo-server', String(PORT)).line();
    const both = await Promise.all(['ff01', 'ff02'].map((clientId) => guest({ mac: 'interface', clientId })));
    const addresses = await Promise.all(both.map((ours) => addressOf(ours)));
    assert.equal(new Set(addresses).size, 2);
    await Promise.all(both.map((ours) => echo(ours)));
  });

  it('that is the computer\'s own is left without a word, and that of the computer stays in order', async () => {
    await startUdhcpd(programs, lan.router, folder.path, one(LAN.host));
    const capture = await programs.capture(lan.router, 'lan', path.join(folder.path, 'lan.pcapng'));
    const ours = await guest({ mac: 'interface', refuse: [LAN.host], config: { dhcp: { initialTimeoutMs: 500 } } });
    await ours.until('the refusal to be told', ({ event }) => event?.type === 'warning' && /10\.77\.0\.10/.test(event.message ?? ''));
    await untilCounters(ours, 'three questions', ({ txDiscovers = 0 }) => txDiscovers >= 3);
    assert.equal(await ours.stop(), 0);
    await capture.stop();
    // DECLINE is 4, RELEASE 7.
    assert.deepEqual(await capture.frames('dhcp.option.dhcp == 4 || dhcp.option.dhcp == 7'), []);
    assert.ok((await capture.frames('dhcp.option.dhcp == 1')).length >= 3);
  });

  it('that another station has is declined, and another taken (RFC 5227 §2.1, RFC 2131 §4.4.4)', async () => {
    await startUdhcpd(programs, lan.router, folder.path, POOL);
    const first = await guest();
    const contested = await addressOf(first);
    assert.equal(await first.stop(), 0);
    // The server would lend the same address to the same station.
    lan.station('squatter', contested);
    const ours = await guest({ conflictDetection: true, config: { arp: { probeWaitMs: 10, probeMinMs: 200, probeMaxMs: 300, announceWaitMs: 300 } } });
    const { event } = await ours.until('the conflict', (message) => message.event?.type === 'address-taken');
    assert.match(event?.message ?? '', /on the link has the address \S+: the DHCP server is asked for another/);
    assert.ok(event?.message?.includes(contested), event?.message);
    assert.notEqual(await addressOf(ours), contested);
    const { txDeclines } = await dhcpCounters(ours);
    assert.equal(txDeclines, 1);
  });
});

describe('An address that is given', function () {
  this.timeout(120_000);
  const ADDRESS = '10.77.0.100';
  /** RFC 5227's steps, with shorter waits between them. */
  const QUICK = { arp: { probeWaitMs: 10, probeMinMs: 200, probeMaxMs: 300, announceWaitMs: 300 } };
  let lan: Lan;
  let programs: Programs;

  eachOnLan((made) => ({ lan, programs } = made));

  const guest = (): Promise<Guest> => programs.guest(lan.host, { binding: 'auto', address: ADDRESS, gateway: LAN.router, conflictDetection: true, config: QUICK });

  it('is not used while another station\'s kernel has it (RFC 5227 §2.1)', async () => {
    const other = lan.station('other', ADDRESS);
    const ours = await guest();
    const { event } = await ours.until('the conflict', (message) => message.event?.type === 'address-taken');
    assert.ok(event?.message?.startsWith(`${other.mac()} on the link has the address ${ADDRESS}`), event?.message);
    assert.equal((await ours.perform({ do: 'connect', address: WAN.server, port: 9 }))['error'], 'ENETUNREACH');
    assert.equal((await ours.counters()).stack['arp']?.['txAnnouncements'], 0);
  });

  it('is that of the computer\'s own kernel, on the interface that is captured: its answers are not seen, so nobody finds the conflict but who chooses the address', async () => {
    const ours = await programs.guest(lan.host, { binding: 'auto', address: LAN.host, conflictDetection: true, config: QUICK });
    await ours.until('an address', ({ address }) => address === LAN.host);
  });

  it('is defended once against a kernel that takes it, and given up the second time (RFC 5227 §2.4 (b))', async () => {
    const ours = await guest();
    await ours.until('an address', ({ address }) => address === ADDRESS);
    const thief = lan.station('thief', '10.77.0.101');
    const claim = (): string => thief.run('busybox', 'arping', '-c', '1', '-w', '1', '-U', '-I', 'eth0', ADDRESS);
    thief.ip('address', 'add', `${ADDRESS}/24`, 'dev', 'eth0');
    claim();
    await ours.untilCounter('arp', 'defended', 1);
    assert.equal(ours.messages.some(({ event }) => event?.type === 'address-lost'), false);
    claim();
    const { event } = await ours.until('the address to be lost', (message) => message.event?.type === 'address-lost');
    assert.match(event?.reason ?? '', /on the link has the address 10\.77\.0\.100/);
  });
});
