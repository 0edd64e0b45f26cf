/**
 * Uses that the declarations must refuse: each line after a directive, with the code that it names. The test
 * compiles this file as it stands (a directive without an error is one), and again without the directives.
 */
const socket = Network.Connect('example.com', 80);

// ---- Network

// @ts-expect-error TS2554: the port is not optional
Network.Connect('example.com');
// @ts-expect-error TS2345: a port is a number
Network.Connect('example.com', '80');
// @ts-expect-error TS2345: a host is a string
Network.Connect(2130706433, 80);
// @ts-expect-error TS2339: scripts do not listen
Network.Listen(80);
// @ts-expect-error TS2551: names are as in the contract
Network.connect('example.com', 80);

// ---- Socket

// @ts-expect-error TS2540: what the network says cannot be set
socket.status = 'fin';
// @ts-expect-error TS2367: no such status
if (socket.status === 'closed') print('never');
// @ts-expect-error TS2769: numbers go into an array
socket.write(65);
// @ts-expect-error TS2769: an ArrayBuffer needs a view
socket.write(new ArrayBuffer(4));
// @ts-expect-error TS2769: bytes are numbers
socket.write(['a']);
// @ts-expect-error TS2345: no such encoding
socket.write('text', 'utf7');
// @ts-expect-error TS2345: bytes have no encoding
socket.write(Buffer.alloc(1), 'utf8');
// @ts-expect-error TS2769: nothing is none of the three forms
socket.write(null);
// @ts-expect-error TS2345: n is a number
socket.read('4');
// @ts-expect-error TS2531: there may be nothing to read
socket.read().toString();
// @ts-expect-error TS18047: there may be no error
print(socket.error.code);
// @ts-expect-error TS18047: there is no address before the connection
print(socket.remoteAddress.length);
// @ts-expect-error TS2339: sockets are polled
socket.on('data', () => {});
// @ts-expect-error TS2554: close has no argument
socket.close(true);
// @ts-expect-error TS2693: sockets come from Network.Connect
new Socket();

// ---- Event and Engine

// @ts-expect-error TS2345: a handler is a function
Event.OnTick.on('tick');
// @ts-expect-error TS2345: it gets a number
Event.OnTick.on((tick: string) => print(tick));
// @ts-expect-error TS2554: there is one handler
Event.OnTick.on(() => {}, 5);
// @ts-expect-error TS2540: events cannot be replaced
Event.OnTick = Event.OnRender;
// @ts-expect-error TS2339: no such event
await Event.OnUpdate;
// @ts-expect-error TS2322: it carries a number
const text: string = await Event.OnTick;
// @ts-expect-error TS2351: this is not the web's Event
new Event('click');
// @ts-expect-error TS2540: the rate is a setting
Engine.TICK_RATE = 60;
// @ts-expect-error TS2349: the rate is no function
Engine.TICK_RATE();
// @ts-expect-error TS2554: a delay has a time
Engine.Delay(() => {});
// @ts-expect-error TS2345: a time is a number
Engine.Timer(() => {}, '5');
// @ts-expect-error TS2345: code is a function, not text
Engine.Defer('print(1)');
// @ts-expect-error TS2345: a key is a number
Engine.Cancel('1');
// @ts-expect-error TS2345: code is a function, not text
setTimeout('print(1)', 5);
// @ts-expect-error TS2339: a key is a number, not an object
setTimeout(() => {}, 5).unref();
// @ts-expect-error TS2345: what is passed must fit
setTimeout((a: number) => print(a), 5, 'a');

// ---- fetch

// @ts-expect-error TS2554: the address is not optional
await fetch();
// @ts-expect-error TS2345: an address is text or a URL
await fetch(80);
// @ts-expect-error TS2322: no such method
await fetch('http://example.com/', { method: 'TRACE' });
// @ts-expect-error TS2820: methods are in capitals
await fetch('http://example.com/', { method: 'get' });
// @ts-expect-error TS2322: header values are text
await fetch('http://example.com/', { headers: { age: 1 } });
// @ts-expect-error TS2353: an object is sent as { json }
await fetch('http://example.com/', { method: 'POST', body: { name: 'Ada' } });
// @ts-expect-error TS2322: the web's third way of redirects is not there
await fetch('http://example.com/', { redirect: 'error' });
// @ts-expect-error TS2353: a time limit instead of a signal
await fetch('http://example.com/', { signal: AbortSignal.timeout(5) });
// @ts-expect-error TS2339: a promise must be awaited
print(fetch('http://example.com/').status);

const response = await fetch('http://example.com/');
// @ts-expect-error TS2339: text() gives the text, not a promise of it
await response.text().then(print);
// @ts-expect-error TS2349: headers are an object, without methods
print(response.headers.get('content-type'));
// @ts-expect-error TS2339: the body is there, complete
response.body.getReader();
// @ts-expect-error TS2540: a response cannot be changed
response.status = 200;
// @ts-expect-error TS2339: there is one way to the bytes: body
await response.arrayBuffer();
// @ts-expect-error TS18047: there may be no error
print(response.error.code);
// @ts-expect-error TS2693: responses come from fetch
new Response('body');

// ---- what scripts do not have

// @ts-expect-error TS2591: no process
process.exit(1);
// @ts-expect-error TS2591: no require
require('node:fs');
// @ts-expect-error TS2591: no modules of Node
await import('node:fs');
// @ts-expect-error TS2584: no document
document.title = '';
// @ts-expect-error TS2304: no window
window.alert('');
// @ts-expect-error TS2552: no WebSocket
new WebSocket('ws://example.com/');
// @ts-expect-error TS2304: no Headers
new Headers();
// @ts-expect-error TS2304: no performance
performance.now();
// @ts-expect-error TS2304: no crypto
crypto.randomUUID();
// @ts-expect-error TS2351: Buffer.from and Buffer.alloc make them
new Buffer(4);
// @ts-expect-error TS2345: no such encoding
Buffer.alloc(4).toString('utf7');
// @ts-expect-error TS2345: 64 bits are a bigint
Buffer.alloc(8).writeBigUInt64BE(1);

export { text };
