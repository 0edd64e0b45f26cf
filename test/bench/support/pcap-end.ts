/** One end of the pair: `download|upload ADDRESS`, `raw-receive`, `raw-send`, `blast`, `kernel-source`, `kernel-sink`. Prints Gbit/s. */
import net from 'node:net';
import { CryptoRandom, openPcap, parseIpv4, runStack, Stack, SystemClock, type PcapBinding, type PcapDevice } from '../../../stack';

const PORT = 5_001;
const BYTES = 256 << 20;
const WARM_UP_BYTES = 32 << 20;
const RAW_MS = 3_000;
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
    if (this.startedAt > 0 && this.bytes >= BYTES) {
      finish((this.bytes * 8) / (performance.now() - this.startedAt) / 1e6);
    }
  }
}

function finish(rate: number): void {
  process.stdout.write(`${rate}\n`, () => process.exit(0));
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

/** A datagram to our address that nobody sums up; only its length matters. */
function frame(source: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.set(OUR_MAC, 0);
  bytes.set(source, 6);
  bytes.set([8, 0, 0x45, 0, 0x05, 0xdc, 0, 0, 0, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2], 12);
  return bytes;
}

function rawReceive(): void {
  const device = open('cap', OUR_MAC);
  device.use?.({ address: ipv4(OUR_ADDRESS), ports: null, viaGateway: [] });
  let bytes = 0;
  let startedAt = 0;
  const take = (): void => {
    device.receive(256, (received) => {
      if (startedAt === 0) startedAt = performance.now();
      bytes += received.length;
    });
    const elapsed = startedAt === 0 ? 0 : performance.now() - startedAt;
    if (elapsed > RAW_MS) finish((bytes * 8) / elapsed / 1e6);
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

function rawSend(): void {
  const device = open('cap', OUR_MAC);
  const bytes = frame(OUR_MAC);
  const started = performance.now();
  let sent = 0;
  while (performance.now() - started < RAW_MS) {
    for (let i = 0; i < 256; i++) device.send(bytes, bytes.length);
    sent = device.counters.txBytes;
  }
  finish((sent * 8) / (performance.now() - started) / 1e6);
}

function throughStack(measure: 'download' | 'upload', address: string): void {
  const stack = new Stack({ device: open('cap', OUR_MAC), random: new CryptoRandom(), address: { mode: 'static', address: ipv4(OUR_ADDRESS), prefixLength: 24 } });
  runStack(stack, clock);
  const socket = stack.tcp.connect({ address: ipv4(address), port: PORT }, clock.now());
  const meter = new Meter();
  const target = new Uint8Array(1 << 18);
  socket.onChange = () => {
    if (socket.error) throw socket.error;
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

const [role = '', address = ''] = process.argv.slice(2);
if (role === 'download' || role === 'upload') throughStack(role, address);
else if (role === 'raw-receive') rawReceive();
else if (role === 'raw-send') rawSend();
else if (role === 'blast') blast();
else kernel(role === 'kernel-source');
