/**
 * Runs in a namespace: a name server that lies as the name it is asked for says.
 *
 * `name-server PORT LIE TRUTH OWN ELSEWHERE`, where OWN and ELSEWHERE are addresses of the host. With port 5353 it
 * answers on the link (RFC 6762), from OWN. Asked for `HOW.then.…` it lies, then tells the truth; for `HOW.only.…` it only
 * lies: see {@link LIES}. It prints each name that it is asked for.
 */
import dgram from 'node:dgram';

const [portText, lie = '', truth = '', own = '', elsewhere = ''] = process.argv.slice(2);
const port = Number(portText);
const MDNS_PORT = 5_353;
const MDNS_GROUP = '224.0.0.251';
/** So many forged answers come before the true one, each with another id. */
const FLOOD = 500;
/** The true answer has a longer way than the lies. */
const TRUTH_AFTER_MS = 50;

const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
const otherAddress = dgram.createSocket({ type: 'udp4', reuseAddr: true });
const otherPort = dgram.createSocket('udp4');

/** Where the question ends: after the name, a type and a class. */
const endOf = (question: Buffer): number => question.indexOf(0, 12) + 5;

function nameOf(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; question[at] !== 0; at += 1 + (question[at] ?? 0)) labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
  return labels.join('.').toLowerCase();
}

/** A record of type A, of the name in question unless told. */
const record = (address: string, name: readonly number[] = [0xc0, 12]): Buffer =>
  Buffer.from([...name, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);

function answer(question: Buffer, what: Buffer, change?: (message: Buffer) => void): Buffer {
  const message = Buffer.concat([question.subarray(0, endOf(question)), what]);
  // A response with one question, one answer and nothing else.
  message.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
  change?.(message);
  return message;
}

type From = dgram.Socket;
const LIES: Readonly<Record<string, (question: Buffer) => readonly (readonly [From, Buffer])[]>> = {
  'wrong-id': (question) => [[socket, answer(question, record(lie), (message) => void message.writeUInt16BE(message.readUInt16BE(0) ^ 1, 0))]],
  // The first letter of the name is another.
  'wrong-question': (question) => [[socket, answer(question, record(lie), (message) => void (message[13] = 0x7a))]],
  'other-port': (question) => [[otherPort, answer(question, record(lie))]],
  'other-address': (question) => [[otherAddress, answer(question, record(lie))]],
  // The name of the record is a pointer to itself.
  'loop': (question) => [[socket, answer(question, record(lie, [0xc0 | (endOf(question) >> 8), endOf(question) & 255]))]],
  'flood': (question) => Array.from({ length: FLOOD }, (_, i) =>
    [socket, answer(question, record(lie), (message) => void message.writeUInt16BE((message.readUInt16BE(0) + 1 + i) & 0xffff, 0))] as const),
  'silent': () => [],
  // What follows is believed: the server's own word.
  'other-name': (question) => [[socket, answer(question, record(lie, [5, ...Buffer.from('other'), 4, ...Buffer.from('test'), 0]))]],
  'loopback': (question) => [[socket, answer(question, record('127.0.0.1'))]],
};

socket.on('message', (question, { address: to, port: toPort }) => {
  // A responder hears the answers of others, too.
  if ((question[2] ?? 0) & 0x80) return;
  const name = nameOf(question);
  process.stdout.write(`${name}\n`);
  const [how = '', mode] = name.split('.');
  for (const [from, message] of LIES[how]?.(question) ?? []) from.send(message, toPort, to);
  if (mode === 'then') setTimeout(() => socket.send(answer(question, record(truth)), toPort, to), TRUTH_AFTER_MS);
});
otherPort.bind();
otherAddress.bind(port, elsewhere);
socket.bind(port, () => {
  if (port === MDNS_PORT) {
    socket.addMembership(MDNS_GROUP, own);
    socket.setMulticastTTL(255);
  }
  process.stdout.write('listening\n');
});
