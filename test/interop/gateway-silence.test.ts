/** The embedded gateway over a real kernel, whose peer falls silent, or only slow. */
import assert from 'node:assert/strict';
import { bundle, bundleForHosts } from './support/guest';
import { demandNamespaces, removeStale } from './support/namespaces';
import { OUR_ADDRESS, PcapHosts } from './support/pcap-hosts';
import type { Program } from './support/program';
import { describeRun, runCli } from './support/run-cli';
import { ScriptFolder } from './support/script-folder';

const PORT = 7_000;
/** Instead of the 100 s of a user's. */
const SILENCE_MS = 2_000;

describe('the gateway and a peer outside', function () {
  this.timeout(60_000);
  let hosts: PcapHosts;
  let server: Program;
  let guest: Program;

  before(async () => {
    demandNamespaces();
    removeStale();
    await bundleForHosts('kernel-peer', 'gateway-guest');
  });
  beforeEach(async () => {
    hosts = new PcapHosts();
    hosts.ours.ip('address', 'add', `${OUR_ADDRESS}/24`, 'dev', 'eth0');
    server = hosts.programs.peer(hosts.theirs, 'echo-server', String(PORT));
    await server.line();
    guest = hosts.programs.start(hosts.ours, [process.execPath, '--enable-source-maps', bundle('gateway-guest'), hosts.cable.theirAddress, String(PORT), String(SILENCE_MS)], { stdio: ['pipe', 'pipe', 'pipe'] });
    await guest.until(/^open$/m);
    guest.child.stdin?.write('1000\n');
    await guest.until(/^received 1000$/m);
  });
  afterEach(() => hosts.remove());

  /** From now on nothing of the connection reaches the server. */
  const silence = (): void => void hosts.theirs.run('nft', `table ip silence { chain in { type filter hook input priority 0; tcp dport ${PORT} drop; }; }`);

  it('ends with ETIMEDOUT a connection of which the peer acknowledges nothing any more, though the system has taken all of it', async () => {
    silence();
    guest.child.stdin?.write('100\n');
    await guest.until(/^ECONNRESET ETIMEDOUT$/m);
  });

  it('does so for more than the system takes, too', async () => {
    silence();
    guest.child.stdin?.write('50000000\n');
    await guest.until(/^ECONNRESET ETIMEDOUT$/m);
  });

  it('is told to the script as ETIMEDOUT, also where the system gives up by itself', async () => {
    hosts.ours.run('sysctl', '-qw', 'net.ipv4.tcp_retries2=3');
    const folder = new ScriptFolder();
    try {
      const file = folder.write('silence.ts', `
        const socket = Network.Connect('${hosts.cable.theirAddress}', ${PORT});
        while (socket.status === 'connecting') await Event.OnTick;
        socket.write('hello');
        while (socket.read(5) === null) await Event.OnTick;
        print('echoed');
        while (socket.status === 'connected') {
          socket.write('anybody?');
          socket.read();
          await Event.OnTick;
        }
        print(socket.status, socket.error?.code, socket.error?.message);
      `);
      const result = await runCli(['run', file, '--link', 'gateway'], { host: hosts.ours, env: folder.environment, when: { text: 'echoed', run: silence } });
      assert.equal(result.stdout.toString(), `echoed\nerror ETIMEDOUT ${hosts.cable.theirAddress}:${PORT} fell silent: it acknowledged nothing of what was sent to it. Check that the host is up and still reachable\n`, describeRun(result));
    } finally {
      folder.remove();
    }
  });

  it('keeps one whose peer takes nothing for long, and answers', async () => {
    // The program stands still; its kernel goes on until its buffer is full, and then answers the probes.
    server.child.kill('SIGSTOP');
    guest.child.stdin?.write('50000000\n');
    await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS));
    server.child.kill('SIGCONT');
    await guest.until(/^received 50001000$/m);
  });

  it('keeps one that is idle', async () => {
    silence();
    await new Promise((resolve) => setTimeout(resolve, 2 * SILENCE_MS));
    hosts.theirs.run('nft', 'delete table ip silence');
    guest.child.stdin?.write('10\n');
    await guest.until(/^received 1010$/m);
  });
});
