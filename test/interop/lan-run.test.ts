/** `riftnet run` as a host of its own on a LAN with a router: an address by DHCP, a name by DNS, a page from nginx; as curl has it beside it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { startDnsmasq, startUdhcpd, type DhcpPool } from './support/dhcp-servers';
import { eachOnLan } from './support/each-test';
import type { Programs } from './support/programs';
import { describeRun, runCli, type CliResult } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';
import { type Lan, LAN, WAN } from './support/topology';

const POOL: DhcpPool = { interface: 'lan', first: '10.77.0.50', last: '10.77.0.59', router: LAN.router };

const SOCKET_SCRIPT = `
const socket = Network.Connect('web.test', 80);
while (socket.status === 'connecting') await Event.OnTick;
socket.write('GET /page.html HTTP/1.1\\r\\nHost: web.test\\r\\nConnection: close\\r\\n\\r\\n');
const parts: Buffer[] = [];
while (socket.status === 'connected') {
  const data = socket.read();
  if (data) parts.push(data);
  else await Event.OnTick;
}
print(socket.status, socket.error?.message ?? '');
print(Buffer.concat(parts).toString());
`;

const FETCH_SCRIPT = `
const response = await fetch('http://web.test/page.html');
print(response.status, response.headers['content-type'], response.error?.message ?? '');
print(response.text());
`;

const ADDRESS_SCRIPT = `
for (let i = 0; i < 20; i++) {
  const response = await fetch('http://${WAN.server}/address');
  print(response.error?.message ?? response.text());
  await Event.OnTick;
}
`;

describe('riftnet run on a LAN', function () {
  this.timeout(120_000);
  let lan: Lan;
  let programs: Programs;
  let folder: ScriptFolder;

  eachOnLan(async (made) => {
    ({ lan, programs, folder } = made);
    await startNginx();
  });

  /** On the server beyond the router: a page, and who asks. */
  async function startNginx(): Promise<void> {
    const own = path.join(folder.path, 'nginx');
    fs.mkdirSync(path.join(own, 'www'), { recursive: true });
    fs.writeFileSync(path.join(own, 'www', 'page.html'), `<h1>Ünder the hood</h1>\n${'<p>0123456789 abcdefghij</p>\n'.repeat(8_000)}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${own}/${name};`).join(' ');
    fs.writeFileSync(path.join(own, 'nginx.conf'), `
daemon off; worker_processes 1; pid ${own}/nginx.pid; user root root; error_log stderr notice;
events { worker_connections 64; }
http {
  ${temporary} access_log off; types { text/html html; }
  server {
    listen ${WAN.server}:80; root ${own}/www;
    location = /address { default_type text/plain; return 200 $remote_addr; }
  }
}`);
    const nginx = programs.start(lan.server, ['nginx', '-p', own, '-c', path.join(own, 'nginx.conf'), '-e', 'stderr']);
    await nginx.until(/start worker process \d/);
  }

  async function run(text: string, args: readonly string[] = [], name = 'script.ts'): Promise<CliResult> {
    const result = await runCli(['run', folder.write(name, text), '--link', 'pcap', ...args], { host: lan.host, env: folder.environment, limitMs: 100_000 });
    assert.deepEqual([result.code, result.leftRunning], [0, []], describeRun(result));
    return result;
  }

  /** What the kernel's own client prints, on the same computer. */
  const curl = (...words: string[]): string =>
    lan.host.run('curl', '-sS', '--http1.1', '-H', 'User-Agent:', '-H', 'Accept:', '--resolve', `web.test:80:${WAN.server}`, ...words, 'http://web.test/page.html');
  const undated = (text: string): string => text.replace(/^Date: .*$/m, 'Date: then');

  for (const binding of ['cap', 'libpcap'] as const) {
    it(`prints what curl prints, byte for byte, over ${binding}`, async () => {
      await startDnsmasq(programs, lan.router, folder.path, { interface: 'lan', dhcp: POOL, options: [`address=/web.test/${WAN.server}`] });
      const raw = await run(SOCKET_SCRIPT, ['--capture-binding', binding]);
      assert.equal(undated(raw.stdout.toString()), `fin \n${undated(curl('-i', '-H', 'Connection: close'))}\n`, describeRun(raw));
      const fetched = await run(FETCH_SCRIPT, ['--capture-binding', binding]);
      assert.equal(fetched.stdout.toString(), `200 text/html \n${curl()}\n`, describeRun(fetched));
    });
  }

  for (const hostForwards of [false, true]) {
    it(`twice at once is two hosts to BusyBox's udhcpd, where the computer forwards ${hostForwards ? 'packets' : 'nothing'}`, async () => {
      lan.host.run('sysctl', '-qw', `net.ipv4.ip_forward=${hostForwards ? 1 : 0}`);
      await startUdhcpd(programs, lan.router, folder.path, { ...POOL, leaseSeconds: 10 });
      const runs = await Promise.all(['one.ts', 'two.ts'].map((name) => run(ADDRESS_SCRIPT, [], name)));
      const addresses = runs.map((result) => {
        const lines = result.stdout.toString().trim().split('\n');
        assert.equal(lines.length, 20, describeRun(result));
        assert.equal(new Set(lines).size, 1, describeRun(result));
        return lines[0] ?? '';
      });
      for (const address of addresses) assert.match(address, /^10\.77\.0\.5\d$/);
      assert.notEqual(addresses[0], addresses[1]);
    });
  }
});
