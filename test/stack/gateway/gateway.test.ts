import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import { StackError } from '../../../stack/errors';
import { Gateway } from '../../../stack/gateway/gateway';
import type { GatewayConfig } from '../../../stack/gateway/gateway-config';
import { SeededRandom } from '../../../stack/random';
import { runStack } from '../../../stack/run-stack';
import { Stack } from '../../../stack/stack';
import { formatIpv4, parseIpv4 } from '../../../stack/wire/address';
import { UDP_HEADER_BYTES, writeUdpHeader } from '../../../stack/wire/udp';
import { ETHERNET_HEADER_BYTES, ETHERTYPE_IPV4, readMac, writeEthernetHeader } from '../../../stack/wire/ethernet';
import { IPV4_HEADER_BYTES, Ipv4Header, writeIpv4Header } from '../../../stack/wire/ipv4';
import { INTERFACES } from './gateway-harness';

describe('The gateway', () => {
  const clock = new VirtualClock();
  const closers: (() => void)[] = [];

  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  function open(config: Partial<GatewayConfig> = {}): Gateway {
    const gateway = new Gateway({ clock, random: new SeededRandom(1), config: { hostAddress: '127.0.0.1', ...config }, system: { networkInterfaces: () => INTERFACES } });
    closers.push(() => gateway.close());
    return gateway;
  }

  /** A guest that gets its address by DHCP. */
  function guestOn(gateway: Gateway): Stack {
    const guest = new Stack({ device: gateway.device, random: new SeededRandom(2), address: { mode: 'dhcp' } });
    const runner = runStack(guest, clock);
    closers.unshift(() => {
      guest.close(clock.now());
      runner.stop();
    });
    return guest;
  }

  /** A UDP datagram to `destination` in a frame of the guest's, whatever a guest's own stack would say to it. */
  function frame(gateway: Gateway, destination: string): Uint8Array {
    const source = parseIpv4('10.0.2.15') ?? 0;
    const to = parseIpv4(destination) ?? 0;
    const bytes = new Uint8Array(ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES + UDP_HEADER_BYTES + 1);
    // The cable's ends have the MACs 02:…:01 and 02:…:02.
    writeEthernetHeader(bytes, 0, { high: 0x0200, low: 2 }, readMac(gateway.device.mac, 0), ETHERTYPE_IPV4);
    const header = new Ipv4Header();
    Object.assign(header, { totalBytes: bytes.length - ETHERNET_HEADER_BYTES, ttl: 64, protocol: 17, source, destination: to });
    writeIpv4Header(bytes, ETHERNET_HEADER_BYTES, header);
    writeUdpHeader(bytes, ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES, source, 5000, to, 5353, 1);
    return bytes;
  }

  it('gives its guest address, router and name server within no time', () => {
    const gateway = open();
    const guest = guestOn(gateway);
    const start = clock.now();
    assert.ok(clock.runWhile(() => guest.addressInfo !== null, start + 1000));
    const info = guest.addressInfo;
    assert.ok(info);
    assert.equal(formatIpv4(info.address), '10.0.2.15');
    assert.equal(info.prefixLength, 24);
    assert.equal(info.gateway, gateway.address);
    assert.deepEqual(info.dns, [{ address: gateway.address, port: 53 }]);
    assert.equal(clock.now(), start);
  });

  it('renews the guest’s lease for days without a break', () => {
    const gateway = open();
    const guest = guestOn(gateway);
    assert.ok(clock.runWhile(() => guest.addressInfo !== null, clock.now() + 1000));
    let changes = 0;
    guest.onAddress = () => changes++;
    clock.advance(5 * 86_400_000);
    assert.equal(changes, 0);
    assert.ok(gateway.stack.counters.gateway.dhcpLeases >= 10);
    assert.equal(guest.counters.dhcp.expired, 0);
  });

  it('asks for every connection that its guest opens, however many wait, and lets go of those it has given up', () => {
    const COUNT = 3_000;
    const gateway = open();
    const guest = guestOn(gateway);
    assert.ok(clock.runWhile(() => guest.addressInfo !== null, clock.now() + 1000));
    // Nothing is heard of any while this test runs: it leaves the event loop no turn.
    const sockets = Array.from({ length: COUNT }, () => guest.tcp.connect({ address: gateway.hostAddressInside, port: 9 }, clock.now()));
    clock.advance(1_500);
    const { tcp } = gateway.stack.counters;
    assert.deepEqual([gateway.openConnections, tcp.rxBacklogFull], [COUNT, 0]);
    for (const socket of sockets.slice(10)) socket.abort();
    clock.advance(5_000);
    assert.equal(gateway.openConnections, 10);
    clock.advance(100_000);
    assert.equal(gateway.openConnections, 10, 'the others are waited for still');
    assert.ok(sockets.slice(0, 10).every(({ state }) => state === 'SYN-SENT'));
  });

  it('has the network of its setting', () => {
    const gateway = open({ subnet: '172.20.1.0/28' });
    const guest = guestOn(gateway);
    assert.ok(clock.runWhile(() => guest.addressInfo !== null, clock.now() + 1000));
    assert.equal(formatIpv4(guest.addressInfo?.address ?? 0), '172.20.1.2');
    assert.equal(formatIpv4(gateway.address), '172.20.1.1');
  });

  it('relays nothing to 127.0.0.0/8, groups or its own network, and counts it', () => {
    const gateway = open();
    const destinations = ['127.0.0.1', '127.1.2.3', '0.0.0.0', '224.0.0.251', '255.255.255.255', '10.0.2.255', '10.0.2.77'];
    for (const destination of destinations) gateway.device.send(frame(gateway, destination), frame(gateway, destination).length);
    clock.advance(0);
    const { ipv4, gateway: counters } = gateway.stack.counters;
    assert.equal(ipv4.rxPackets, destinations.length);
    assert.equal(counters.udpForbidden + ipv4.rxNotForUs, destinations.length);
    assert.equal(counters.udpFlows, 0);
  });

  it('refuses settings that cannot be, naming them', () => {
    const cases: [Partial<GatewayConfig>, string][] = [
      [{ hostAddress: 'localhost' }, 'localhost'], [{ subnet: '10.0.2.0/33' }, '10.0.2.0/33'], [{ dnsServers: ['one.one'] }, 'one.one'],
    ];
    for (const [config, name] of cases) {
      assert.throws(() => open(config), (error) => error instanceof StackError && error.code === 'EINVAL' && error.message.includes(name));
    }
  });

  it('leaves no timer when it is closed', () => {
    const before = clock.nextAt();
    const gateway = open();
    gateway.device.send(frame(gateway, '198.51.100.7'), frame(gateway, '198.51.100.7').length);
    clock.advance(0);
    assert.equal(gateway.stack.counters.gateway.udpFlows, 1);
    gateway.close();
    assert.equal(clock.nextAt(), before);
  });
});
