// A parallel download: the parts of one file over several connections, with progress, put together and checked.
import server from './server.json';

const url = `http://${server.host}:${server.port}/bytes/4000000`;
const PARTS = 4;

/** RFC 1950 §8.2, in hexadecimal: what the server says of the whole file. */
function adler32(bytes: Uint8Array): string {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return (b * 65_536 + a).toString(16).padStart(8, '0');
}

const head = await fetch(url, { method: 'HEAD' });
if (!head.ok) throw new Error(head.error?.message ?? `status ${head.status}`);
const length = Number(head.headers['content-length']);
const size = Math.ceil(length / PARTS);

let done = 0;
async function part(index: number): Promise<Buffer> {
  const first = index * size;
  const last = Math.min(first + size, length) - 1;
  const response = await fetch(url, { headers: { range: `bytes=${first}-${last}` } });
  // 206: the server took the range. A server that does not sends all of it, with 200.
  if (response.status !== 206) throw new Error(response.error?.message ?? `part ${index}: status ${response.status}`);
  done += response.body.length;
  print(`${Math.round((100 * done) / length)} %`);
  return response.body;
}

const file = Buffer.concat(await Promise.all(Array.from({ length: PARTS }, (_, index) => part(index))));
print(`${file.length} bytes in ${PARTS} parts, checksum ${adler32(file) === head.headers['x-adler32'] ? 'right' : 'wrong'}`);
