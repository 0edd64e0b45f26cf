// Prints a whole response, read from a socket on ticks, as base64: every byte as it came.
import server from './server.json';

const socket = Network.Connect(server.host, server.port);
while (socket.status === 'connecting') await Event.OnTick;
socket.write(`GET /bytes.bin HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n\r\n`);

const parts: Buffer[] = [];
while (socket.status === 'connected') {
  const data = socket.read();
  if (data) parts.push(data);
  await Event.OnTick;
}
print(Buffer.concat(parts).toString('base64'));
