import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { decode, encode } from 'dns-packet';
import { formatIpv4, runStack, Stack, VirtualClock } from '../../../../stack';
import { SeededRandom } from '../../../../stack/random';
import { DEFAULT_WORKER_SETTINGS } from '../../../../extension/protocol';
import { lookUp } from '../../../../extension/worker/host-lookup';
import { openGatewayLink } from '../../../../extension/worker/link/gateway-link';
import { until } from '../../../stack/gateway/gateway-harness';

describe('The link over the embedded gateway', () => {
  const closers: (() => void)[] = [];

  afterEach(() => {
    for (const close of closers.splice(0).reverse()) close();
  });

  /** A name server of a network in which every name stands for `address` for an hour; null: in which there is none. */
  async function nameServer(address: string | null): Promise<string> {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, from) => {
      const { id = 0, questions = [] } = decode(bytes);
      const name = questions[0]?.name ?? '';
      const soa = { type: 'SOA', class: 'IN', name: 'test', ttl: 3_600, data: { mname: 'ns.test', rname: 'x.test', minimum: 3_600 } } as const;
      const answer = address === null ? { flags: 3, authorities: [soa] } : { answers: [{ type: 'A', class: 'IN', name, ttl: 3_600, data: address } as const] };
      socket.send(encode({ type: 'response', id, questions, ...answer }), from.port, from.address);
    });
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    closers.push(() => socket.close());
    return `127.0.0.1:${socket.address().port}`;
  }

  it('forgets what names stood for when this computer comes to have other name servers', async () => {
    const clock = new VirtualClock();
    const [office, home] = [await nameServer('192.0.2.10'), await nameServer(null)];
    let servers = [home];
    const settings = { ...DEFAULT_WORKER_SETTINGS, hostAddress: '127.0.0.1' };
    const link = openGatewayLink({ settings, clock, random: new SeededRandom(1), observer: () => {}, onReason: () => {} }, 'for a test', {
      platform: 'darwin', dnsServers: () => servers,
    });
    const stack = new Stack({ device: link.device, random: new SeededRandom(2), address: link.address });
    link.attached?.(stack);
    const runner = runStack(stack, clock);
    closers.push(() => {
      runner.stop();
      stack.close(clock.now());
      link.close();
    });
    const look = async (): Promise<string> => {
      let text = '';
      lookUp({ link, stack }, 'wiki.test', clock.now(), (result) => (text = 'error' in result ? result.error.code : formatIpv4(result.address)));
      await until(() => {
        clock.advance(1);
        return text !== '';
      }, 'an answer');
      return text;
    };
    assert.equal(await look(), 'ENOTFOUND');
    assert.equal(await look(), 'ENOTFOUND');
    const { dns } = stack.counters;
    assert.deepEqual([dns.queries, dns.cacheHits], [1, 1]);
    // The computer joins the office's network, and leaves it.
    servers = [office];
    clock.advance(5_000);
    assert.equal(await look(), '192.0.2.10');
    servers = [home];
    clock.advance(5_000);
    assert.equal(await look(), 'ENOTFOUND');
    assert.deepEqual([dns.queries, dns.cacheHits], [3, 1]);
  });
});
