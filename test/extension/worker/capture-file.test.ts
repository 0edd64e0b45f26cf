import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaptureFile } from '../../../extension/worker/capture-file';
import { createCable, VirtualClock } from '../../../stack';

const SECTION_HEADER = '0a0d0d0a';

describe('The file of a capture', () => {
  const folder = mkdtempSync(join(tmpdir(), 'riftnet-capture-'));
  const file = join(folder, 'run.pcapng');
  const clock = new VirtualClock();
  after(() => rmSync(folder, { recursive: true }));

  /** A capture that has something to write, a frame of `bytes`; and what it complains of. */
  function begin(bytes: number): { readonly capture: CaptureFile; readonly errors: readonly string[] } {
    const errors: string[] = [];
    const capture = new CaptureFile(file, (message) => errors.push(message));
    const [end] = createCable({ mtu: 1_500 });
    capture.wrap(end, clock).send(new Uint8Array(bytes), bytes);
    return { capture, errors };
  }

  it('takes the place of an earlier capture, and of nothing else', () => {
    begin(60).capture.close();
    const { length } = readFileSync(file);
    begin(60).capture.close();
    assert.deepEqual([readFileSync(file).length, readFileSync(file).toString('hex', 0, 4)], [length, SECTION_HEADER]);
    writeFileSync(file, 'a script');
    assert.throws(() => begin(60), /run\.pcapng exists and is no capture: it is left as it is/);
    assert.equal(readFileSync(file, 'utf8'), 'a script');
    rmSync(file);
  });

  it('that a second capture is told to write as well is the later one\'s, whole, and the earlier one says that it ends', () => {
    const [first, second] = [begin(1_000), begin(60)];
    second.capture.close();
    const whole = readFileSync(file);
    first.capture.close();
    assert.deepEqual(first.errors, [`The capture ends here: ${file} was removed, or a later capture has taken its place: give each run a file of its own`]);
    assert.deepEqual([second.errors, readFileSync(file).equals(whole), whole.toString('hex', 0, 4)], [[], true, SECTION_HEADER]);
  });
});
