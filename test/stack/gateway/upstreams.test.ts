import assert from 'node:assert/strict';
import { StackError } from '../../../stack/errors';
import { parseResolvConf } from '../../../stack/gateway/upstream/resolv-conf';
import { formatUpstream, parseUpstream, Upstreams, type UpstreamSystem } from '../../../stack/gateway/upstream/upstreams';

function linux(files: { [path: string]: string }): UpstreamSystem {
  return { platform: 'linux', readFile: (path) => files[path] ?? null, dnsServers: () => ['203.0.113.99'] };
}

const addresses = (upstreams: Upstreams, now = 0) => upstreams.current(now).servers.map(({ address, port }) => `${address} ${port}`);

describe('resolv.conf', () => {
  it('names its servers in order, whatever else it says', () => {
    const text = '# nameserver 1.1.1.1\n;nameserver 2.2.2.2\nsearch example.org\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # home\r\noptions edns0\nnameserver\nnameservers 3.3.3.3\nnameserver 192.0.2.2';
    assert.deepEqual(parseResolvConf(text), ['192.0.2.1', '2001:db8::1', '192.0.2.2']);
    assert.deepEqual(parseResolvConf(''), []);
  });
});

describe('A name server as text', () => {
  it('is an address with an optional port', () => {
    assert.deepEqual(parseUpstream('192.0.2.1'), { address: '192.0.2.1', port: 53, family: 4 });
    assert.deepEqual(parseUpstream('192.0.2.1:5353'), { address: '192.0.2.1', port: 5353, family: 4 });
    assert.deepEqual(parseUpstream('2001:db8::1'), { address: '2001:db8::1', port: 53, family: 6 });
    assert.deepEqual(parseUpstream('[2001:db8::1]:5353'), { address: '2001:db8::1', port: 5353, family: 6 });
    for (const text of ['192.0.2.1', '192.0.2.1:5353', '2001:db8::1', '[2001:db8::1]:5353']) assert.equal(formatUpstream(parseUpstream(text) ?? assert.fail(text)), text);
    for (const text of ['', 'example.org', '192.0.2', '192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '[192.0.2.1]:53', '[::1', '192.0.2.1:53:53']) {
      assert.equal(parseUpstream(text), null, text);
    }
  });
});

describe('The system’s name servers', () => {
  it('are those of resolv.conf on Linux', () => {
    assert.deepEqual(addresses(new Upstreams([], linux({ '/etc/resolv.conf': 'nameserver 192.0.2.1\nnameserver 2001:db8::1' }))), ['192.0.2.1 53', '2001:db8::1 53']);
  });

  it('are those that systemd-resolved asks, never its stub, which reads the hosts file', () => {
    const files = { '/etc/resolv.conf': 'nameserver 127.0.0.53', '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.9' };
    assert.deepEqual(addresses(new Upstreams([], linux(files))), ['192.0.2.9 53']);
    const both = { ...files, '/etc/resolv.conf': 'nameserver 127.0.0.53\nnameserver 192.0.2.1' };
    assert.deepEqual(addresses(new Upstreams([], linux(both))), ['192.0.2.1 53']);
  });

  it('are missing for a reason that is told', () => {
    const problem = (files: { [path: string]: string }) => new Upstreams([], linux(files)).current(0).problem ?? '';
    assert.match(problem({}), /resolv\.conf cannot be read/);
    assert.match(problem({ '/etc/resolv.conf': '' }), /names no DNS server/);
    assert.match(problem({ '/etc/resolv.conf': 'nameserver 127.0.0.53' }), /systemd-resolved/);
  });

  it('are asked for by the system’s own call elsewhere', () => {
    const system: UpstreamSystem = { platform: 'darwin', readFile: () => assert.fail('no file is read'), dnsServers: () => ['192.0.2.3', '0.0.0.0', '[2001:db8::3]:5300'] };
    assert.deepEqual(addresses(new Upstreams([], system)), ['192.0.2.3 53', '2001:db8::3 5300']);
    assert.match(new Upstreams([], { ...system, dnsServers: () => [] }).current(0).problem ?? '', /names no DNS server/);
  });

  it('are looked up again after five seconds, since a laptop moves', () => {
    const files = { '/etc/resolv.conf': 'nameserver 192.0.2.1' };
    const upstreams = new Upstreams([], linux(files));
    assert.deepEqual(addresses(upstreams), ['192.0.2.1 53']);
    files['/etc/resolv.conf'] = 'nameserver 192.0.2.2';
    assert.deepEqual(addresses(upstreams, 4_999), ['192.0.2.1 53']);
    assert.deepEqual(addresses(upstreams, 5_000), ['192.0.2.2 53']);
  });

  it('give way to those of the setting; one that is no address is refused, naming it', () => {
    assert.deepEqual(addresses(new Upstreams(['192.0.2.7:5353'], linux({}))), ['192.0.2.7 5353']);
    assert.throws(() => new Upstreams(['dns.example'], linux({})), (error) => error instanceof StackError && error.code === 'EINVAL' && error.message.includes('dns.example'));
  });
});
