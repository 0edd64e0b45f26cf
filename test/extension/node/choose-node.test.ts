import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chooseNode, nodeCandidates, type NodeChoiceOptions } from '../../../extension/node/choose-node';
import { folderFor, grantedCopy, owner, type Owner } from '../../../extension/node/places';
import { ProbeCache, probeKey } from '../../../extension/node/probe-cache';
import { probeNode } from '../../../extension/node/probe-node';
import { parseProbe, unusableReason, type Probe, type ProbeResult } from '../../../extension/node/probe-result';
import { scriptNodeOf, SCRIPT_NODE_VARIABLE, withScriptNode } from '../../../extension/node/script-node';

const GOOD: ProbeResult = {
  version: 'v20.19.0', modules: '115', permissionFlag: '--experimental-permission', obstacle: null,
  bindings: [{ name: 'cap', loads: false, words: 'no build' }, { name: 'libpcap', loads: true, words: null }],
  library: { path: '/usr/lib/libpcap.so.1', version: 'libpcap version 1.10.3' },
};
const BUNDLES = path.resolve('dist');

describe('the Node of the worker', () => {
  let folder: string;
  let copy: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'riftnet-node-'));
    copy = path.join(folder, 'copy');
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** A choice among Nodes whose answers are given. */
  function choose(answers: Readonly<Record<string, Probe>>, options: Partial<NodeChoiceOptions>) {
    const asked: string[] = [];
    const probe = (node: string): Promise<Probe> => {
      asked.push(node);
      return Promise.resolve(answers[node] ?? { failure: `${node} was not to be asked` });
    };
    const cache = { get: () => null, set: () => undefined };
    return chooseNode({ bundles: BUNDLES, nodePath: null, ownPath: '/own', copyPath: copy, ownObstacle: null, probe, cache, ...options }).then((chosen) => ({ ...chosen, asked }));
  }

  it("is the setting's, then the granted copy, then the host's own", () => {
    fs.writeFileSync(copy, '');
    assert.deepEqual(nodeCandidates('/set', '/own', copy).map((candidate) => candidate.path), ['/set', copy, '/own']);
    fs.rmSync(copy);
    assert.deepEqual(nodeCandidates(null, '/own', copy).map((candidate) => candidate.path), ['/own']);
    assert.deepEqual(nodeCandidates('/own', '/own', copy).map(({ from }) => from), ['the setting riftnet.nodePath']);
  });

  it('is the first that loads a binding and may capture, and why not the others is told', async () => {
    fs.writeFileSync(copy, '');
    const answers = {
      '/set': { failure: 'there is no program /set' },
      [copy]: { result: { ...GOOD, obstacle: 'it has not the capability CAP_NET_RAW' } },
      '/own': { result: GOOD },
    };
    const chosen = await choose(answers, { nodePath: '/set' });
    assert.equal(chosen.capturing?.path, '/own');
    assert.deepEqual(chosen.asked, ['/set', copy, '/own']);
    assert.deepEqual(chosen.reasons, [
      'the setting riftnet.nodePath (/set): there is no program /set',
      `the copy that riftnet doctor made (${copy}): it may not capture: it has not the capability CAP_NET_RAW`,
    ]);
  });

  it('is none where none may: then the own one is not even asked', async () => {
    const chosen = await choose({}, { ownObstacle: 'it has not the capability CAP_NET_RAW' });
    assert.equal(chosen.capturing, null);
    assert.deepEqual(chosen.asked, []);
    assert.match(chosen.reasons.join(), /CAP_NET_RAW/);
  });

  it('is none that loads no binding, whatever it may do', async () => {
    const bindings = [{ name: 'cap', loads: false, words: 'no build' }, { name: 'libpcap', loads: false, words: 'not installed' }];
    const chosen = await choose({ '/own': { result: { ...GOOD, bindings } } }, {});
    assert.equal(chosen.capturing, null);
    assert.deepEqual(chosen.reasons, ['the Node that runs this (/own): cap: no build; libpcap: not installed']);
  });

  it('is asked by running it; what is no Node says why', async () => {
    const real = await probeNode(process.execPath, BUNDLES);
    assert.ok('result' in real, JSON.stringify(real));
    assert.equal(real.result.version, process.version);
    assert.deepEqual(real.result.bindings.map(({ name }) => name), ['cap', 'libpcap']);
    const wrong = path.join(folder, 'wrong');
    fs.writeFileSync(wrong, '#!/bin/sh\necho nonsense; echo broken >&2; exit 3\n', { mode: 0o755 });
    assert.match(unusableReason(await probeNode(wrong, BUNDLES)) ?? '', /wrong is no Node that can run the worker \(exit code 3: broken\)/);
    assert.match(unusableReason(await probeNode(path.join(folder, 'none'), BUNDLES)) ?? '', /there is no program .*none/);
    fs.writeFileSync(wrong, '#!/bin/sh\nexec sleep 60\n');
    assert.match(unusableReason(await probeNode(wrong, BUNDLES, 200)) ?? '', /did not answer within 0.2 s/);
  });

  it('is remembered once it could capture, and until anything of it changes', () => {
    fs.writeFileSync(copy, 'one');
    const cache = new ProbeCache(path.join(folder, 'cache'));
    const key = probeKey(copy, BUNDLES) ?? assert.fail('a file has a key');
    assert.equal(cache.get(key), null);
    cache.set(key, { failure: 'no' });
    cache.set(key, { result: { ...GOOD, obstacle: 'no' } });
    assert.equal(cache.get(key), null);
    cache.set(key, { result: GOOD });
    assert.deepEqual(cache.get(key), GOOD);
    // Granting and taking away change the file's status, not its contents.
    fs.chmodSync(copy, 0o700);
    assert.notEqual(probeKey(copy, BUNDLES), key);
    for (let i = 0; i < 20; i++) cache.set(`key ${i}`, { result: GOOD });
    assert.equal(cache.get(key), null);
    assert.deepEqual(cache.get('key 19'), GOOD);
    fs.writeFileSync(path.join(folder, 'cache', 'nodes.json'), '{ broken');
    assert.equal(cache.get('key 19'), null);
    assert.equal(probeKey(path.join(folder, 'none'), BUNDLES), null);
  });

  it('answers in a shape that is checked', () => {
    assert.deepEqual(parseProbe(JSON.parse(JSON.stringify(GOOD))), GOOD);
    for (const wrong of [null, 1, {}, { ...GOOD, version: 20 }, { ...GOOD, bindings: [{}] }, { ...GOOD, library: 'x' }, { ...GOOD, obstacle: true }]) assert.equal(parseProbe(wrong), null);
  });
});

describe('the Node of the scripts', () => {
  it("is named in the worker's environment, or is its own", () => {
    const node = { path: '/usr/bin/node', permissionFlag: '--permission' };
    assert.deepEqual(scriptNodeOf(withScriptNode({ PATH: '/bin' }, node)), node);
    assert.equal(scriptNodeOf({}).path, process.execPath);
    for (const wrong of ['', '{}', '{"path":1,"permissionFlag":null}']) assert.throws(() => scriptNodeOf({ [SCRIPT_NODE_VARIABLE]: wrong }), /RIFTNET_SCRIPT_NODE is .*unset it/);
  });
});

describe("a person's folders", () => {
  const ada: Owner = { home: '/home/ada', uid: 1000, gid: 1000, isSelf: true };

  it('are where the system has them', () => {
    assert.equal(folderFor('data', ada, {}, 'linux'), '/home/ada/.local/share/riftnet');
    assert.equal(folderFor('state', ada, { XDG_STATE_HOME: '/state' }, 'linux'), '/state/riftnet');
    assert.equal(folderFor('cache', ada, { XDG_CACHE_HOME: 'relative' }, 'linux'), '/home/ada/.cache/riftnet');
    assert.equal(folderFor('cache', ada, {}, 'darwin'), '/home/ada/Library/Caches/riftnet');
    assert.equal(folderFor('data', { ...ada, isSelf: false }, { XDG_DATA_HOME: '/root/data' }, 'linux'), '/home/ada/.local/share/riftnet');
    assert.equal(grantedCopy({ ...ada, isSelf: false }), folderFor('data', { ...ada, isSelf: false }) + '/node');
  });

  it('are none for an account without a home, but for those that are named', () => {
    const nobody: Owner = { home: null, uid: 54_321, gid: 0, isSelf: true };
    for (const platform of ['linux', 'darwin', 'win32'] as const) for (const kind of ['data', 'cache', 'state'] as const) assert.equal(folderFor(kind, nobody, {}, platform), null);
    assert.equal(folderFor('data', nobody, { XDG_DATA_HOME: '/data' }, 'linux'), '/data/riftnet');
    const cache = new ProbeCache(null);
    cache.set('key', { result: GOOD });
    assert.equal(cache.get('key'), null);
    assert.deepEqual(nodeCandidates(null, '/own', null).map(({ path: candidate }) => candidate), ['/own']);
  });

  it("are, under sudo, those of who ran it", () => {
    const self = owner({ HOME: '/home/me' });
    assert.deepEqual([self.home, self.isSelf], ['/home/me', true]);
    if (process.getuid?.() !== 0) return;
    // Every Linux has the account 1, daemon.
    const other = owner({ HOME: '/root', SUDO_UID: '1' });
    assert.deepEqual([other.uid, other.isSelf, other.home?.startsWith('/')], [1, false, true]);
    assert.equal(owner({ HOME: '/root', SUDO_UID: '0' }).isSelf, true);
  });
});
