/** The notation: tokens, packets, times, calls, and where a script is wrong. */
import assert from 'node:assert/strict';
import { ACK, CWR, ECE, PSH, SYN, type Call, type IcmpPacketSpec, type TcpPacketSpec } from './syntax/ast';
import { tokenize } from './syntax/lexer';
import { parseScript } from './syntax/parser';
import { ScriptFailure, UnsupportedConstruct } from './syntax/script-error';

function tcp(text: string): TcpPacketSpec {
  const [event] = parseScript(`0 ${text}`).events;
  assert.ok(event?.action.type === 'packet' && event.action.packet.type === 'tcp');
  return event.action.packet;
}

function icmp(text: string): IcmpPacketSpec {
  const [event] = parseScript(`0 ${text}`).events;
  assert.ok(event?.action.type === 'packet' && event.action.packet.type === 'icmp');
  return event.action.packet;
}

function call(text: string): Call {
  const [event] = parseScript(`0 ${text}`).events;
  assert.ok(event?.action.type === 'call');
  return event.action.call;
}

/** The line and what was expected of a script that is wrong. */
function wrong(text: string): { line: number; expected: string } {
  try {
    parseScript(text);
  } catch (error) {
    if (error instanceof ScriptFailure) return { line: error.line, expected: error.expected };
    throw error;
  }
  throw new Error(`parsed: ${text}`);
}

function unsupported(text: string): string {
  try {
    parseScript(text);
  } catch (error) {
    if (error instanceof UnsupportedConstruct) return error.construct;
    throw error;
  }
  throw new Error(`parsed: ${text}`);
}

describe('packetdrill: tokens', () => {
  const kinds = (text: string): string[] => tokenize(text).map(({ kind, text: word }) => `${kind} ${word}`).slice(0, -1);

  it('parts an ellipsis from the numbers around it', () => {
    assert.deepEqual(kinds('+0...0.100'), ['symbol +', 'integer 0', 'ellipsis ...', 'float 0.100']);
    assert.deepEqual(kinds('+.1....2'), ['symbol +', 'float .1', 'ellipsis ...', 'float .2']);
  });

  it('takes the longest match', () => {
    assert.deepEqual(kinds('192.168.0.1 1.5 12ab 0x1F -1 P. --mtu'), [
      'address 192.168.0.1', 'float 1.5', 'word 12ab', 'hex 0x1F', 'integer -1', 'word P', 'symbol .', 'option --mtu',
    ]);
  });

  it('leaves comments of all three kinds out, and counts their lines', () => {
    const tokens = tokenize('// one\n# two\n/* three\nfour */ word\n"a // no comment"');
    assert.deepEqual(tokens.map(({ text, line }) => `${line} ${text}`).slice(0, 2), ['4 word', '5 a // no comment']);
  });

  it('keeps commands and code as they are', () => {
    assert.deepEqual(kinds('`sysctl a="b"\n x` %{ assert x == {} }%'), ['command sysctl a="b"\n x', 'code  assert x == {} ']);
  });

  it('says where a quote without an end begins', () => {
    for (const text of ['\n"abc', '\n`abc', '\n%{ abc', '\n/* abc']) assert.equal(wrong(text).line, 2, text);
  });
});

describe('packetdrill: packets', () => {
  it('reads everything a segment can have', () => {
    assert.deepEqual(tcp('> [ect0] 80>4000 PE. 1:1001(1000) ack 7 win 257 urg 3 <nop,nop,TS val 1 ecr 2>'), {
      type: 'tcp', inbound: false, ip: { ecn: 'ect0', tos: null, ttl: null }, ports: { source: 80, destination: 4000 },
      flags: PSH | ECE | ACK, seq: 1, payloadBytes: 1000, ack: 7, window: 257, urgent: 3,
      options: [{ kind: 'nop' }, { kind: 'nop' }, { kind: 'TS', val: 1, ecr: 2 }],
    });
  });

  it('reads flags: none, SYN with ECE and CWR, ACK alone', () => {
    assert.equal(tcp('> - 0:0(0)').flags, 0);
    assert.equal(tcp('> SEW 0:0(0)').flags, SYN | ECE | CWR);
    assert.equal(tcp('> . 0:0(0)').flags, ACK);
  });

  it('reads the options of a SYN, SACK blocks and Fast Open cookies', () => {
    assert.deepEqual(tcp('> S 0:0(0) <mss 1460,sackOK,wscale 8,nop,nop,nop>').options?.slice(0, 3), [
      { kind: 'mss', bytes: 1460 }, { kind: 'sackOK' }, { kind: 'wscale', shift: 8 },
    ]);
    assert.deepEqual(tcp('< . 1:1(0) ack 1 win 1 <nop,nop,sack 1:2 5:9>').options?.[2], { kind: 'sack', edges: [1, 2, 5, 9] });
    assert.deepEqual(tcp('< S 0:0(0) win 1 <FOEXP 12cd,nop,nop>').options?.[0], { kind: 'other', number: 254, data: Uint8Array.from([0xf9, 0x89, 0x12, 0xcd]) });
    assert.deepEqual(tcp('< S 0:0(0) win 1 <FO,nop,nop>').options?.[0], { kind: 'other', number: 34, data: Uint8Array.from([]) });
  });

  it('leaves options and window unchecked where the script says nothing of them', () => {
    assert.equal(tcp('> . 1:1(0) ack 1 <...>').options, null);
    assert.equal(tcp('> . 1:1(0) ack 1').window, null);
    assert.deepEqual(tcp('> . 1:1(0) ack 1').options, []);
  });

  it('takes sequence numbers that wrap', () => {
    assert.equal(tcp('> . 4294967295:4(5) ack 1').seq, 4294967295);
    assert.equal(tcp('> . 4294967295:4(5) ack 1').payloadBytes, 5);
  });

  it('refuses what contradicts itself', () => {
    assert.match(wrong('0 > . 1:1000(1000) ack 1').expected, /the end 1001/);
    assert.match(wrong('0 < . 1:1(0) ack 1').expected, /win/);
    assert.match(wrong('0 > S 0:0(0) <wscale 7>').expected, /multiple of 4/);
    assert.match(wrong('0 > . 1:1(0) ack 1 <sack 1:2 3:4 5:6 7:8 9:10,nop,nop>').expected, /40 bytes/);
    assert.match(wrong('0 < . 1:1(0) ack 1 win 70000').expected, /a window/);
    assert.match(wrong('0 < . 1:1(0) ack 1 win 1 <...>').expected, /outbound/);
    assert.match(wrong('0 < [ect01] . 1:1(0) ack 1 win 1').expected, /outbound/);
    assert.match(wrong('0 > Q 1:1(0)').expected, /flags/);
    assert.match(wrong('0 > S 0:0(0) <FO abc>').expected, /hexadecimal/);
  });

  it('reads ICMP errors, with the quoted segment before or behind', () => {
    const expected = { type: 'icmp', icmpType: 3, code: 4, mtu: 1400, quotedSeq: 1461 };
    assert.deepEqual(icmp('< icmp unreachable frag_needed mtu 1400 [1461:2921(1460)]'), expected);
    assert.deepEqual(icmp('< [1461:2921(1460)] icmp unreachable frag_needed mtu 1400'), expected);
    assert.deepEqual(icmp('< icmp type_11 code_1'), { type: 'icmp', icmpType: 11, code: 1, mtu: null, quotedSeq: 0 });
    assert.match(wrong('0 < icmp constructor').expected, /ICMP type/);
    assert.match(wrong('0 < icmp unreachable toString').expected, /ICMP code/);
    assert.match(wrong('0 < icmp source_quench mtu 3').expected, /frag_needed/);
  });

  it('names what it has no notion of', () => {
    const cases: [string, string][] = [
      ['0 < udp (100)', 'packet udp'],
      ['0 < ipv6 ::1', 'packet ipv6'],
      ['0 < gre: . 1:1(0)', 'packet gre'],
      ['0 > . 1:1(0) ack 1 <md5 00>', 'TCP option md5'],
      ['0 > . 1:1(0) ack 1 <mp_capable v1>', 'TCP option mp_capable'],
      ['0 > P.5 1:1(0) ack 1', 'AccECN counter in the flags'],
      ['0 > SEWA 0:0(0)', 'AccECN, flag A'],
      ['0 < S 0:0(0) win 1 <FO TFO_COOKIE,nop,nop>', 'Fast Open cookie TFO_COOKIE'],
      ['0 > [flowlabel 0x1] . 1:1(0) ack 1', 'IPv6 flow label'],
      ['0 < . 1:1(0) ack 1 win 1 {mut ip ihl}', 'mutation of a packet { … }'],
      ['0 > icmp unreachable', 'outbound icmp packet'],
    ];
    for (const [text, construct] of cases) assert.equal(unsupported(text), construct);
  });
});

describe('packetdrill: events', () => {
  it('reads every kind of time as microseconds', () => {
    const { events } = parseScript('0 > . 1:1(0)\n+.1 > . 1:1(0)\n* > . 1:1(0)\n0.5~0.6 > . 1:1(0)\n+.1~+.25 > . 1:1(0)');
    assert.deepEqual(events.map(({ time }) => time), [
      { kind: 'absolute', us: 0 }, { kind: 'relative', us: 100_000 }, { kind: 'any' },
      { kind: 'absolute-range', us: 500_000, endUs: 600_000 }, { kind: 'relative-range', us: 100_000, endUs: 250_000 },
    ]);
  });

  it('has * and ranges for outbound packets only, forward only, and no negative times', () => {
    assert.match(wrong('* < . 1:1(0) ack 1 win 1').expected, /outbound/);
    assert.match(wrong('0.1~0.2 close(3) = 0').expected, /outbound/);
    assert.match(wrong('0.2~0.1 > . 1:1(0)').expected, /forward/);
    assert.match(wrong('-1 > . 1:1(0)').expected, /a time/);
  });

  it('reads calls with their results, errors and ends', () => {
    assert.deepEqual(call('...0.25 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)'), {
      name: 'connect', args: [{ type: 'number', value: 3 }, { type: 'ellipsis' }, { type: 'ellipsis' }],
      result: { type: 'number', value: -1 }, errno: 'EINPROGRESS', endUs: 250_000,
    });
    assert.deepEqual(call('fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)').result, { type: 'number', value: 2 });
  });

  it('reads structures, lists, addresses and flags', () => {
    const { args } = call('poll([{fd=3, events=POLLIN|POLLOUT, revents=0}], 1, 100) = 1');
    assert.deepEqual(args[0], {
      type: 'list',
      items: [{
        type: 'struct',
        fields: [
          { name: 'fd', value: { type: 'number', value: 3 } },
          { name: 'events', value: { type: 'or', terms: [{ type: 'word', name: 'POLLIN' }, { type: 'word', name: 'POLLOUT' }] } },
          { name: 'revents', value: { type: 'number', value: 0 } },
        ],
      }],
    });
    assert.deepEqual(call('sendmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0}, 0) = 10').args[1]?.type, 'struct');
    assert.deepEqual(call('bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}, ...) = 0').args[1]?.type, 'struct');
    assert.deepEqual(call('write(3, "a\\n" "b\\x41", 4) = 4').args[1], { type: 'string', text: 'a\nbA' });
  });

  it('takes options, and commands before, between and behind the events', () => {
    const script = parseScript('--tolerance_usecs=10000\n--define=A="b"\n`one`\n0 close(3) = 0\n+0 `two`\n+0 %{ pass }%\n`three`');
    assert.deepEqual(script.options.map(({ name, value }) => [name, value]), [['tolerance_usecs', '10000'], ['define', 'A=b']]);
    assert.deepEqual(script.initCommands.map(({ text }) => text), ['one']);
    assert.deepEqual(script.events.map(({ action }) => action.type), ['call', 'command', 'code']);
    assert.deepEqual(script.cleanupCommands.map(({ text }) => text), ['three']);
  });

  it('says which line is wrong, and what should be there', () => {
    assert.deepEqual(wrong('0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 listen(3, 1 = 0'), { line: 2, expected: "',' or ')'" });
    assert.equal(wrong('').expected, 'an event');
    assert.equal(wrong('0 close(3) = 0\n\nfoo').line, 3);
    assert.match(wrong(`0 f(${'['.repeat(100)}`).expected, /brackets/);
  });
});
