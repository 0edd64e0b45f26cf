import assert from 'node:assert/strict';
import { figure, median, select, summarise, table, type Benchmark } from './support/harness';

const run = (): Promise<number> => Promise.resolve(1);
const tcp: Benchmark = { name: 'tcp/in-process', unit: 'Gbit/s', run, against: { what: 'node:net', run }, target: 'at least 5' };
const tcpLoss: Benchmark = { name: 'tcp/loss', unit: '%', run };
const tcpdump: Benchmark = { name: 'tcpdump/read', unit: 'frames/s', run };
const all = [tcp, tcpLoss, tcpdump];

describe('The benchmark harness', () => {
  it('chooses by whole segments of the name, and all without a name', () => {
    assert.deepEqual(select(all, []), { chosen: all });
    assert.deepEqual(select(all, ['tcp']), { chosen: [tcp, tcpLoss] });
    assert.deepEqual(select(all, ['tcp/']), { chosen: [tcp, tcpLoss] });
    assert.deepEqual(select(all, ['tcp/loss', 'tcpdump']), { chosen: [tcpLoss, tcpdump] });
  });

  it('tells which name fits nothing', () => {
    assert.deepEqual(select(all, ['tcp', 'tc']), { unknown: 'tc' });
  });

  it('takes medians, and the ratio to the peer', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.deepEqual(summarise(tcp, [9, 6, 1], [2, 3, 4]), { name: 'tcp/in-process', value: 6, unit: 'Gbit/s', against: 3, ratio: 2 });
    assert.deepEqual(summarise(tcpLoss, [80], []), { name: 'tcp/loss', value: 80, unit: '%' });
  });

  it('shows three digits and the target beside the figure', () => {
    assert.equal(figure(1234.5), '1235');
    assert.equal(figure(12.345), '12.3');
    assert.equal(figure(0.012345), '0.0123');
    assert.equal(figure(0), '0.00');
    const text = table([{ benchmark: tcp, result: summarise(tcp, [6], [12]) }]);
    assert.deepEqual(text.split('\n').map((line) => line.split(/ {2,}/)), [
      ['name', 'value', 'against', 'ratio', 'the peer', 'target'],
      ['tcp/in-process', '6.00 Gbit/s', '12.0 Gbit/s', '0.500', 'node:net', 'at least 5'],
    ]);
  });
});
