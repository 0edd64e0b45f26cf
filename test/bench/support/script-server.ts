/** The servers of test/bench/script.ts, each in a process of its own: `stream`. Tells its port to the parent. */
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

if (require.main === module && process.argv[2] === 'stream') {
  const server = stream();
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.(address.port);
  });
  process.on('disconnect', () => process.exit(0));
}
