import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { decode, encode, streamDecode, streamEncode, type DecodedPacket, type Packet } from 'dns-packet';
import type { DnsResult } from '../../../stack/socket/dns-cache';
import { formatIpv4 } from '../../../stack/wire/address';
import { Network, until, type NetworkOptions } from './gateway-harness';

interface Query extends DecodedPacket {
  readonly from: RemoteInfo;
}

/** A name server on 127.0.0.1. */
class Server {
  readonly queries: Query[] = [];
  answer: (query: Query, reply: (packet: Packet) => void) => void = () => {};
  private readonly socket = createSocket('udp4');

  async open(): Promise<string> {
    this.socket.on('message', (bytes, from) => {
      const query = { ...decode(bytes), from };
      this.queries.push(query);
      const { id = 0, questions = [] } = query;
      this.answer(query, (packet) => this.socket.send(encode({ type: 'response', id, questions, ...packet }), from.port, from.address));
    });
    await new Promise<void>((resolve) => this.socket.bind(0, '127.0.0.1', resolve));
    return `127.0.0.1:${this.socket.address().port}`;
  }

  close(): void {
    this.socket.close();
  }
}

const address = (query: Query, data: string): Packet => ({ answers: [{ type: 'A', class: 'IN', name: query.questions?.[0]?.name ?? '', ttl: 0, data }] });

describe('DNS through the gateway', () => {
  const closers: (() => void)[] = [];

  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  async function serve(answer: Server['answer']): Promise<{ server: Server; at: string }> {
    const server = new Server();
    server.answer = answer;
    const at = await server.open();
    closers.push(() => server.close());
    return { server, at };
  }

  async function open(dnsServers: string[], options: NetworkOptions = {}): Promise<Network> {
    const network = await Network.open({ ...options, config: { dnsServers, ...options.config } });
    closers.unshift(() => network.close());
    return network;
  }

  async function resolve(network: Network, name: string): Promise<string> {
    let result: DnsResult | null = null as DnsResult | null;
    network.guest.dns.resolve(name, network.clock.now(), (given) => (result = given));
    await until(() => result !== null, `an answer for ${name}`);
    if (!result) return '';
    return 'error' in result ? `${result.error.code}: ${result.error.message}` : result.addresses.map(formatIpv4).join(' ');
  }

  /** A port where nobody listens. */
  async function deadServer(): Promise<string> {
    const server = new Server();
    const at = await server.open();
    server.close();
    return at;
  }

  it('reaches the server and comes back, with ids and ports of the gateway’s own', async () => {
    const { server, at } = await serve((query, reply) => reply(address(query, '192.0.2.5')));
    const network = await open([at]);
    for (let i = 0; i < 8; i++) assert.equal(await resolve(network, `name${i}.example.org`), '192.0.2.5');
    assert.deepEqual(server.queries.map(({ questions }) => questions?.[0]?.name.toLowerCase()), Array.from({ length: 8 }, (_, i) => `name${i}.example.org`));
    assert.ok(new Set(server.queries.map(({ from }) => from.port)).size > 1, 'every query from one port');
    assert.ok(new Set(server.queries.map(({ id }) => id)).size > 1, 'every query with one id');
    assert.equal(network.counters.dnsForwarded, 8);
    assert.equal(network.counters.dnsFailed, 0);
  });

  it('never looks at the hosts file', async () => {
    const { server, at } = await serve((query, reply) => reply(address(query, '192.0.2.6')));
    const network = await open([at]);
    const own = hostname().toLowerCase();
    assert.equal(await resolve(network, own), '192.0.2.6');
    assert.equal(server.queries[0]?.questions?.[0]?.name, own);
  });

  it('drops answers with another id or to another question, and waits for the right one', async () => {
    const { at } = await serve((query, reply) => {
      reply({ ...address(query, '203.0.113.66'), id: ((query.id ?? 0) + 1) & 0xffff });
      reply({ ...address(query, '203.0.113.66'), questions: [{ type: 'A', class: 'IN', name: 'other.org' }] });
      reply({ ...address(query, '203.0.113.66'), type: 'query' });
      reply(address(query, '192.0.2.7'));
    });
    const network = await open([at]);
    assert.equal(await resolve(network, 'example.org'), '192.0.2.7');
    assert.equal(network.counters.dnsDropped, 3);
  });

  it('hands on that a name does not exist', async () => {
    const { at } = await serve((_query, reply) => reply({ flags: 3 }));
    assert.match(await resolve(await open([at]), 'missing.org'), /^ENOTFOUND: "missing\.org" does not exist/);
  });

  it('goes on to the next server at once where the system has no way to one', async () => {
    const good = await serve((query, reply) => reply(address(query, '192.0.2.8')));
    const network = await open(['255.255.255.255', good.at], { config: { dnsAttemptMs: 60_000, dnsLimitMs: 60_000 } });
    assert.equal(await resolve(network, 'example.org'), '192.0.2.8');
  });

  it('goes on to the next server at once where nobody listens or a server fails', async () => {
    const failing = await serve((_query, reply) => reply({ flags: 2 }));
    const good = await serve((query, reply) => reply(address(query, '192.0.2.8')));
    const network = await open([await deadServer(), failing.at, good.at], { config: { dnsAttemptMs: 60_000, dnsLimitMs: 60_000 } });
    assert.equal(await resolve(network, 'example.org'), '192.0.2.8');
  });

  it('asks the next server after a while without an answer, and still takes the late one', async () => {
    let late: (() => void) | null = null as (() => void) | null;
    const slow = await serve((query, reply) => (late = () => reply(address(query, '192.0.2.9'))));
    const silent = await serve(() => late?.());
    const network = await open([slow.at, silent.at], { config: { dnsAttemptMs: 20, dnsLimitMs: 10_000 } });
    assert.equal(await resolve(network, 'example.org'), '192.0.2.9');
    assert.ok(silent.server.queries.length > 0);
  });

  it('says that it failed when every server fails, refuses or is silent, within its limit', async () => {
    const silent = await serve(() => {});
    const network = await open([await deadServer(), silent.at], { config: { dnsAttemptMs: 10, dnsLimitMs: 60 } });
    assert.match(await resolve(network, 'example.org'), /^EAI_AGAIN: .*server failure/);
    assert.equal(network.counters.dnsFailed, 1);
    assert.ok(silent.server.queries.length >= 2, 'a silent server is asked again');
  });

  it('fails at once without a server, and warns once why', async () => {
    const network = await open([], { system: { platform: 'linux', readFile: () => 'search example.org' } });
    assert.match(await resolve(network, 'example.org'), /^EAI_AGAIN/);
    assert.match(await resolve(network, 'example.com'), /^EAI_AGAIN/);
    assert.equal(network.warnings.length, 1);
    assert.match(network.warnings[0] ?? '', /names no DNS server/);
  });

  it('drops what is no query, and more queries than its limit', async () => {
    const { server, at } = await serve(() => {});
    const network = await open([at], { config: { dnsMaxQueries: 2, dnsAttemptMs: 60_000 } });
    const socket = network.guest.udp.bind();
    const send = (bytes: Uint8Array) => socket.send(network.gateway.address, 53, bytes);
    send(Uint8Array.of(1, 2, 3));
    send(new Uint8Array(encode({ type: 'response', questions: [{ type: 'A', name: 'a.org' }] })));
    for (const name of ['a.org', 'b.org', 'c.org']) send(new Uint8Array(encode({ type: 'query', questions: [{ type: 'A', name }] })));
    await until(() => server.queries.length === 2 && network.counters.dnsDropped === 3, 'the queries');
  });

  /** A server that answers TCP only. @returns its port */
  async function serveTcp(port = 0): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const { id = 0, questions = [] } = streamDecode(data);
        const answers = questions.flatMap(({ name, type }) => (type === 'A' ? [{ type, class: 'IN' as const, name, ttl: 0, data: '192.0.2.33' }] : []));
        socket.end(streamEncode({ type: 'response', id, questions, answers }));
      });
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    closers.push(() => server.close());
    const at = server.address();
    assert.ok(typeof at === 'object' && at);
    return at.port;
  }

  it('goes on to the next server where one only refers to others (RFC 2308 §2.2)', async () => {
    const referring = await serve((_query, reply) => reply({ authorities: [{ type: 'NS', class: 'IN', name: 'org', ttl: 0, data: 'ns.org' }] }));
    const good = await serve((query, reply) => reply(address(query, '192.0.2.8')));
    assert.equal(await resolve(await open([referring.at, good.at]), 'example.org'), '192.0.2.8');
    assert.match(await resolve(await open([referring.at]), 'example.org'), /^EAI_AGAIN: .*does not resolve names/);
  });

  it('leads by TCP to the server whose answer was cut, though another comes before it (RFC 7766 §5)', async () => {
    const cutting = await serve((query, reply) => reply({ ...address(query, '192.0.2.32'), flags: 1 << 9 }));
    await serveTcp(Number(cutting.at.split(':')[1]));
    const network = await open([await deadServer(), cutting.at]);
    assert.equal(await resolve(network, 'long.org'), '192.0.2.33');
  });

  it('leads to the server by TCP too, for long answers (RFC 7766)', async () => {
    const network = await open([`127.0.0.1:${await serveTcp()}`]);
    const guest = network.connect(53, network.gateway.address);
    guest.write(new Uint8Array(streamEncode({ type: 'query', id: 5, questions: [{ type: 'TXT', name: 'long.org' }] })));
    await until(() => guest.ended, 'the answer');
    assert.ok(guest.received > 12);
  });
});
