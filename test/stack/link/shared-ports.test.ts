import assert from 'node:assert/strict';
import { kernelPorts, portSlice, PORT_SLICES, sharedPorts } from '../../../stack/link/shared-ports';

describe('The ports of a shared address', () => {
  it('lie above those that Linux gives out', () => {
    assert.deepEqual(sharedPorts({ first: 32_768, last: 60_999 }), { first: 61_440, last: 65_535 });
  });

  it('lie below where the kernel gives out all above, as macOS and Windows do', () => {
    assert.deepEqual(sharedPorts({ first: 49_152, last: 65_535 }), { first: 45_056, last: 49_151 });
    assert.deepEqual(sharedPorts({ first: 10_000, last: 65_535 }), { first: 5_904, last: 9_999 });
  });

  it('are fewer where the kernel leaves fewer, and never the kernel\'s or the system\'s', () => {
    assert.deepEqual(sharedPorts({ first: 1_024, last: 65_000 }), { first: 65_024, last: 65_535 });
    for (let first = 1_024; first < 65_536; first += 997) {
      for (let last = first; last < 65_536; last += 1_009) {
        let range;
        try {
          range = sharedPorts({ first, last });
        } catch {
          continue;
        }
        assert.ok(range.first >= 1_024 && range.last <= 65_535 && range.first < range.last, `${first}–${last}: ${range.first}–${range.last}`);
        assert.ok(range.last < first || range.first > last, `${first}–${last}: ${range.first}–${range.last}`);
      }
    }
  });

  it('are refused where the kernel leaves none, naming the setting', () => {
    assert.throws(() => sharedPorts({ first: 1_100, last: 65_500 }), { code: 'EADDRNOTAVAIL', message: /gives out the ports 1100 to 65500.*ip_local_port_range/ });
  });

  it('are split into one slice per instance, without a gap or an overlap', () => {
    const range = sharedPorts({ first: 32_768, last: 60_999 });
    let next = range.first;
    for (let slot = 0; slot < PORT_SLICES; slot++) {
      const slice = portSlice(range, slot);
      assert.equal(slice.first, next);
      assert.equal(slice.last - slice.first, 255);
      next = slice.last + 1;
    }
    assert.equal(next, range.last + 1);
  });

  it('are reckoned from what the kernel says', () => {
    assert.deepEqual(kernelPorts(() => '32768\t60999\n'), { first: 32_768, last: 60_999 });
    const none = (): string => {
      throw new Error('no such file');
    };
    for (const unread of [none, () => 'rubbish', () => '5 4']) assert.deepEqual(kernelPorts(unread), { first: 49_152, last: 65_535 });
  });
});
