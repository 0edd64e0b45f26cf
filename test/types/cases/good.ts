/** Uses that the declarations must allow, with the types they must give. */

/** Compiles only if both types are the same, and neither is `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Same<A, B>): void {}

// ---- sockets

const socket = Network.Connect('example.com', 80);
same<typeof socket, Socket>(true);
same<typeof socket.status, 'connecting' | 'connected' | 'error' | 'fin'>(true);
while (socket.status === 'connecting') await Event.OnTick;

// The status changes while the script awaits: a loop that was left because of one value may meet another.
const status: SocketStatus = socket.status;
print(status);

const taken: boolean = socket.write('text');
socket.write('é', 'utf8');
socket.write('68656c6c6f', 'hex');
for (const encoding of ['ascii', 'utf8', 'utf-8', 'utf16le', 'utf-16le', 'ucs2', 'ucs-2', 'base64', 'base64url', 'latin1', 'binary', 'hex'] as const) socket.write('', encoding);
socket.write(Buffer.from([1, 2]));
socket.write(new Uint8Array(2));
socket.write(new Uint8Array(new SharedArrayBuffer(2)));
socket.write([0, 255]);
const frozen: readonly number[] = Object.freeze([1, 2]);
socket.write(frozen);
for (const data of ['text', Buffer.alloc(1), [1, 2]]) socket.write(data);

const all = socket.read();
const some = socket.read(4);
same<typeof all, Buffer | null>(true);
same<typeof some, Buffer | null>(true);
const text: string = all?.toString('latin1') ?? '';
const length: number | undefined = some?.readUInt32BE(0);
socket.close();

same<typeof socket.error, NetworkError | null>(true);
const code: string | undefined = socket.error?.code;
const message: string | undefined = socket.error?.message;
const { host, remoteAddress, remotePort, localPort, bufferedAmount, bytesRead, bytesWritten } = socket;
same<typeof host, string>(true);
same<typeof remoteAddress, string | null>(true);
same<typeof localPort, number | null>(true);
const counted: number = remotePort + bufferedAmount + bytesRead + bytesWritten;

// ---- events and engine

const tick = await Event.OnTick;
same<typeof tick, number>(true);
const [frame, other] = await Promise.all([Event.OnRender, Event.OnTick]);
const frames: number = frame + other;
await Promise.race([Event.OnTick, new Promise((resolve) => Engine.Delay(resolve, 5))]);
for await (const n of Event.OnTick) {
  same<typeof n, number>(true);
  break;
}
const handler = (n: number): void => print(n);
Event.OnTick.on(handler);
Event.OnTick.once(() => {});
Event.OnRender.on(async (n) => print(n + 1, await Event.OnTick));
const wasBound: boolean = Event.OnTick.off(handler);
const event: Event<number> = Event.OnTick;

const rate: number = Engine.TICK_RATE + Engine.Time() + Engine.GetTickCount();
Engine.Defer((time) => print(time.toFixed(1)));
const delay: number = Engine.Delay((time) => print(time.toFixed(1)), 5);
const timer: number = Engine.Timer(() => true, 5);
Engine.Timer(() => {}, 5);
const wasPending: boolean = Engine.Cancel(delay) || Engine.Cancel(timer);
queueMicrotask(() => {});
clearTimeout(setTimeout((time) => print(time.toFixed(1))));
clearTimeout(setTimeout((a, b) => print(a + 1, b.length), 5, 1, 'b'));
clearTimeout(undefined);
clearInterval(setInterval(() => true, 5));
clearInterval(setInterval((a: string) => print(a), 5, 'a'));
clearImmediate(setImmediate((time) => print(time.toFixed(1))));
clearImmediate(setImmediate((a) => print(a.length), 'a'));

// ---- fetch

const response = await fetch('http://example.com/');
same<typeof response, Response>(true);
await fetch(new URL('http://example.com/'));
await fetch('http://example.com/', {});
for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const) await fetch('http://example.com/', { method });
await fetch('http://example.com/', { method: 'POST', body: Buffer.alloc(1), headers: { accept: '*/*' } });
await fetch('http://example.com/', { method: 'POST', body: 'text', timeoutMs: 1_000, redirect: 'manual', maxBodyBytes: 0 });
await fetch('http://example.com/', { method: 'POST', body: { json: { a: [1, null] } } });
const options: FetchOptions = { redirect: 'follow' };
await fetch('http://example.com/', options);
const ok: boolean = response.ok && response.status === 200;
const words: string = response.statusMessage + response.url + response.text();
const header: string | undefined = response.headers['content-type'];
same<typeof response.body, Buffer>(true);
same<typeof response.error, NetworkError | null>(true);
const spent: number = response.timings.dns + response.timings.connect + response.timings.tls + response.timings.firstByte + response.timings.total;
const typed = response.json<{ id: number }>();
same<typeof typed, { id: number }>(true);
const untyped: { id: number } = response.json();

// ---- output, bytes, text and addresses

print();
print('a', 1, null, undefined, {}, Symbol('s'), 1n, () => {});
console.log('%s', 1);
console.info();
console.warn(new Error('w'));
console.error('e');
console.debug({});
console.table([{ a: 1 }], ['a']);
console.dir({}, { depth: null });

const bytes = Buffer.concat([Buffer.from('a'), new Uint8Array(1), Buffer.alloc(2, 'x')]);
same<typeof bytes, Buffer>(true);
const view: Uint8Array = bytes.subarray(1).slice(0, 1);
const found: number = bytes.indexOf('\r\n') + bytes.indexOf(10) + bytes.lastIndexOf(Buffer.from('a'));
const written: number = Buffer.alloc(8).writeBigUInt64BE(1n);
const big: bigint = Buffer.alloc(8).readBigInt64LE();
const isBuffer: boolean = Buffer.isBuffer(view) && Buffer.isEncoding('utf8') && bytes.equals(view);
const sorted = [bytes, view].sort(Buffer.compare);
for (const byte of bytes) same<typeof byte, number>(true);
const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const encoded: Uint8Array = new TextEncoder().encode('é');
const decoded: string = new TextDecoder('utf-8', { fatal: true }).decode(encoded, { stream: true });
const url = new URL('../b?c=1', 'http://example.com/a/');
url.searchParams.append('d', '2');
for (const [name, value] of new URLSearchParams({ a: '1' })) print(name.length, value.length);
const copy = structuredClone(new Map([[1, 'a']]));
same<typeof copy, Map<number, string>>(true);
const plain: string = atob(btoa('a'));
const controller = new AbortController();
controller.signal.addEventListener('abort', () => print(controller.signal.reason));
controller.abort(new DOMException('why', 'AbortError'));
AbortSignal.any([controller.signal, AbortSignal.timeout(5), AbortSignal.abort()]).throwIfAborted();

export { taken, text, length, code, message, counted, frames, wasBound, event, rate, wasPending, ok, words, header, spent, untyped, found, written, big, isBuffer, sorted, data, decoded, plain, remoteAddress };
