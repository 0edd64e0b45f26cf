// A connection that is looked at once a tick, as in a game loop.
const socket = Network.Connect('localhost', 8080);
while (socket.status === 'connecting') await Event.OnTick;
if (socket.error) print('failed:', socket.error.code, socket.error.message);

socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
while (socket.status === 'connected') {
  const data = socket.read();
  if (data) print(data.toString());
  await Event.OnTick;
}
print('closed after', socket.bytesRead, 'bytes');
