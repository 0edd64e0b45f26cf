/**
 * One end of the pair: `download|upload BINDING ADDRESS`, `raw-receive BINDING`, `raw-send BINDING [MAC]`, `blast`,
 * `kernel-source`, `kernel-sink`, `kernel-download|kernel-upload ADDRESS`, which print Gbit/s; `send-share BINDING
 * ADDRESS`, which prints percent; `udp-sink`, which prints its MAC address; `http-server PORT`, and
 * `http-client ADDRESS PORT kept|once WARM-UP REQUESTS`, which prints ms.
 */
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import { CryptoRandom, openPcap, parseIpv4, runStack, Stack, SystemClock, type PcapBinding, type PcapDevice } from '../../../stack';

const PORT = 5_001;
const WARM_UP_BYTES = 64 << 20;
/** Measured for so long, ms. */
const MEASURE_MS = 3_000;
const FRAME_BYTES = 1_514;
const CHUNK = Buffer.alloc(1 << 18, 0x5a);
const OUR_MAC = Uint8Array.of(2, 0x52, 0x4e, 0, 0, 7);
const OUR_ADDRESS = '10.77.0.2';
const clock = new SystemClock();

class Meter {
  private bytes = 0;
  private startedAt = 0;

  take(bytes: number): void {
    this.bytes += bytes;
    if (this.startedAt === 0 && this.bytes >= WARM_UP_BYTES) {
      this.startedAt = performance.now();
      this.bytes = 0;
    }
    const elapsed = this.startedAt === 0 ? 0 : performance.now() - this.startedAt;
    if (elapsed >= MEASURE_MS) finish((this.bytes * 8) / elapsed / 1e6);
  }
}

let finished = false;

/** Only the first time: what has arrived with it is counted still. */
function finish(figure: number): void {
  if (finished) return;
  finished = true;
  process.stdout.write(`${figure}\n`, () => process.exit(0));
}

function open(binding: PcapBinding, mac?: Uint8Array): PcapDevice {
  const { device, failures } = openPcap({ interface: 'eth0', binding, clock, ...(mac && { mac }) });
  if (device === null) throw new Error(failures.map(({ reason }) => reason).join('; '));
  return device;
}

function ipv4(text: string): number {
  const address = parseIpv4(text);
  if (address === null) throw new Error(`${text} is no IPv4 address`);
  return address;
}

/** An IPv4 header (RFC 791 §3.1) of a datagram of `FRAME_BYTES`, with the source and destination's last byte. */
function header(source: number, destination: number): Uint8Array {
  const bytes = Uint8Array.of(0x45, 0, 0x05, 0xdc, 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, source, 10, 77, 0, destination);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) + (bytes[i + 1] ?? 0);
  const checksum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  bytes.set([checksum >>> 8, checksum & 0xff], 10);
  return bytes;
}

/** A datagram from the peer to our address; only its length matters. */
function frame(source: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.set(OUR_MAC, 0);
  bytes.set(source, 6);
  bytes.set([8, 0, ...header(1, 2)], 12);
  return bytes;
}

/** A datagram to the peer's UDP socket, without a checksum of its own (RFC 768): its kernel takes it. */
function frameToPeer(mac: Uint8Array): Uint8Array {
  const bytes = frame(OUR_MAC);
  bytes.set(mac, 0);
  const length = FRAME_BYTES - 34;
  bytes.set([...header(2, 1), PORT >>> 8, PORT & 0xff, PORT >>> 8, PORT & 0xff, length >>> 8, length & 0xff, 0, 0], 14);
  return bytes;
}

function udpSink(): void {
  const mac = os.networkInterfaces()['eth0']?.[0]?.mac;
  if (mac === undefined) throw new Error('eth0 has no address');
  dgram.createSocket('udp4').on('message', () => {}).bind(PORT, () => process.stdout.write(`${mac}\n`));
}

function rawReceive(binding: PcapBinding): void {
  const device = open(binding, OUR_MAC);
  device.use?.({ address: ipv4(OUR_ADDRESS), ports: null, viaGateway: [] });
  let bytes = 0;
  let startedAt = 0;
  const take = (): void => {
    device.receive(256, (received) => {
      if (startedAt === 0) startedAt = performance.now();
      bytes += received.length;
    });
    const elapsed = startedAt === 0 ? 0 : performance.now() - startedAt;
    if (elapsed > MEASURE_MS) finish((bytes * 8) / elapsed / 1e6);
    else if (device.hasFrames) setImmediate(take);
  };
  device.onFrame = () => setImmediate(take);
  process.stdout.write('ready\n');
}

/** Sends until it is ended. */
function blast(): void {
  const device = open('libpcap');
  const bytes = frame(device.mac);
  const burst = (): void => {
    for (let i = 0; i < 256; i++) device.send(bytes, bytes.length);
    setImmediate(burst);
  };
  burst();
}

/** @param peer the MAC address of the peer, if its kernel is to take the frames */
function rawSend(binding: PcapBinding, peer: string): void {
  const device = open(binding, OUR_MAC);
  const bytes = peer === '' ? frame(OUR_MAC) : frameToPeer(Buffer.from(peer.replaceAll(':', ''), 'hex'));
  // Warm, as the rates of the others are.
  while (device.counters.txBytes < WARM_UP_BYTES) device.send(bytes, bytes.length);
  const started = performance.now();
  const before = device.counters.txBytes;
  let sent = 0;
  while (performance.now() - started < MEASURE_MS) {
    for (let i = 0; i < 256; i++) device.send(bytes, bytes.length);
    sent = device.counters.txBytes - before;
  }
  finish((sent * 8) / (performance.now() - started) / 1e6);
}

/** How much of an upload's time is spent within the link's `send`, percent. */
function sendShare(binding: PcapBinding, address: string): void {
  const device = open(binding, OUR_MAC);
  const send = device.send.bind(device);
  let [spent, startedAt] = [0, 0];
  device.send = (buffer, length) => {
    const from = performance.now();
    send(buffer, length);
    const to = performance.now();
    spent += to - from;
    if (startedAt === 0 && device.counters.txBytes >= WARM_UP_BYTES) [startedAt, spent] = [to, 0];
    if (startedAt > 0 && to - startedAt >= MEASURE_MS) finish((spent / (to - startedAt)) * 100);
  };
  throughStack('upload', device, address);
}

function throughStack(measure: 'download' | 'upload', device: PcapDevice, address: string): void {
  const stack = new Stack({ device, random: new CryptoRandom(), address: { mode: 'static', address: ipv4(OUR_ADDRESS), prefixLength: 24 } });
  runStack(stack, clock);
  const socket = stack.tcp.connect({ address: ipv4(address), port: PORT }, clock.now());
  const meter = new Meter();
  const target = new Uint8Array(1 << 18);
  socket.onChange = () => {
    // The sink that has measured enough ends the upload.
    if (socket.error && measure === 'download') throw socket.error;
    if (measure === 'upload') while (socket.isOpen && socket.writableBytes > 0) socket.write(CHUNK);
    else for (let length = socket.read(target); length > 0; length = socket.read(target)) meter.take(length);
  };
}

function kernel(source: boolean): void {
  const meter = new Meter();
  net.createServer((socket) => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    socket.on('error', () => socket.destroy());
    if (source) send();
    if (source) socket.on('drain', send);
    socket.on('data', (chunk: Buffer) => meter.take(chunk.length));
  }).listen(PORT, () => process.stdout.write('ready\n'));
}

function kernelClient(download: boolean, address: string): void {
  const meter = new Meter();
  const socket = net.connect(PORT, address, () => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(CHUNK));
    };
    if (download) return;
    send();
    socket.on('drain', send);
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => meter.take(chunk.length));
}

function httpServer(port: number): void {
  const body = Buffer.alloc(1_024, 'x');
  http.createServer((_, response) => response.end(body)).listen(port, () => process.stdout.write('ready\n'));
}

async function httpClient(address: string, port: number, connections: string, warmUp: number, requests: number): Promise<void> {
  const agent = new http.Agent({ keepAlive: connections === 'kept', maxSockets: 1 });
  const times: number[] = [];
  for (let i = 0; i < warmUp + requests; i++) {
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      http.get({ host: address, port, agent }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('end', () => (bytes === 1_024 ? resolve() : reject(new Error(`${bytes} bytes`))));
      }).on('error', reject);
    });
    if (i >= warmUp) times.push(performance.now() - started);
  }
  finish(times.sort((a, b) => a - b)[requests >> 1] ?? NaN);
}

function toBinding(word: string): PcapBinding {
  if (word === 'cap' || word === 'libpcap') return word;
  throw new Error(`unknown binding ${word}`);
}

// A profile is written at the end, if it is an orderly one.
process.once('SIGTERM', () => process.exit(0));
const [role = '', first = '', second = '', ...rest] = process.argv.slice(2);
if (role === 'download' || role === 'upload') throughStack(role, open(toBinding(first), OUR_MAC), second);
else if (role === 'send-share') sendShare(toBinding(first), second);
else if (role === 'udp-sink') udpSink();
else if (role === 'raw-receive') rawReceive(toBinding(first));
else if (role === 'raw-send') rawSend(toBinding(first), second);
else if (role === 'blast') blast();
else if (role === 'http-server') httpServer(Number(first));
else if (role === 'http-client') void httpClient(first, Number(second), rest[0] ?? '', Number(rest[1]), Number(rest[2]));
else if (role === 'kernel-download' || role === 'kernel-upload') kernelClient(role === 'kernel-download', first);
else kernel(role === 'kernel-source');
