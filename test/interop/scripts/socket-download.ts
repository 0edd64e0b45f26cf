// Hashes a body as it arrives: neither side holds it whole.
import { sha256 } from '@noble/hashes/sha2.js';
import server from './server.json';

const socket = Network.Connect(server.host, server.port);
while (socket.status === 'connecting') await Event.OnTick;
socket.write(`GET /large.bin HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);

const hash = sha256.create();
let head: Buffer = Buffer.alloc(0);
let inBody = false;
let length = 0;
while (socket.status === 'connected') {
  let data = socket.read();
  if (data && !inBody) {
    head = Buffer.concat([head, data]);
    const end = head.indexOf('\r\n\r\n');
    inBody = end >= 0;
    data = inBody ? head.subarray(end + 4) : null;
  }
  if (data) {
    hash.update(data);
    length += data.length;
  }
  await Event.OnTick;
}
print(head.toString('latin1').split('\r\n')[0]);
print(length, Buffer.from(hash.digest()).toString('hex'), socket.status);
