/**
 * Runs in a namespace: a guest on the embedded gateway, over the kernel's network. `ADDRESS PORT SILENCE-MS` connects and
 * prints `open`; each line of stdin is a number of bytes to send. What comes back is counted: `received N` for each number
 * reached; at the end the guest's error and what the gateway says of it.
 */
import { createInterface } from 'node:readline';
import { CryptoRandom, Gateway, runStack, Stack, SystemClock } from '../../../stack';
import { ipv4 } from './guest-tasks';

const [address = '', port = '', silenceMs = ''] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const clock = new SystemClock();
const random = new CryptoRandom();
const gateway = new Gateway({ clock, random, config: { tcpSilenceMs: Number(silenceMs), hostAddress: '127.0.0.1' } });
const stack = new Stack({ device: gateway.device, random, address: { mode: 'dhcp' } });
stack.onAddress = () => {
  if (stack.addressInfo !== null) connect();
};
runStack(stack, clock);

function connect(): void {
  stack.onAddress = null;
  const socket = stack.tcp.connect({ address: ipv4(address), port: Number(port) }, clock.now());
  const target = new Uint8Array(64 << 10);
  let toSend = 0;
  let wanted = 0;
  let received = 0;
  let open = false;
  const push = (): void => {
    while (toSend > 0) {
      const taken = socket.write(new Uint8Array(Math.min(toSend, target.length)));
      if (taken === 0) return;
      toSend -= taken;
    }
  };
  socket.onChange = () => {
    if (!open && socket.state === 'ESTABLISHED') {
      open = true;
      say('open');
    }
    for (let count = socket.read(target); count > 0; count = socket.read(target)) received += count;
    push();
    if (wanted > 0 && received === wanted) {
      wanted = 0;
      say(`received ${received}`);
    }
    if (socket.state !== 'CLOSED') return;
    say(`${socket.error?.code ?? 'closed'} ${gateway.whyReset(socket.localPort, socket.remoteAddress, socket.remotePort) ?? 'by the peer'}`);
    process.exit(0);
  };
  createInterface({ input: process.stdin }).on('line', (line) => {
    toSend += Number(line);
    wanted = received + toSend;
    push();
  });
}
