/** Names from real servers: dnsmasq, avahi, and one that lies. */
import assert from 'node:assert/strict';
import { startAvahi } from './support/avahi';
import { startDnsmasq } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { TaskResult } from './support/guest-tasks';
import type { Guest } from './support/guest';
import type { Programs } from './support/programs';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const MANY = Array.from({ length: 150 }, (_, i) => `10.99.${i >> 7}.${(i & 127) + 1}`);
const RECORDS = [
  'local=/test/', 'local-ttl=60',
  `host-record=web.test,${WAN.server}`,
  'host-record=two.test,10.99.0.1', 'host-record=two.test,10.99.0.2',
  'host-record=six.test,fd00::1',
  'cname=a.test,b.test', 'cname=b.test,c.test', 'cname=c.test,web.test',
  ...MANY.map((address) => `host-record=many.test,${address}`),
];

describe('Names', function () {
  this.timeout(60_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan((made) => ({ lan, programs, folder } = made));

  const guest = (dns: readonly string[], timeoutMs = 1_500): Promise<Guest> =>
    programs.guest(lan.host, { binding: 'auto', address: '10.77.0.100', gateway: LAN.router, dns, config: { dns: { multicast: true, timeoutMs } } });

  const ask = (from: Guest, name: string): Promise<TaskResult> => from.perform({ do: 'resolve', name });
  const addresses = async (from: Guest, name: string): Promise<unknown> => {
    const result = await ask(from, name);
    assert.equal(result['error'], undefined, JSON.stringify(result));
    return result['addresses'];
  };
  const dnsCounters = async (from: Guest): Promise<Record<string, number>> => (await from.counters()).stack['dns'] ?? {};

  it('are resolved by dnsmasq beyond the router: addresses, aliases of aliases, and the second time from the cache', async () => {
    const server = await startDnsmasq(programs, lan.server, folder.path, { interface: 'eth0', options: RECORDS });
    const ours = await guest([WAN.server]);
    assert.deepEqual(await addresses(ours, 'web.test'), [WAN.server]);
    assert.deepEqual(((await addresses(ours, 'two.test')) as string[]).sort(), ['10.99.0.1', '10.99.0.2']);
    assert.deepEqual(await addresses(ours, 'A.Test'), [WAN.server]);
    const { queries } = await dnsCounters(ours);
    assert.deepEqual(await addresses(ours, 'a.test.'), [WAN.server]);
    const after = await dnsCounters(ours);
    assert.deepEqual([after['queries'], after['rxOtherCase'], after['rxMismatched']], [queries, 0, 0]);
    // Asked in letters of random case ("0x20"), which dnsmasq repeats and logs.
    assert.match(server.said, /query\[A\] (?!web\.test)w?e?b?\S* /i);
  });

  it('that do not exist, or have no IPv4 address, are told apart from a silent server', async () => {
    await startDnsmasq(programs, lan.server, folder.path, { interface: 'eth0', options: RECORDS });
    const ours = await guest([WAN.server], 300);
    for (const [name, words] of [['nosuch.test', /does not exist|no such/i], ['six.test', /no IPv4 address/]] as const) {
      const { error, message } = await ask(ours, name);
      assert.equal(error, 'ENOTFOUND', name);
      assert.match(String(message), words);
    }
    // 10.77.0.200 is nobody, and a server that is unplugged answers as little.
    const lonely = await guest(['10.77.0.200'], 300);
    const { error, message, ms } = await ask(lonely, 'web.test');
    assert.equal(error, 'EAI_AGAIN');
    assert.match(String(message), /10\.77\.0\.200/);
    assert.ok(Number(ms) < 20_000, `${ms} ms`);
  });

  it('with more addresses than a datagram carries are asked for again over TCP', async () => {
    await startDnsmasq(programs, lan.server, folder.path, { interface: 'eth0', options: RECORDS });
    const ours = await guest([WAN.server]);
    const found = (await addresses(ours, 'many.test')) as string[];
    // All that are kept are true; a datagram has room for 75.
    assert.equal(found.length, 64);
    assert.ok(found.every((address) => MANY.includes(address)));
    const { rxTruncated, tcpQueries } = await dnsCounters(ours);
    assert.deepEqual({ rxTruncated, tcpQueries }, { rxTruncated: 1, tcpQueries: 1 });
  });

  it('come from the second server when the first is silent, or refuses the port, and the silent one is asked last from then on', async () => {
    await startDnsmasq(programs, lan.server, folder.path, { interface: 'eth0', options: RECORDS });
    const timeoutMs = 1_000;
    const ours = await guest(['10.77.0.200', LAN.router, WAN.server], timeoutMs);
    assert.deepEqual(await addresses(ours, 'web.test'), [WAN.server]);
    assert.deepEqual(await addresses(ours, 'a.test'), [WAN.server]);
    const { ms } = await ask(ours, 'two.test');
    assert.ok(Number(ms) < timeoutMs, `${ms} ms: the server that answers is asked first`);
  });

  it('from a server that lies are not believed: what does not match is counted, the true answer taken', async () => {
    await programs.peer(lan.server, 'dns-liar', '10.66.66.66', WAN.server).line();
    const ours = await guest([WAN.server]);
    assert.deepEqual(await addresses(ours, 'web.test'), [WAN.server]);
    const { rxMismatched = 0, rxMalformed = 0 } = await dnsCounters(ours);
    assert.deepEqual({ rxMismatched, rxMalformed }, { rxMismatched: 3, rxMalformed: 1 });
  });

  it('from a server that only lies end in an error, in a bounded time', async () => {
    await programs.peer(lan.server, 'dns-liar', '10.66.66.66').line();
    const ours = await guest([WAN.server], 200);
    const { error, message } = await ask(ours, 'web.test');
    assert.equal(error, 'EAI_AGAIN', String(message));
  });

  it('under .local are asked of the link, by multicast, and answered by avahi', async () => {
    const printer = lan.station('printer', '10.77.0.77');
    await startAvahi(programs, printer, folder.path, 'printer');
    const ours = await guest([]);
    assert.deepEqual(await addresses(ours, 'printer.local'), ['10.77.0.77']);
    const { error } = await ask(ours, 'nobody.local');
    assert.equal(error, 'ENOTFOUND');
  });
});
