// A chat client over TCP: it joins, greets whoever comes, and leaves when it is told to, or when nothing is said.
import { Lines } from './lines';
import server from './server.json';

const NAME = 'Rift';
/** It leaves after this long without a word, ms. */
const QUIET_MS = 2_000;

const socket = Network.Connect(server.host, server.chatPort);
while (socket.status === 'connecting') await Event.OnTick;
if (socket.status !== 'connected') throw new Error(socket.error?.message ?? 'closed');

const chat = new Lines(socket);
chat.send(NAME);
chat.send('hello, all');

let heardAt = Engine.Time();
while (socket.status === 'connected') {
  for (const line of chat.poll()) {
    print(line);
    heardAt = Engine.Time();
    const newcomer = /^\* (\S+) has come/.exec(line)?.[1];
    if (newcomer !== undefined && newcomer !== NAME) chat.send(`welcome, ${newcomer}`);
    if (line.endsWith(`: bye, ${NAME}`)) chat.send('/quit');
  }
  if (Engine.Time() - heardAt > QUIET_MS) chat.send('/quit');
  await Event.OnTick;
}
print(socket.error?.message ?? 'left the chat');
