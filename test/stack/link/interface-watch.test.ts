import assert from 'node:assert/strict';
import { VirtualClock } from '../../../stack/clock';
import { InterfaceWatch, type InterfaceEvent } from '../../../stack/link/interface-watch';
import type { InterfaceState } from '../../../stack/link/interfaces';
import { captureFilter } from '../../../stack/link/pcap';

const UP: InterfaceState = { index: 2, mtu: 1_500, up: true, carrierChanges: 1 };
const DOWN: InterfaceState = { ...UP, up: false, carrierChanges: 2 };

/** What a watch that began with the interface up tells when it looks and finds these states, one after another. */
function eventsOf(...states: (InterfaceState | 'unknown' | null)[]): InterfaceEvent['type'][] {
  const clock = new VirtualClock();
  const told: InterfaceEvent['type'][] = [];
  let state: InterfaceState | 'unknown' | null = UP;
  const watch = new InterfaceWatch({ clock, intervalMs: 100, read: () => state, onEvent: (event) => told.push(event.type), onTick: () => {} });
  for (const next of states) {
    state = next;
    watch.look();
  }
  watch.stop();
  return told;
}

describe('The watch over an interface', () => {
  it('says nothing while nothing changes', () => {
    assert.deepEqual(eventsOf(UP, UP), []);
  });

  it('tells that it is down, and up again, once each', () => {
    assert.deepEqual(eventsOf(DOWN, DOWN, { ...UP, carrierChanges: 3 }, { ...UP, carrierChanges: 3 }), ['down', 'up']);
  });

  it('tells of a loss of the carrier that came and went between two looks', () => {
    assert.deepEqual(eventsOf({ ...UP, carrierChanges: 3 }), ['down', 'up']);
  });

  it('tells that it is gone, and that another of its name is up', () => {
    assert.deepEqual(eventsOf(null, null, { ...UP, index: 9 }), ['gone', 'up']);
    assert.deepEqual(eventsOf({ ...UP, index: 9 }), ['gone', 'up']);
  });

  it('does not change its mind where it could not look', () => {
    assert.deepEqual(eventsOf('unknown', UP, 'unknown'), []);
    assert.deepEqual(eventsOf(DOWN, 'unknown', DOWN, 'unknown', { ...UP, carrierChanges: 3 }), ['down', 'up']);
    assert.deepEqual(eventsOf(null, 'unknown', null), ['gone']);
  });

  it('tells of another MTU', () => {
    assert.deepEqual(eventsOf({ ...UP, mtu: 1_200 }), ['mtu']);
  });
});

/** 10.0.0.1 */
const ADDRESS = 0x0a00_0001;

describe('The capture\'s filter', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);

  it('leaves out our own frames, and before there is an address all but ARP, DHCP and the link\'s groups', () => {
    const wanted = '(arp or (ip and (udp dst port 68 or dst net 224.0.0.0/24)))';
    assert.equal(captureFilter(mac, null), `not ether src 02:00:00:00:00:01 and (${wanted} or (vlan and ${wanted}))`);
  });

  it('takes what is for our address', () => {
    assert.match(captureFilter(mac, { address: ADDRESS, ports: null, viaGateway: [] }), /or dst host 10\.0\.0\.1\)/);
  });

  it('takes of a shared address only our ports, fragments that show none, and ICMP\'s errors', () => {
    const filter = captureFilter(mac, { address: ADDRESS, ports: { first: 61_440, last: 61_695 }, viaGateway: [] });
    const errors = '(icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12)';
    const wanted = `(arp or (ip and (dst host 10.0.0.1 and (dst portrange 61440-61695 or ${errors} or ip[6:2] & 0x1fff != 0))))`;
    assert.equal(filter, `not ether src 02:00:00:00:00:01 and (${wanted} or (vlan and ${wanted}))`);
  });

  it('takes what comes back of packets that went by the router', () => {
    const filter = captureFilter(mac, { address: ADDRESS, ports: null, viaGateway: [0x0a00_0007, 0x0a00_0008] });
    assert.match(filter, /or dst host 10\.0\.0\.1 or \(src host 10\.0\.0\.1 and \(dst host 10\.0\.0\.7 or dst host 10\.0\.0\.8\)\)\)/);
  });
});
