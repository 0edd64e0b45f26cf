/** Whatever a file holds, the runner gives an outcome: it neither throws nor hangs. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatOutcome, runScript } from './run-script';

const FOLDER = 'test/packetdrill/scripts';
const SCRIPTS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pkt')).sort().map((name) => readFileSync(join(FOLDER, name), 'utf8'));

/** Pieces of the notation, to be thrown together. */
const PIECE = fc.constantFrom(
  '0', '+0', '+.1', '*', '0.1~0.2', '+.1~+.2', '...', '...0.5', '<', '>', 'S', 'S.', '.', 'P.', 'FPUEWA.', '-', '0:0(0)', '1:1001(1000)', '4294967295:4(5)', 'ack 1', 'win 1000',
  'win 0', '<...>', '<mss 1460,nop,wscale 7>', '<nop,nop,sack 1:2>', '<nop,nop,TS val 1 ecr 2>', 'icmp', 'unreachable', 'frag_needed', 'mtu 68', '[1:2(1)]', '[ect0]', '[ce]',
  'socket(..., SOCK_STREAM, IPPROTO_TCP) = 3', 'bind(3, ..., ...) = 0', 'listen(3, 1) = 0', 'accept(3, ..., ...) = 4', 'connect(3, ..., ...) = -1 EINPROGRESS (x)', 'write(4, ..., 100000) = 100000',
  'read(4, ..., 2147483647) = 1', 'close(4) = 0', 'shutdown(4, SHUT_WR) = 0', 'setsockopt(4, SOL_SOCKET, SO_RCVBUF, [0], 4) = 0', 'poll([{fd=3, events=1}], 1, -1) = 1',
  '%{ assert tcpi_rto > 0 }%', '%{ x = 1 / 0 }%', '`sysctl net.ipv4.tcp_rmem="1 1 1"`', '--mtu=68', '--local_isn=4294967290', '"', '`', '%{', '/*', '#', '\n',
);

function hasOutcome(text: string): void {
  const started = performance.now();
  const told = formatOutcome(runScript(text, 'x'));
  assert.match(told, /^(PASS x|FAIL x:\d+ |UNSUPPORTED x:\d+ )/);
  assert.ok(performance.now() - started < 5_000, 'took long');
}

describe('packetdrill: hostile scripts', function () {
  this.timeout(60_000);

  it('gives an outcome for any text', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ maxLength: 400 }), fc.string({ unit: 'binary', maxLength: 400 })), hasOutcome), { numRuns: 400 });
  });

  it('gives an outcome for pieces of the notation in any order', () => {
    fc.assert(fc.property(fc.array(PIECE, { maxLength: 30 }), (pieces) => hasOutcome(pieces.join(' '))), { numRuns: 1_500 });
    const prefix = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 1000\n+0 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 1000\n+0 accept(3, ..., ...) = 4\n';
    fc.assert(fc.property(fc.array(PIECE, { maxLength: 20 }), (pieces) => hasOutcome(`${prefix}+0 ${pieces.join(' ')}`)), { numRuns: 1_500 });
  });

  it('gives an outcome for real scripts with lines changed, doubled, moved and cut', () => {
    const mutated = fc.tuple(fc.constantFrom(...SCRIPTS), fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'cut', 'digit')), { minLength: 1, maxLength: 6 }));
    fc.assert(fc.property(mutated, ([script, changes]) => hasOutcome(changes.reduce(change, script))), { numRuns: 800 });
  });

  it('asks for gigabytes, deep nesting and endless waits in vain', () => {
    const open = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 65535 <mss 1000,nop,wscale 14>\n+0 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n';
    hasOutcome(`${open}+0...100 write(4, ..., 2147483647) = 2147483647`);
    hasOutcome(`${open}+0 write(4, ..., 2147483647) = 2147483647`);
    hasOutcome(`${open}${'* > . 1:1(0) ack 1\n'.repeat(1_000)}`);
    hasOutcome(`${open}${'+0 < . 1:1(0) ack 1 win 0\n'.repeat(20_000)}`);
    hasOutcome(`0 f(${'{a='.repeat(10_000)}`);
    hasOutcome(`0 %{ assert ${'('.repeat(50_000)} }%`);
    hasOutcome(`0 close(3) = ${'1|'.repeat(50_000)}1`);
    hasOutcome(`"${'\\'.repeat(500_000)}`);
  });
});

function change(script: string, [where, other, how]: readonly [number, number, string]): string {
  const lines = script.split('\n');
  const at = where % lines.length;
  const line = lines[at] ?? '';
  switch (how) {
    case 'drop':
      lines.splice(at, 1);
      break;
    case 'double':
      lines.splice(at, 0, line);
      break;
    case 'swap': {
      const to = other % lines.length;
      lines[at] = lines[to] ?? '';
      lines[to] = line;
      break;
    }
    case 'cut':
      lines[at] = line.slice(0, other % (line.length + 1));
      break;
    default:
      lines[at] = line.replace(/\d/, String(other % 10));
  }
  return lines.join('\n');
}
