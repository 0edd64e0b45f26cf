import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  DHCP_DISCOVER, DHCP_OFFER, encodeDhcp, optionAddress, optionAddresses, OPTION_DNS, OPTION_HOST_NAME, OPTION_MESSAGE, OPTION_SERVER_ID, parseDhcp,
  words, type DhcpMessage,
} from '../../../stack/wire/dhcp';

const OFFER: DhcpMessage = {
  op: 'reply', type: DHCP_OFFER, xid: 0xdead_beef, secs: 3, broadcast: true, ciaddr: 0, yiaddr: 0x0a00_020f, siaddr: 1, giaddr: 2,
  chaddr: Uint8Array.of(2, 0, 0, 0, 0, 1), options: new Map([[OPTION_SERVER_ID, words(0x0a00_0202)], [OPTION_DNS, words(1, 2)]]),
};

/** A message whose options area, file and sname are given. */
function raw(options: number[], file: number[] = [], sname: number[] = []): Uint8Array {
  const bytes = new Uint8Array(240 + options.length);
  bytes.set(encodeDhcp(OFFER).subarray(0, 240));
  bytes.set(options, 240);
  bytes.set(file, 108);
  bytes.set(sname, 44);
  return bytes;
}

describe('DHCP codec (RFC 2131 §2)', () => {
  it('gives back what was written', () => {
    assert.deepEqual(parseDhcp(encodeDhcp(OFFER)), OFFER);
  });

  it('writes at least 300 bytes, with the magic cookie and the end option (RFC 1542 §2.1)', () => {
    const bytes = encodeDhcp({ ...OFFER, op: 'request', type: DHCP_DISCOVER, options: new Map() });
    assert.equal(bytes.length, 300);
    assert.deepEqual([...bytes.subarray(0, 4), ...bytes.subarray(236, 244)], [1, 1, 6, 0, 99, 130, 83, 99, 53, 1, 1, 255]);
  });

  it('joins the parts of an option that comes twice (RFC 3396 §7)', () => {
    const message = parseDhcp(raw([53, 1, 2, 12, 2, 0x61, 0x62, 0, 12, 1, 0x63, 255]));
    assert.equal(Buffer.from(message?.options.get(OPTION_HOST_NAME) ?? []).toString(), 'abc');
  });

  it('reads options from file, then sname, where the overload option says so (RFC 2132 §9.3)', () => {
    const message = parseDhcp(raw([53, 1, 2, 52, 1, 3, 255], [56, 1, 0x61, 255], [56, 1, 0x62, 255]));
    assert.equal(Buffer.from(message?.options.get(OPTION_MESSAGE) ?? []).toString(), 'ab');
    assert.equal(parseDhcp(raw([53, 1, 2, 255], [56, 1, 0x61, 255]))?.options.has(OPTION_MESSAGE), false);
  });

  it('refuses options that run over the end, a missing or impossible message type, another hardware, another cookie', () => {
    assert.equal(parseDhcp(raw([53, 1, 2, 12, 5, 1])), null);
    assert.equal(parseDhcp(raw([53])), null);
    assert.equal(parseDhcp(raw([255])), null);
    assert.equal(parseDhcp(raw([53, 1, 9, 255])), null);
    assert.equal(parseDhcp(raw([53, 2, 2, 2, 255])), null);
    for (const at of [0, 1, 2, 236]) {
      const bad = encodeDhcp(OFFER);
      bad[at] = 7;
      assert.equal(parseDhcp(bad), null, `byte ${at}`);
    }
  });

  it('takes options of the wrong length for absent', () => {
    const message = parseDhcp(raw([53, 1, 2, 54, 3, 1, 2, 3, 6, 5, 1, 2, 3, 4, 5, 255]));
    assert.ok(message);
    assert.equal(optionAddress(message, OPTION_SERVER_ID), null);
    assert.deepEqual(optionAddresses(message, OPTION_DNS), []);
  });

  it('never throws, whatever arrives', () => {
    const good = encodeDhcp(OFFER);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(299), fc.nat(255)), { maxLength: 40 }), fc.nat(300), (changes, length) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        parseDhcp(bytes.subarray(0, length));
      }),
    );
  });
});
