/** `riftnet run --link pcap` on an interface of a namespace, with the kernel's host on the other end of the cable. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { DEFAULT_WORKER_SETTINGS, PROTOCOL_VERSION, type WorkerMessage, type WorkerSettings } from '../../extension/protocol';
import { eachOnCable } from './support/each-test';
import { OUR_ADDRESS, type PcapHosts } from './support/pcap-hosts';
import { describeRun, runCli, type CliOptions, type CliResult } from './support/run-cli';
import type { ScriptFolder } from './support/script-folder';

const PORT = 7_000;
describe('The link pcap at the terminal', function () {
  this.timeout(120_000);
  let hosts: PcapHosts;
  let folder: ScriptFolder;

  eachOnCable((made) => ({ hosts, folder } = made));

  async function run(text: string, args: readonly string[], when?: CliOptions['when']): Promise<CliResult> {
    const result = await runCli(['run', folder.write('script.ts', text), ...(args.includes('--link') ? [] : ['--link', 'pcap']), ...args], { host: hosts.ours, env: folder.environment, limitMs: 100_000, ...(when && { when }) });
    assert.deepEqual(result.leftRunning, [], describeRun(result));
    return result;
  }

  const FETCH = `const response = await fetch('http://10.77.0.1:${PORT}/'); print(response.status, response.text(), response.error?.message ?? '');`;

  it('gives the stack the address it is told, once nobody else is found to have it', async () => {
    await hosts.peer('http-server', String(PORT));
    const result = await run(FETCH, ['--interface', 'eth0', '--address', `${OUR_ADDRESS}/24`]);
    assert.equal(result.stdout.toString(), `200 from ${OUR_ADDRESS} \n`, describeRun(result));
    assert.match(result.stderr, /a host of its own on eth0, with the MAC address .*\n.*10\.77\.0\.2 is checked for another owner \(RFC 5227\)/);
  });

  it('gets an address by DHCP on the interface that fits, and asks for the same one the next time', async () => {
    hosts.startDhcpServer(folder.path);
    await hosts.peer('http-server', String(PORT));
    for (let i = 0; i < 2; i++) {
      const result = await run(FETCH, ['--stats']);
      assert.equal(result.stdout.toString(), '200 from 10.77.0.50 \n', describeRun(result));
      assert.match(result.stderr, /the address 10\.77\.0\.50\/24 from DHCP, router 10\.77\.0\.1, name server 10\.77\.0\.1/);
      const { stack } = JSON.parse(result.stderr.trim().split('\n').at(-1) ?? '') as { stack: { dhcp: Record<string, number> } };
      // The second time the lease of the first is asked for at once (RFC 2131 §3.2).
      assert.deepEqual([stack.dhcp['txDiscovers'], stack.dhcp['txReleases']], [i === 0 ? 1 : 0, 0]);
    }
  });

  for (const [what, args, words] of [
    ['an interface that is not there', ['--interface', 'nosuch0'], /there is no interface "nosuch0": there are eth0, lo/],
    ['the loopback interface', ['--interface', 'lo'], /lo/],
    ['a router outside of the network', ['--address', '10.77.0.2/24', '--gateway', '10.78.0.1'], /router 10\.78\.0\.1 is not in the network of 10\.77\.0\.2\/24/],
    ['an address that no host can have', ['--address', '10.77.0.255/24'], /10\.77\.0\.255\/24 is not one that a host on a link can have/],
  ] as const) {
    it(`refuses ${what}, and says what to do`, async () => {
      const result = await run("print('never');", args);
      assert.deepEqual([result.code, result.stdout.toString()], [2, ''], describeRun(result));
      assert.match(result.stderr, words);
    });
  }

  it('tells that another has the address it is told, and ends sockets at once', async () => {
    const result = await run(FETCH, ['--address', '10.77.0.1/24']);
    assert.match(result.stdout.toString(), /^-1 .*the stack has no address: [0-9a-f:]{17} on the link has the address 10\.77\.0\.1: give one of the two another/, describeRun(result));
    assert.ok(result.seconds < 30, describeRun(result));
  });

  it('takes the interface\'s MAC address where DHCP does not answer one of its own, and its next one when that changes', async () => {
    const mac = /link\/ether (\S+)/.exec(hosts.ours.ip('link', 'show', 'eth0'))?.[1] ?? '';
    const next = '02:00:5e:00:00:61';
    hosts.programs.start(hosts.theirs, [
      'dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--port=0', '--interface=eth0', '--bind-interfaces', `--dhcp-leasefile=${folder.path}/leases`,
      '--dhcp-range=10.77.0.60,10.77.0.61,2m', `--dhcp-host=${mac},set:known`, `--dhcp-host=${next},10.77.0.61,set:known`, '--dhcp-ignore=tag:!known', '--pid-file=',
    ]);
    await hosts.peer('http-server', String(PORT));
    const text = `
      let last = '';
      while (!last.endsWith('.61')) {
        const response = await fetch('http://10.77.0.1:${PORT}/');
        if (response.ok && response.text() !== last) print(last = response.text());
        await Event.OnTick;
      }`;
    const result = await run(text, [], {
      text: '.60\n',
      run: () => {
        hosts.ours.ip('link', 'set', 'eth0', 'down');
        hosts.ours.ip('link', 'set', 'eth0', 'address', next, 'up');
      },
    });
    assert.equal(result.stdout.toString(), 'from 10.77.0.60\nfrom 10.77.0.61\n', describeRun(result));
    assert.match(result.stderr, new RegExp(`the interface eth0 is up again[^]*with the MAC address ${next}`));
    assert.match(result.stderr, new RegExp(`No DHCP server answers on eth0 \\(tried with the MAC address .*\\)[^]*with the MAC address ${mac}`));
  });

  it('starts scripts in the worker before there is an address, and their output says what their sockets wait for', async () => {
    await hosts.peer('http-server', String(PORT));
    const worker = hosts.ours.start([process.execPath, path.resolve('dist/worker.js')], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: folder.environment });
    try {
      const messages: WorkerMessage[] = [];
      const limits = { memoryMb: 256, outputBytesPerSecond: 1 << 20 };
      const file = folder.write('script.ts', `print('started'); ${FETCH}`);
      const ended = new Promise<void>((resolve) => {
        worker.on('message', (message: WorkerMessage) => {
          messages.push(message);
          if (message.type === 'ready') worker.send({ type: 'run', runId: '1', file, source: null, tickRate: 30, timeoutSeconds: 60, limits });
          if (message.type === 'ended' || message.type === 'failed') resolve();
        });
      });
      const pcap = { ...DEFAULT_WORKER_SETTINGS.pcap, interface: 'eth0', address: { mode: 'static', address: OUR_ADDRESS, prefixLength: 24, gateway: null } } as const;
      const settings: WorkerSettings = { ...DEFAULT_WORKER_SETTINGS, link: 'pcap', pcap };
      worker.send({ type: 'configure', version: PROTOCOL_VERSION, settings });
      await ended;
      const ready = messages.find(({ type }) => type === 'ready');
      assert.ok(ready?.type === 'ready' && ready.link.kind === 'pcap' && ready.link.address === null, JSON.stringify(messages));
      const output = messages.flatMap((message) => (message.type === 'output' ? [message.text] : []));
      assert.deepEqual([output[0], output.at(-1)], ['started', `200 from ${OUR_ADDRESS} `]);
      assert.match(output.slice(1, -1).join('\n'), /^The address 10\.77\.0\.2 is checked for another owner \(RFC 5227\) before it is used, which takes 4 to 7 s; sockets stay 'connecting'\.$/);
      assert.ok(messages.some((message) => message.type === 'link' && message.link.address === OUR_ADDRESS));
    } finally {
      const gone = once(worker, 'exit');
      worker.kill('SIGKILL');
      await gone;
    }
  });

  it('gives each of two at once an address of its own, and asks the name server that DHCP names', async () => {
    hosts.programs.start(hosts.theirs, [
      'dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--interface=eth0', '--bind-interfaces', '--pid-file=',
      `--dhcp-leasefile=${folder.path}/leases`, '--dhcp-range=10.77.0.60,10.77.0.69,2m', '--address=/name.example/10.77.0.1',
    ]);
    await hosts.peer('http-server', String(PORT));
    const text = FETCH.replace('10.77.0.1', 'name.example');
    const results = await Promise.all([run(text, []), run(text, [])]);
    const words = results.map(({ stdout }) => stdout.toString());
    for (const word of words) assert.match(word, /^200 from 10\.77\.0\.6\d \n$/, results.map(describeRun).join('\n'));
    assert.notEqual(words[0], words[1]);
  });

  it('ends sockets with the reason where nobody gives an address', async () => {
    const result = await run(FETCH, []);
    assert.match(result.stdout.toString(), /^-1 .*The stack has had no address for 40 s: no DHCP server answers on eth0; give the stack an address, --address/, describeRun(result));
    assert.ok(result.seconds < 50, describeRun(result));
  });

  it('ends the sockets of a script when the interface is lost, and opens new ones once it is back', async () => {
    await hosts.peer('echo-server', String(PORT));
    const text = `
      async function open() {
        const socket = Network.Connect('10.77.0.1', ${PORT});
        while (socket.status === 'connecting') await Event.OnTick;
        return socket;
      }
      const first = await open();
      print(first.status);
      while (first.status === 'connected') await Event.OnTick;
      print(first.status, first.error.code, first.error.message);
      const second = await open();
      print(second.status, second.error.code);
      let third = second;
      while (third.status === 'error') { third = await open(); await Event.OnTick; }
      print(third.status);
      third.close();`;
    const result = await run(text, ['--address', `${OUR_ADDRESS}/24`], {
      on: 'stdout', text: 'connected',
      run: () => {
        hosts.ours.ip('link', 'set', 'eth0', 'down');
        setTimeout(() => hosts.ours.ip('link', 'set', 'eth0', 'up'), 2_000);
      },
    });
    assert.match(result.stdout.toString(), /^connected\nerror ENETDOWN .*the interface eth0 is down\nerror ENETDOWN\nconnected\n$/, describeRun(result));
  });

  it('refuses an address that the computer has itself', async () => {
    hosts.ours.ip('address', 'add', '10.77.0.3/24', 'dev', 'eth0');
    const result = await run("print('never');", ['--address', '10.77.0.3/24']);
    assert.equal(result.code, 2, describeRun(result));
    assert.match(result.stderr, /cannot have the address 10\.77\.0\.3: this computer has it itself, on eth0; give it another one/);
  });

  describe('as auto\'s choice', () => {
    beforeEach(() => hosts.ours.ip('address', 'add', '10.77.0.3/24', 'dev', 'eth0'));

    it('is taken where this process may capture and somebody answers', async () => {
      hosts.startDhcpServer(folder.path);
      await hosts.peer('http-server', String(PORT));
      const result = await run(FETCH, ['--link', 'auto']);
      assert.equal(result.stdout.toString(), '200 from 10.77.0.50 \n', describeRun(result));
      assert.match(result.stderr, /a host of its own on eth0, .* \(which 'auto' takes where this process may capture\)/);
    });

    it('gives way to the gateway where nobody answers, at once the next time', async () => {
      await hosts.peer('http-server', String(PORT));
      const first = await run(FETCH, ['--link', 'auto']);
      assert.equal(first.stdout.toString(), '200 from 10.77.0.3 \n', describeRun(first));
      assert.match(first.stderr, /No DHCP server answers on eth0[^]*The embedded gateway relays/);
      assert.ok(first.seconds < 20, describeRun(first));
      const second = await run(FETCH, ['--link', 'auto']);
      assert.deepEqual([second.stdout.toString(), second.stderr], ['200 from 10.77.0.3 \n', ''], describeRun(second));
      // The first has waited for an answer.
      assert.ok(second.seconds < first.seconds, describeRun(second));
    });

    it('says why options given by hand cannot be met, and remembers nothing against those that can', async () => {
      await hosts.peer('http-server', String(PORT));
      for (const [options, reason] of [
        [['--address', '10.77.0.50/24', '--gateway', '1.1.1.1'], /the router 1\.1\.1\.1 is not in the network of 10\.77\.0\.50\/24/],
        [['--address', '10.77.0.3/24'], /this computer has it itself, on eth0/],
        [['--interface', 'lo'], /lo is the loopback interface/],
      ] as const) {
        const wrong = await run(FETCH, ['--link', 'auto', ...options]);
        assert.equal(wrong.stdout.toString(), '200 from 10.77.0.3 \n', describeRun(wrong));
        assert.match(wrong.stderr, new RegExp(`^riftnet: --(address|interface) \\S+ cannot be met, and the embedded gateway is taken: .*${reason.source}.*\\n$`));
      }
      const right = await run(FETCH, ['--link', 'auto', '--address', '10.77.0.50/24']);
      assert.equal(right.stdout.toString(), '200 from 10.77.0.50 \n', describeRun(right));
    });

    it('is not taken on an interface that the computer does not use', async () => {
      hosts.ours.ip('address', 'flush', 'dev', 'eth0');
      const result = await run("print('on'); await Event.OnTick;", ['--link', 'auto']);
      assert.equal(result.stdout.toString(), 'on\n', describeRun(result));
      assert.doesNotMatch(result.stderr, /host of its own|eth0/);
    });
  });
});
