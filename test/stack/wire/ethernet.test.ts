import assert from 'node:assert/strict';
import { formatMacAddress, isGroupMac, isStationMac, macEquals, multicastMac, readMac, writeEthernetHeader, BROADCAST_MAC } from '../../../stack/wire/ethernet';
import { ip } from '../../support/two-stacks';

describe('Ethernet', () => {
  it('writes destination, source and type in this order (RFC 894)', () => {
    const frame = new Uint8Array(16);
    writeEthernetHeader(frame, 1, { high: 0x0102, low: 0x03040506 }, { high: 0xfefd, low: 0xfcfb_faf9 }, 0x0800);
    assert.deepEqual([...frame], [0, 1, 2, 3, 4, 5, 6, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 8, 0, 0]);
    assert.ok(macEquals(readMac(frame, 7), { high: 0xfefd, low: 0xfcfb_faf9 }));
  });

  it('tells groups from stations', () => {
    assert.ok(isGroupMac(BROADCAST_MAC));
    assert.ok(isGroupMac({ high: 0x0100, low: 0 }));
    assert.ok(!isGroupMac({ high: 0x0201, low: 1 }));
    assert.ok(!isStationMac({ high: 0, low: 0 }));
    assert.ok(isStationMac({ high: 0, low: 1 }));
  });

  it('maps a multicast group by its low 23 bits (RFC 1112 §6.4)', () => {
    assert.equal(formatMacAddress(multicastMac(ip('224.0.0.251'))), '01:00:5e:00:00:fb');
    assert.equal(formatMacAddress(multicastMac(ip('239.255.255.250'))), '01:00:5e:7f:ff:fa');
  });
});
