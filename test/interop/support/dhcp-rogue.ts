/**
 * Runs in a namespace: a DHCP server that misbehaves. `dhcp-rogue HOW [ADDRESS]`, where it offers ADDRESS and then, as HOW says,
 * - `nak`: refuses each request; `storm`: the same, twenty times over; `silent`: answers none; `none`: gives it for no time;
 *   `other`: gives another address;
 * - `garbage`: answers with nothing that could be a lease, each in its own way: see {@link garbage}.
 */
import dgram from 'node:dgram';

const [how = '', address = '0.0.0.0'] = process.argv.slice(2);
const OWN = '10.77.0.66';
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;
const NAK = 6;
const OPTIONS_AT = 240;

type Options = readonly (readonly [code: number, value: readonly number[]])[];
interface Reply {
  readonly yiaddr?: string;
  readonly options?: Options;
  /** After the message is written. */
  readonly change?: (message: Buffer) => Buffer | void;
}

const dotted = (text: string): number[] => text.split('.').map(Number);
const seconds = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const LEASE: Options = [[54, dotted(OWN)], [1, [255, 255, 255, 0]], [3, dotted(OWN)], [6, dotted(OWN)], [51, seconds(3_600)]];

/** The usual options, but for those that are replaced; null: left out. */
function but(...changes: readonly (readonly [code: number, value: readonly number[] | null])[]): Options {
  const kept = LEASE.filter(([code]) => !changes.some(([changed]) => changed === code));
  return [...kept, ...changes.flatMap(([code, value]) => (value === null ? [] : [[code, value] as const]))];
}

function build(query: Buffer, type: number, { yiaddr = address, options = LEASE, change }: Reply): Buffer {
  const list = [53, 1, type, ...options.flatMap(([code, value]) => [code, value.length, ...value]), 255];
  const message = Buffer.alloc(Math.max(300, OPTIONS_AT + list.length));
  message.set([2, 1, 6, 0]);
  query.copy(message, 4, 4, 8);
  message.writeUInt16BE(0x8000, 10);
  message.set(dotted(yiaddr), 16);
  query.copy(message, 28, 28, 44);
  message.set([0x63, 0x82, 0x53, 0x63], 236);
  message.set(list, OPTIONS_AT);
  return change?.(message) ?? message;
}

/** 20 answers: each has one thing wrong. */
export function garbage(type: number): Reply[] {
  const good = '10.77.0.67';
  const wrong = (reply: Reply): Reply => ({ yiaddr: good, ...reply });
  return [
    wrong({ change: (message) => void (message[4] = (message[4] ?? 0) ^ 1) }),
    wrong({ change: (message) => void (message[33] = (message[33] ?? 0) ^ 1) }),
    wrong({ change: (message) => void (message[236] = 0) }),
    wrong({ change: (message) => void (message[0] = 1) }),
    wrong({ change: (message) => void message.writeUInt16BE(0x0706, 1) }),
    // An option longer than the message, and one whose length is missing.
    wrong({ change: (message) => void message.fill(0, OPTIONS_AT + 3).set([51, 255], message.length - 2) }),
    wrong({ change: (message) => Buffer.concat([message.subarray(0, OPTIONS_AT + 3), Buffer.from([51])]) }),
    // The options go on in the fields file and sname, which say the same again; the lease time is in none.
    wrong({ options: but([51, null], [52, [3]]), change: (message) => void (message.set([52, 1, 3, 255], 108), message.set([52, 1, 3, 255], 44)) }),
    // An option that runs out of the field.
    wrong({ options: but([52, [1]]), change: (message) => void message.set([12, 200], 108) }),
    wrong({ change: (message) => message.subarray(0, 239) }),
    wrong({ options: but([53, [type, type]]) }),
    wrong({ options: but([54, null]) }),
    wrong({ options: but([54, [224, 0, 0, 1]]) }),
    wrong({ options: but([51, seconds(0)]) }),
    wrong({ options: but([1, [255, 0, 255, 0]]) }),
    { yiaddr: '255.255.255.255' }, { yiaddr: '224.0.0.1' }, { yiaddr: '10.77.0.255' }, { yiaddr: '127.0.0.1' }, { yiaddr: OWN },
  ];
}

function answers(query: Buffer, type: number): Buffer[] {
  const isRequest = type === REQUEST;
  const reply = isRequest ? ACK : OFFER;
  if (how === 'garbage') return garbage(reply).map((one) => build(query, reply, one));
  if (!isRequest) return [build(query, OFFER, {})];
  // Of requests that name another server it is silent; so would an honest one be.
  if (!query.includes(Buffer.from([54, 4, ...dotted(OWN)]))) return [];
  const nak = (): Buffer => build(query, NAK, { yiaddr: '0.0.0.0', options: [[54, dotted(OWN)]] });
  switch (how) {
    case 'nak':
      return [nak()];
    case 'storm':
      return Array.from({ length: 20 }, nak);
    case 'none':
      return [build(query, ACK, { options: but([51, seconds(0)]) })];
    case 'other':
      return [build(query, ACK, { yiaddr: '10.77.0.68' })];
    default:
      return [];
  }
}

const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true }, (query) => {
  // The message type is the first option of our stack's messages.
  const type = query[OPTIONS_AT + 2] ?? 0;
  process.stdout.write(`${type}\n`);
  if (query[0] === 1) for (const answer of answers(query, type)) socket.send(answer, 68, '255.255.255.255');
});
socket.bind(67, () => {
  socket.setBroadcast(true);
  process.stdout.write('listening\n');
});
