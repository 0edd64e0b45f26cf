// Writes as fast as the send queue takes it, and tries again on the next tick when it is full.
import { sha256 } from '@noble/hashes/sha2.js';
import { pattern } from './pattern';
import server from './server.json';

const socket = Network.Connect(server.host, server.port);
while (socket.status === 'connecting') await Event.OnTick;
socket.write(`PUT /upload HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\nContent-Length: ${server.length}\r\n\r\n`);

const hash = sha256.create();
let refused = 0;
for (const block of pattern(server.length)) {
  hash.update(block);
  while (!socket.write(block)) {
    if (socket.status !== 'connected') throw new Error(`the connection ended: ${socket.error?.message ?? socket.status}`);
    refused++;
    await Event.OnTick;
  }
}

let answer = '';
while (socket.status === 'connected') {
  answer += socket.read()?.toString() ?? '';
  await Event.OnTick;
}
const told = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { length: number; sha256: string };
print(told.length, told.sha256);
print(Buffer.from(hash.digest()).toString('hex'), refused > 0 ? 'waited for room' : 'always had room');
