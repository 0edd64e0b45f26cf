import assert from 'node:assert/strict';
import { DOCTOR_USAGE, parseDoctorCommand } from '../../../extension/doctor/command';
import { UsageError } from '../../../extension/option-values';
import { ownCommand, shellWords } from '../../../extension/doctor/shell-words';

describe('the arguments of riftnet doctor', () => {
  it('have defaults that look at the recommended interface', () => {
    assert.deepEqual(parseDoctorCommand(['doctor']), {
      kind: 'doctor', interface: null, address: { mode: 'dhcp' }, dns: [], binding: 'auto', localhost: 'relay', target: { host: 'example.com', port: 80 }, nodePath: null, verbose: false, json: false, fix: null,
    });
  });

  it('are taken as they are given', () => {
    const words = ['doctor', '--interface', 'eth1', '--address', '192.0.2.7/24', '--gateway', '192.0.2.1', '--dns', '192.0.2.1,192.0.2.2', '--capture-binding', 'libpcap', '--target', 'web.test:443', '--node', '/n', '--localhost', 'router', '--json', '--verbose'];
    assert.deepEqual(parseDoctorCommand(words), {
      kind: 'doctor', interface: 'eth1', address: { mode: 'static', address: '192.0.2.7', prefixLength: 24, gateway: '192.0.2.1' }, dns: ['192.0.2.1', '192.0.2.2'], binding: 'libpcap', localhost: 'router',
      target: { host: 'web.test', port: 443 }, nodePath: '/n', verbose: true, json: true, fix: null,
    });
    const shared = parseDoctorCommand(['doctor', '--address', 'shared', '--gateway', '192.0.2.1']);
    assert.deepEqual(shared.kind === 'doctor' && shared.address, { mode: 'shared', gateway: '192.0.2.1' });
    assert.deepEqual(parseDoctorCommand(['interfaces', '--json']), { kind: 'interfaces', json: true });
    assert.equal(parseDoctorCommand(['doctor', '--help']).kind, 'help');
  });

  it('name what is mended: the copy by itself, all of it when it is taken back', () => {
    const fix = (...words: string[]) => {
      const command = parseDoctorCommand(['doctor', '--fix', ...words]);
      return command.kind === 'doctor' ? command.fix : null;
    };
    assert.deepEqual(fix(), { undo: false, what: ['capture'] });
    assert.deepEqual(fix('shared', 'router', 'shared'), { undo: false, what: ['shared', 'router'] });
    assert.deepEqual(fix('--undo'), { undo: true, what: ['capture', 'shared', 'router', 'forwarding'] });
    assert.deepEqual(fix('forwarding', '--undo'), { undo: true, what: ['forwarding'] });
    // A fix is about the address alone.
    const command = parseDoctorCommand(['doctor', '--fix', 'router', '--address', '192.0.2.7']);
    assert.deepEqual(command.kind === 'doctor' && command.address, { mode: 'static', address: '192.0.2.7', prefixLength: 32, gateway: null });
  });

  const wrong: readonly (readonly [words: string, expected: RegExp])[] = [
    ['doctor --wifi', /Unknown option '--wifi'.*see riftnet doctor --help/],
    ['doctor capture', /'capture' is too much.*only with --fix/],
    ['doctor --undo', /--undo goes with --fix/],
    ['doctor --fix everything', /--fix knows capture, shared, router, forwarding, not 'everything'/],
    ['doctor --address 192.0.2.7', /--address must be dhcp, shared, or .* such as 192\.0\.2\.7\/24, not '192\.0\.2\.7'/],
    ['doctor --address 192.0.2.7/33', /not '192\.0\.2\.7\/33'/],
    ['doctor --gateway 192.0.2.1', /--gateway goes with a given address, --address/],
    ['doctor --dns example', /--dns must be .*not 'example'/],
    ['doctor --capture-binding npcap', /must be one of auto, cap, libpcap, not 'npcap'/],
    ['doctor --target a:b', /--target must be HOST or HOST:PORT.*not 'a:b'/],
    ['doctor --target a:0', /not 'a:0'/],
    ['doctor --interface=', /--interface needs a value/],
    ['doctor --interface -eth0', /^--interface needs a value; one that begins with a dash is written --interface=-…$/],
    ['doctor --localhost gateway', /--localhost must be one of relay, router, not 'gateway'/],
    ['doctor --fix router --address 192.0.2.7/33', /not '192\.0\.2\.7\/33'/],
    ['interfaces eth0', /riftnet interfaces takes only --json, not 'eth0'/],
    ['interfaces --fix', /takes only --json, not '--fix'/],
  ];
  for (const [words, expected] of wrong) {
    it(`that are wrong say so: ${words}`, () => {
      assert.throws(() => parseDoctorCommand(words.split(' ')), (error) => error instanceof UsageError && expected.test(error.message));
    });
  }

  it('are all in the help', () => {
    for (const option of ['--interface', '--address', '--gateway', '--dns', '--localhost', '--target', '--node', '--verbose', '--json', '--fix', '--undo']) assert.ok(DOCTOR_USAGE.includes(option), option);
  });
});

describe('a command to be typed', () => {
  it('keeps words that a shell would take apart together', () => {
    assert.equal(shellWords(['sudo', 'setcap', 'cap_net_raw+ep', '/home/a b/node']), "sudo setcap cap_net_raw+ep '/home/a b/node'");
    assert.equal(shellWords(['nft', "add rule; it's"]), "nft 'add rule; it'\\''s'");
  });

  it('starts this program as the person did, or by its files', () => {
    assert.equal(ownCommand(['doctor', '--fix'], '/ext/dist/cli.js', '/usr/local/bin/riftnet', '/usr/bin/node', 'linux', false), 'riftnet doctor --fix');
    assert.equal(ownCommand(['doctor', '--fix'], '/ext/dist/cli.js', '/ext/dist/doctor.js', '/usr/bin/node', 'linux', false), '/usr/bin/node /ext/dist/cli.js doctor --fix');
    assert.equal(ownCommand(['doctor'], '/ext/dist/cli.js', '/ext/dist/doctor.js', '/opt/code', 'linux', true), 'env ELECTRON_RUN_AS_NODE=1 /opt/code /ext/dist/cli.js doctor');
    assert.equal(ownCommand(['doctor'], 'C:\\e x\\cli.js', 'x', 'C:\\node.exe', 'win32', false), 'C:\\node.exe "C:\\e x\\cli.js" doctor');
  });
});
