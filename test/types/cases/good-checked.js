// @ts-check
/** The same from JavaScript: types come from the declarations, and two scripts share no scope. */
const socket = Network.Connect('localhost', 18080);
while (socket.status === 'connecting') await Event.OnTick;
socket.write([1, 2, 3]);
const bytes = socket.read(2);
if (bytes) print(bytes.readUInt16BE(0).toFixed());
const response = await fetch('http://localhost:18080/');
print(response.body.length.toFixed(), response.json().anything);
