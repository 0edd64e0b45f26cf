/** Scripts against the stack: what is compared, when, and how the calls behave. */
import assert from 'node:assert/strict';
import { formatOutcome, runScript, type RunOptions } from './run-script';

/** A connection that is open at 0.1 s as descriptor 4, with a peer that offers nothing but an MSS of 1000. */
const OPEN = `--tolerance_usecs=1000
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 setsockopt(3, IPPROTO_TCP, TCP_QUICKACK, [0], 4) = 0
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 32792
+0 accept(3, ..., ...) = 4
`;
/** The line behind those. */
const NEXT = OPEN.split('\n').length;

function run(body: string, options: RunOptions = {}): string {
  return formatOutcome(runScript(OPEN + body, 'x', options));
}

function passes(body: string, options?: RunOptions): void {
  assert.equal(run(body, options), 'PASS x');
}

/** @param line counted from the body's first */
function fails(body: string, line: number, message: RegExp): void {
  const told = run(body);
  assert.match(told, new RegExp(`^FAIL x:${NEXT + line - 1} `), told);
  assert.match(told, message);
}

const WRITE = '+0 write(4, ..., 1500) = 1500\n';

describe('packetdrill: what is compared', () => {
  it('takes the packet that is expected', () => {
    passes(`${WRITE}+0 > . 1:1001(1000) ack 1 win 65535\n+0 > P. 1001:1501(500) ack 1`);
  });

  it('joins segments in a row into one packet of the script', () => {
    passes(`${WRITE}+0 > P. 1:1501(1500) ack 1`);
    const strict = runScript(`--strict_segments\n${OPEN}${WRITE}+0 > P. 1:1501(1500) ack 1`, 'x');
    assert.match(formatOutcome(strict), /expected > P\. 1:1501\(1500\) ack 1 at 0\.1 s, seen > \. 1:1001\(1000\) ack 1 at 0\.1 s \(no PSH, 1000 bytes\)/);
  });

  it('leaves it to segmentation offload where a joined packet has PSH', () => {
    passes('+0 write(4, ..., 12000) = 12000\n+0 > P. 1:10001(10000) ack 1');
    passes('+0 write(4, ..., 12000) = 12000\n+0 > . 1:10001(10000) ack 1');
    fails('+0 write(4, ..., 12000) = 12000\n+0 > P. 1:1001(1000) ack 1', 2, /\(no PSH\)/);
  });

  it('does not join what came later', () => {
    const apart = `+0 setsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0
+0 write(4, ..., 1000) = 1000
+.1 write(4, ..., 1000) = 1000
`;
    passes(`${apart}0.1 > P. 1:1001(1000) ack 1`);
    fails(`${apart}0.1 > P. 1:2001(2000) ack 1`, 4, /\(1000 bytes\)/);
  });

  const wrongs: readonly (readonly [string, string, RegExp])[] = [
    ['flags', '> P. 1:1001(1000) ack 1', /\(no PSH\)/],
    ['sequence number', '> . 2:1002(1000) ack 1', /\(sequence number 1\)/],
    ['length', '> . 1:901(900) ack 1', /\(1000 bytes\)/],
    ['acknowledgment', '> . 1:1001(1000) ack 2', /\(ack 1\)/],
    ['window', '> . 1:1001(1000) ack 1 win 1000', /\(win 65535\)/],
    ['urgent pointer', '> . 1:1001(1000) ack 1 urg 4', /\(urg 0\)/],
    ['options', '> . 1:1001(1000) ack 1 <nop,nop,TS val 1 ecr 2>', /\(options\)/],
    ['ECN field', '> [ect0] . 1:1001(1000) ack 1', /\(\[noecn\]\)/],
    ['TTL', '> [ttl 3] . 1:1001(1000) ack 1', /\(ttl 64\)/],
    ['TOS', '> [tos 0x10] . 1:1001(1000) ack 1', /\(tos 0x0\)/],
  ];
  for (const [what, packet, message] of wrongs) {
    it(`sees another ${what}`, () => fails(`${WRITE}+0 ${packet}`, 2, message));
  }

  it('sees a byte that is not what was written', () => {
    passes('+0 write(4, "hello", 5) = 5\n+0 > P. 1:6(5) ack 1');
    // Bytes of the peer's stream are checked where they are read: a segment that overlaps carries the same ones.
    passes('+0 < P. 1:11(10) ack 1 win 1000\n+0 < P. 6:21(15) ack 1 win 1000\n+0~+.1 > . 1:1(0) ack 21\n+0 read(4, ..., 100) = 20');
  });

  it('ignores what is left over at the end, as packetdrill does', () => passes(WRITE));

  it('sees a packet between two expected ones', () => {
    fails('+0 write(4, ..., 2500) = 2500\n+0 > . 1:1001(1000) ack 1\n+0 > P. 2001:2501(500) ack 1', 3, /sequence number 1001/);
  });

  it('maps timestamps, and checks the echoed one', () => {
    const withTs = (ecr: number): string => `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000,nop,nop,TS val 300 ecr 0>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 300>
+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 400 ecr 100>
+0 accept(3, ..., ...) = 4
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1 <nop,nop,TS val 200 ecr ${ecr}>
+.1 < . 1:1(0) ack 101 win 32792 <nop,nop,TS val 500 ecr 200>`;
    assert.equal(formatOutcome(runScript(withTs(400), 'x')), 'PASS x');
    assert.match(formatOutcome(runScript(withTs(401), 'x')), /FAIL x:9 .*TS val 200 ecr 400> at 0\.1 s \(options\)/);
    // With a tick of 1 ms the stack's clock must have gone on by 100 since the SYN-ACK.
    const ticking = `--tcp_ts_tick_usecs=1000\n${withTs(400)}`;
    assert.equal(formatOutcome(runScript(ticking, 'x')), 'PASS x');
    assert.match(formatOutcome(runScript(ticking.replace('TS val 200 ecr 400', 'TS val 210 ecr 400'), 'x')), /FAIL x:10 .*\(options\)/);
  });
});

describe('packetdrill: when', () => {
  it('accepts a time within the tolerance, and no other', () => {
    passes('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.3 > P. 1:11(10) ack 1');
    passes('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.2~+.4 > P. 1:11(10) ack 1');
    passes('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n0.4 > P. 1:11(10) ack 1');
    passes('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n* > P. 1:11(10) ack 1');
    fails('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.302 > P. 1:11(10) ack 1', 3, /at 0\.402 s, seen .* at 0\.4 s \(too early\)/);
    fails('+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.298 > P. 1:11(10) ack 1', 3, /seen nothing until > P?\.? ?.* at 0\.4 s/);
  });

  it('widens the tolerance by a share of the time that passed', () => {
    const body = '+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+.28 > P. 1:11(10) ack 1';
    fails(body, 3, /nothing until/);
    assert.equal(formatOutcome(runScript(`--tolerance_percent=12.5\n${OPEN}${body}`, 'x')), 'PASS x');
  });

  it('says what never came', () => {
    fails('+0 > . 1:1(0) ack 1', 1, /expected > \. 1:1\(0\) ack 1 at 0\.1 s, seen nothing by 0\.101 s/);
    fails('* > . 1:1(0) ack 1', 1, /seen nothing by/);
  });

  it('counts inbound packets from each other\'s starts and refuses times that are past', () => {
    passes('+.1 < . 1:1(0) ack 1 win 100\n0.2 < . 1:1(0) ack 1 win 200');
    fails('+.1 < . 1:1(0) ack 1 win 100\n0.1 < . 1:1(0) ack 1 win 200', 2, /at 0\.1 s, seen 0\.2 s/);
  });

  it('wants the first event at time 0', () => {
    assert.match(formatOutcome(runScript('1 close(3) = 0', 'x')), /^FAIL x:1 expected the first event at time 0/);
  });
});

describe('packetdrill: calls', () => {
  it('compares results and errors', () => {
    fails('+0 write(4, ..., 10) = 9', 1, /expected write\(\) = 9, seen write\(\) = 10/);
    fails('+0 write(9, ..., 10) = 10', 1, /seen write\(\) = -1 EBADF/);
    fails('+0 shutdown(3, SHUT_WR) = -1 EPIPE (Broken pipe)', 1, /ENOTCONN/);
    passes('+0 write(4, ..., 10) = ...\n+0 close(9) = -1 EBADF (Bad file descriptor)');
  });

  it('lets a blocking call return when it can, and at no other time than the script says', () => {
    passes('+0...0.05 read(4, ..., 100) = 10\n+.05 < P. 1:11(10) ack 1 win 1000');
    fails('+0...0.04 read(4, ..., 100) = 10\n+.05 < P. 1:11(10) ack 1 win 1000', 1, /read\(\) to return at 0\.14 s, seen its return at 0\.15 s/);
    fails('+0...0.04 read(4, ..., 100) = 10\n+1 close(4) = 0', 1, /still waiting/);
    fails('+0...0.04 read(4, ..., 100) = 10', 1, /still waiting/);
    fails('+0 read(4, ..., 100) = 10', 1, /read\(\) still waiting/);
  });

  it('blocks a writer until there is room for everything', () => {
    passes(`+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [2000], 4) = 0
+0...0.1 write(4, ..., 3000) = 3000
+0 > . 1:2001(2000) ack 1
+.1 < . 1:1(0) ack 2001 win 32792
+0 > P. 2001:3001(1000) ack 1
+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0
+0 write(4, ..., 3000) = 1000
+0 write(4, ..., 3000) = -1 EAGAIN (Resource temporarily unavailable)`.replace('> . 1:2001', '> P. 1:2001'));
  });

  it('polls: readable, writable, hung up, timed out', () => {
    passes(`+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1
+0...0.05 poll([{fd=4, events=POLLIN, revents=0}], 1, 50) = 0
+.1...0.15 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 1000) = 1
+.05 < FP. 1:11(10) ack 1 win 1000
+0 > . 1:1(0) ack 12
+0 poll([{fd=4, events=POLLIN|POLLRDHUP, revents=POLLIN|POLLRDHUP}, {fd=77, events=POLLIN, revents=POLLNVAL}], 2, 0) = 2`);
    fails('+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1', 1, /revents=POLLIN, seen revents=POLLOUT/);
  });

  it('counts what waits, in and out', () => {
    passes(`+0 < P. 1:11(10) ack 1 win 1000
+0 ioctl(4, SIOCINQ, [10]) = 0
+0 write(4, ..., 1500) = 1500
+0 ioctl(4, SIOCOUTQ, [1500]) = 0
+0 ioctl(4, SIOCOUTQNSD, [500]) = 0`);
    fails('+0 ioctl(4, SIOCINQ, [10]) = 0', 1, /expected \[10\], seen \[0\]/);
  });

  it('lets a reader lie until enough is there', () => {
    const wait = '+0 setsockopt(4, SOL_SOCKET, SO_RCVLOWAT, [1000], 4) = 0\n+0...0.1 read(4, ..., 2000) = 1000\n';
    const bytes = '+.05 < P. 1:501(500) ack 1 win 1000\n+.05 < P. 501:1001(500) ack 1 win 1000\n';
    passes(wait + bytes);
    fails(wait.replace('[1000]', '[1]') + bytes, 2, /seen read\(\) = 500/);
    passes('+0 setsockopt(4, SOL_SOCKET, SO_RCVLOWAT, [1000], 4) = 0\n+0 < P. 1:501(500) ack 1 win 1000\n+0 poll([{fd=4, events=POLLIN, revents=0}], 1, 0) = 0');
  });

  it('counts what crossed the wire', () => {
    passes(`+1 < P. 1:101(100) ack 1 win 32792
+0~+.1 > . 1:1(0) ack 101
+.5 write(4, ..., 1500) = 1500
+0 > P. 1:1501(1500) ack 101
+.1 < . 101:101(0) ack 1001 win 32792
+0 %{ assert tcpi_bytes_acked == 1000 and tcpi_bytes_sent == 1500 and tcpi_bytes_retrans == 0 and tcpi_data_segs_out == 2 and tcpi_data_segs_in == 1 }%
+0 %{ assert tcpi_last_data_sent == 100 and tcpi_last_ack_recv == 0 and 600 <= tcpi_last_data_recv <= 650, (tcpi_last_data_sent, tcpi_last_data_recv) }%
+1 %{ assert tcpi_bytes_retrans > 0 and tcpi_bytes_retrans == tcpi_bytes_sent - 1500 and tcpi_pmtu == 1500 }%`);
  });

  it('gives out after shutdown(SHUT_RD) what is there, and then the end', () => {
    passes('+0 < P. 1:11(10) ack 1 win 1000\n+0~+.1 > . 1:1(0) ack 11\n+0 shutdown(4, SHUT_RD) = 0\n+0 read(4, ..., 100) = 10\n+0 read(4, ..., 100) = 0');
  });

  it('takes several buffers as one', () => {
    passes(`+0 writev(4, [{..., 100}, {..., 200}], 2) = 300
+0 > P. 1:301(300) ack 1
+0 < P. 1:301(300) ack 301 win 1000
+0 readv(4, [{..., 100}, {..., 100}], 2) = 200
+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 500}], msg_flags=0}, 0) = 100
+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 50}], msg_flags=0}, 0) = 50
+0 > P. 301:351(50) ack 301`);
  });

  it('keeps a connection alive, or not, as its options say', () => {
    const options = '+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n+0 setsockopt(4, IPPROTO_TCP, TCP_KEEPIDLE, [5], 4) = 0\n+0 getsockopt(4, IPPROTO_TCP, TCP_KEEPIDLE, [5], [4]) = 0\n';
    passes(`${options}+5 > . 0:0(0) ack 1`);
    fails('+5 > . 0:0(0) ack 1', 1, /nothing by/);
  });

  it('chooses the congestion control before there is a connection', () => {
    const choose = (name: string): string => OPEN.replace('+0 listen', `+0 setsockopt(3, IPPROTO_TCP, TCP_CONGESTION, "${name}", 4) = 0\n+0 listen`);
    const ask = '+0 getsockopt(4, IPPROTO_TCP, TCP_CONGESTION, "reno", [4]) = 0';
    assert.equal(formatOutcome(runScript(choose('reno') + ask, 'x')), 'PASS x');
    assert.match(formatOutcome(runScript(choose('cubic') + ask, 'x')), /FAIL .*expected "reno", seen "cubic"/);
    assert.match(formatOutcome(runScript(choose('bbr') + ask, 'x')), /UNSUPPORTED x:5 congestion control "bbr"/);
  });

  it('sets the largest segment that is offered', () => {
    const script = OPEN.replace('+0 bind', '+0 setsockopt(3, IPPROTO_TCP, TCP_MAXSEG, [500], 4) = 0\n+0 bind').replace('<mss 1460>', '<mss 500>');
    assert.equal(formatOutcome(runScript(`${script}+0 write(4, ..., 600) = 600\n+0 > . 1:501(500) ack 1`, 'x')), 'PASS x');
  });

  it('opens to an address and port that the script names, from one that it bound', () => {
    assert.equal(formatOutcome(runScript(`0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 bind(3, {sa_family = AF_INET, sin_port = htons(5555), sin_addr = inet_addr("0.0.0.0")}, ...) = 0
+0 connect(3, {sa_family = AF_INET, sin_port = htons(81), sin_addr = inet_addr("192.0.2.1")}, ...) = -1 EINPROGRESS (x)
+0 > 5555>81 S 0:0(0) <...>`, 'x')), 'PASS x');
  });

  it('keeps connections apart by the ports in their packets', () => {
    passes(`+0 < 40500>8080 S 100:100(0) win 1000 <mss 500>
+0 > 8080>40500 S. 0:0(0) ack 101 <mss 1460>
+0 write(4, ..., 100) = 100
+0 > P. 1:101(100) ack 1
+0 < 40500>8080 . 1:1(0) ack 1 win 1000
+0 accept(3, ..., ...) = 5
+0 write(5, ..., 100) = 100
+0 > 8080>40500 P. 1:101(100) ack 1`);
  });
});

describe('packetdrill: outcomes', () => {
  const unsupported: readonly (readonly [string, string])[] = [
    ['+0 epoll_create(1) = 5', 'epoll_create()'],
    ['+0 setsockopt(4, IPPROTO_TCP, TCP_FASTOPEN, [1], 4) = 0', 'socket option TCP_FASTOPEN'],
    ['+0 setsockopt(4, IPPROTO_TCP, TCP_CORK, [1], 4) = 0', 'socket option TCP_CORK with value 1'],
    ['+0 send(4, ..., 10, MSG_ZEROCOPY) = 10', 'MSG_ZEROCOPY'],
    ['+0 send(4, ..., 10, MSG_MORE) = 10', 'MSG_MORE'],
    ['+0 send(4, ..., 10, 1) = 10', 'MSG_OOB'],
    ['+0 recv(4, ..., 10, MSG_PEEK) = 10', 'MSG_PEEK'],
    ['+0 recv(4, ..., 10, 2) = 10', 'MSG_PEEK'],
    ['+0 < S 0:0(0) win 1 <FO TFO_COOKIE,nop,nop>', 'Fast Open cookie TFO_COOKIE'],
    ['+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 5', 'SOCK_DGRAM'],
    ['+0 %{ import os }%', "code: statement 'import'"],
    ['+0 %{ assert tcpi_unheard_of == 1 }%', 'code: name tcpi_unheard_of'],
    ['+0 < udp (10)', 'packet udp'],
  ];
  for (const [body, construct] of unsupported) {
    it(`is unsupported with its line: ${construct}`, () => assert.equal(run(body), `UNSUPPORTED x:${NEXT} ${construct}`));
  }

  it('is unsupported even if something before it fails', () => {
    assert.equal(run('+0 write(4, ..., 10) = 9\n+0 epoll_create(1) = 5'), `UNSUPPORTED x:${NEXT + 1} epoll_create()`);
  });

  it('fails on an assertion with the values it is about', () => {
    passes('+0 %{ assert tcpi_snd_mss == 1000 and tcpi_state == TCP_ESTABLISHED }%');
    fails('+0 %{ assert tcpi_snd_mss == 999 }%', 1, /expected assert tcpi_snd_mss == 999, seen tcpi_snd_mss = 1000/);
    fails('+0 %{ assert 1 / 0 }%', 1, /ZeroDivisionError/);
  });

  it('is one line whatever the script holds', () => {
    const told = formatOutcome(runScript('0 close(3) = 0\n+0 "a\nPASS y"', 'x\nPASS z'));
    assert.equal(told.split('\n').length, 1);
  });

  it('lets no setting of the script undo a mutation', () => {
    const body = '+0 setsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n+0 write(4, ..., 10) = 10\n+0 > P. 11:21(10) ack 1';
    passes(body);
    assert.match(run(body, { mutation: { nagle: true } }), new RegExp(`^FAIL x:${NEXT + 4} .*nothing until`));
  });

  it('starts the stack\'s sequence numbers where --local_isn says', () => {
    const script = `--local_isn=4294967295\n${OPEN.replace('> S. 0:0(0)', '> S. 4294967295:4294967295(0)')}+0 %{ assert tcpi_unacked == 0 }%`;
    assert.equal(formatOutcome(runScript(script, 'x')), 'PASS x');
  });

  it('starts the stack\'s timestamps where --local_timestamp says', () => {
    const script = (first: number): string => `--local_timestamp=${first}
--tcp_ts_tick_usecs=1000
0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3
+0 connect(3, ..., ...) = -1 EINPROGRESS (x)
+0 > S 0:0(0) <mss 1460,sackOK,TS val ${first} ecr 0,nop,wscale 7>
+1 > S 0:0(0) <mss 1460,sackOK,TS val ${(first + 1_000) % 2 ** 32} ecr 0,nop,wscale 7>`;
    for (const first of [0, 77, 2 ** 32 - 500]) assert.equal(formatOutcome(runScript(script(first), 'x')), 'PASS x');
  });

  it('ends at its limits', () => {
    let wall = 0;
    const acks = '+.01 < . 1:1(0) ack 1 win 1000\n'.repeat(1_000);
    assert.match(run(acks, { wallNow: () => (wall += 6_000) }), /^FAIL x:\d+ expected an end within 10 s on the wall, seen none$/);
    assert.match(run('+0 write(4, ..., 10) = 10\n+1000000 < . 1:1(0) ack 1 win 1000\n+0 > . 1:1(0) ack 1'), /^FAIL x:\d+ expected an end within 48 hours of script time, seen none$/);
    assert.match(formatOutcome(runScript(' '.repeat((1 << 20) + 1), 'x')), /^FAIL x:1 expected at most 1048576 bytes/);
  });
});
