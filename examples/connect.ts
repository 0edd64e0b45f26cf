// HTTP by hand, over a socket that is polled: the way a script in a game loop talks to a server.
import server from './server.json';

const socket = Network.Connect(server.host, server.port);
while (socket.status === 'connecting') await Event.OnTick;
if (socket.error) print(socket.error.message);

socket.write(`GET /hello.txt HTTP/1.1\r\nHost: ${server.host}\r\n`);
socket.write('Connection: close\r\n');
socket.write('\r\n');

while (socket.status === 'connected') {
  const data = socket.read();
  if (data) print(data.toString());
  await Event.OnTick;
}
