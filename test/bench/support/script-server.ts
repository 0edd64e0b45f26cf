/** The servers of test/bench/script.ts and gateway.ts, each in a process of its own: `stream`, `sink` or `http`. Tells its port to the parent. */
import http from 'node:http';
import net from 'node:net';

/** What is sent, over and over; the readers check samples of it. */
export const PATTERN_BYTES = 1 << 20;
export const patternAt = (offset: number): number => {
  const i = offset % PATTERN_BYTES;
  return (i * 31 + (i >>> 8)) & 0xff;
};

function stream(): net.Server {
  const pattern = Buffer.from(Array.from({ length: PATTERN_BYTES }, (_, i) => patternAt(i)));
  return net.createServer((socket) => {
    const send = (): void => {
      while (!socket.destroyed && socket.write(pattern));
    };
    socket.on('error', () => socket.destroy()).on('drain', send);
    send();
  });
}

/** Measured by the sink, bytes. */
const SINK_WARM_UP_BYTES = 128 << 20;
const SINK_BYTES = 1 << 30;

/** Takes the pattern, and tells the parent the rate, Gbit/s. */
function sink(): net.Server {
  return net.createServer((socket) => {
    let [received, startedAt, told] = [0, 0, false];
    socket.on('error', () => socket.destroy()).on('data', (chunk: Buffer) => {
      if (chunk[0] !== patternAt(received)) throw new Error(`wrong byte at ${received}`);
      received += chunk.length;
      if (startedAt === 0 && received >= SINK_WARM_UP_BYTES) startedAt = performance.now();
      if (told || received < SINK_WARM_UP_BYTES + SINK_BYTES) return;
      told = true;
      process.send?.((SINK_BYTES * 8) / (performance.now() - startedAt) / 1e6);
    });
  });
}

/** What a request gets, bytes. */
export const BODY_BYTES = 1 << 10;

function answers(): net.Server {
  const body = Buffer.alloc(BODY_BYTES, 'x');
  return http.createServer((_request, response) => response.writeHead(200, { 'content-length': body.length }).end(body));
}

const SERVERS: Readonly<Record<string, () => net.Server>> = { stream, sink, http: answers };
const kind = SERVERS[process.argv[2] ?? ''];

if (require.main === module && kind !== undefined) {
  const server = kind();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.(address.port);
  });
  process.on('disconnect', () => process.exit(0));
}
