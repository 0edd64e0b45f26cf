// The event-emitter wrapper of socket-events.ts at work, against a server that sends back what it gets.
import server from './server.json';
import { SocketEvents } from './socket-events';

const MESSAGE = 'what goes out comes back';
let received = '';

const connection = new SocketEvents(Network.Connect(server.host, server.echoPort));
connection
  .on('connect', () => {
    print('connected to port', connection.socket.remotePort);
    connection.write(MESSAGE);
  })
  .on('data', (bytes) => {
    received += bytes.toString();
    if (received.length < MESSAGE.length) return;
    print('received:', received);
    connection.close();
  })
  .on('close', (error) => print(error?.message ?? 'closed'));
