/**
 * Runs in a namespace, over the kernel's network: `echo-server PORT`, `http-server PORT [ADDRESS]`,
 * `echo-client ADDRESS PORT BYTES`,
 * `udp-echo-server PORT`, `udp-echo-client ADDRESS PORT BYTES`, `udp-flood ADDRESS PORT MS`, `dns-liar ADDRESS TRUTH`; and beside
 * it: `send-frame HEX TIMES`.
 */
import { createHash, randomFillSync } from 'node:crypto';
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import { openPcap, SystemClock } from '../../../stack';

const [role, ...words] = process.argv.slice(2);

function server(port: number): void {
  net.createServer({ allowHalfOpen: true }, (socket) => {
    // The other side may reset: that is the test's affair.
    socket.on('error', () => socket.destroy()).pipe(socket);
  }).listen(port, () => process.stdout.write('listening\n'));
}

/** Tells each client its own address. */
function httpServer(port: number, address?: string): void {
  http.createServer((request, response) => {
    response.end(`from ${request.socket.remoteAddress?.replace('::ffff:', '')}`);
  }).listen({ port, host: address }, () => process.stdout.write('listening\n'));
}

function client(address: string, port: number, bytes: number): void {
  const data = randomFillSync(Buffer.alloc(bytes));
  const hash = createHash('sha256');
  let received = 0;
  const socket = net.connect({ host: address, port, allowHalfOpen: true }, () => socket.end(data));
  socket.on('error', (error) => process.stdout.write(`error ${error.message}\n`));
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    hash.update(chunk);
  });
  socket.on('end', () => {
    const intact = hash.digest('hex') === createHash('sha256').update(data).digest('hex');
    process.stdout.write(`${received} ${intact ? 'intact' : 'damaged'}\n`);
  });
}

function udpEchoServer(port: number): void {
  const socket = dgram.createSocket('udp4', (data, from) => socket.send(data, from.port, from.address));
  socket.bind(port, () => process.stdout.write('listening\n'));
}

function udpClient(address: string, port: number, bytes: number): void {
  const data = randomFillSync(Buffer.alloc(bytes));
  const socket = dgram.createSocket('udp4', (answer) => {
    process.stdout.write(`${answer.length} ${answer.equals(data) ? 'intact' : 'damaged'}\n`);
    socket.close();
  });
  socket.send(data, port, address);
}

/**
 * A name server that answers each question for an A record with lies that a resolver can tell: another id, another
 * question, another port, a broken message, each naming `lie`. Last, if TRUTH is an address, the true answer.
 */
function dnsLiar(lie: string, truth: string): void {
  const answer = (question: Buffer, address: string, change?: (message: Buffer) => void): Buffer => {
    const end = question.indexOf(0, 12) + 5;
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]);
    const message = Buffer.concat([question.subarray(0, end), record]);
    // A response, one question, one answer, nothing else.
    message.set([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], 2);
    change?.(message);
    return message;
  };
  const other = dgram.createSocket('udp4').bind();
  const socket = dgram.createSocket('udp4', (question, { address, port }) => {
    const reply = (message: Buffer): void => void socket.send(message, port, address);
    reply(answer(question, lie, (message) => void message.writeUInt16BE(message.readUInt16BE(0) ^ 1, 0)));
    reply(answer(question, lie, (message) => void (message[13] = 0x7a)));
    other.send(answer(question, lie), port, address);
    reply(answer(question, lie).subarray(0, 15));
    if (truth !== '') setTimeout(() => reply(answer(question, truth)), 20);
  });
  socket.bind(53, () => process.stdout.write('listening\n'));
}

/** As many small datagrams as the kernel takes. */
function flood(address: string, port: number, ms: number): void {
  const socket = dgram.createSocket('udp4');
  const data = Buffer.alloc(64);
  const end = performance.now() + ms;
  let sent = 0;
  const burst = (): void => {
    if (performance.now() > end) {
      process.stdout.write(`${sent}\n`);
      socket.close();
      return;
    }
    let waiting = 64;
    for (let i = 0; i < 64; i++) {
      socket.send(data, port, address, (error) => {
        if (!error) sent++;
        if (--waiting === 0) setImmediate(burst);
      });
    }
  };
  burst();
}

function sendFrame(frame: Buffer, times: number): void {
  const { device, failures } = openPcap({ interface: 'eth0', binding: 'libpcap', clock: new SystemClock() });
  if (device === null) throw new Error(JSON.stringify(failures));
  for (let i = 0; i < times; i++) device.send(frame, frame.length);
  process.stdout.write(`${device.counters.txFrames}\n`);
  device.close();
}

if (role === 'echo-server') server(Number(words[0]));
else if (role === 'http-server') httpServer(Number(words[0]), words[1]);
else if (role === 'echo-client') client(words[0] ?? '', Number(words[1]), Number(words[2]));
else if (role === 'udp-echo-server') udpEchoServer(Number(words[0]));
else if (role === 'udp-echo-client') udpClient(words[0] ?? '', Number(words[1]), Number(words[2]));
else if (role === 'dns-liar') dnsLiar(words[0] ?? '', words[1] ?? '');
else if (role === 'udp-flood') flood(words[0] ?? '', Number(words[1]), Number(words[2]));
else if (role === 'send-frame') sendFrame(Buffer.from(words[0] ?? '', 'hex'), Number(words[1]));
else throw new Error(`unknown role ${role}`);
