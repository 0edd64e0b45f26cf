import assert from 'node:assert/strict';
import path from 'node:path';
import { parseSource, readSources } from './imports';
import { checkRules } from './rules';

/** The bundle runs from the project's root. */
const root = process.cwd();

/** What the rules say about a tree of files given as text. */
function violations(tree: Readonly<Record<string, string>>): string[] {
  const exists = (file: string): boolean => file in tree;
  return checkRules(Object.entries(tree).map(([file, text]) => parseSource(file, text, exists))).map(({ file, rule }) => `${file}: ${rule}`);
}

describe('Import rules', function () {
  // Parsing the whole tree takes half a second, and longer beside other work.
  this.timeout(60_000);

  it('hold in every source file', () => {
    const files = readSources(root, ['stack', 'extension', 'test']);
    assert.ok(files.length > 10, `only ${files.length} files found below ${path.resolve(root)}`);
    const broken = checkRules(files).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
    assert.deepEqual(broken, []);
  });
});

describe('The check of the import rules', () => {
  const broken: readonly (readonly [name: string, tree: Readonly<Record<string, string>>, expected: RegExp])[] = [
    ['a codec that reads the clock', { 'stack/wire/a.ts': "import type { Clock } from '../clock';" }, /wire may not import stack\/clock/],
    ['a codec that uses a built-in', { 'stack/wire/a.ts': "import fs from 'fs';" }, /wire may not import the package fs/],
    ['storage that knows tcp', { 'stack/storage/a.ts': "export type { X } from '../tcp/x';" }, /storage may not import stack\/tcp/],
    ['tcp that knows the interface', { 'stack/tcp/a.ts': "import { x } from '../iface/x';" }, /tcp may not import stack\/iface/],
    ['tcp that knows a link by type', { 'stack/tcp/a.ts': "const x: import('../link/device').Device = y;" }, /tcp may not import stack\/link/],
    ['a value where only types may cross', { 'stack/tcp/a.ts': "import { createCounters, type Observer } from '../observer';" }, /only types from stack\/observer/],
    ['a source of randomness made inside', { 'stack/tcp/a.ts': "import { CryptoRandom, KeyedHash } from '../random';" }, /only types from stack\/random/],
    ['the interface that uses a device as a value', { 'stack/iface/a.ts': "import { createLinkCounters } from '../link/device';" }, /only types from stack\/link/],
    ['the stack that reaches up', { 'stack/iface/a.ts': "import { PROTOCOL_VERSION } from '../../extension/protocol';" }, /imports nothing above it/],
    ['a layer that constructs another', { 'stack/iface/a.ts': "import { UdpLayer } from '../socket/udp'; const x = new UdpLayer();" }, /only stack.ts and gateway\/ construct parts \(new UdpLayer\)/],
    ['a worker that goes past the entry', { 'extension/worker/main.ts': "import { Stack } from '../../stack/stack';", 'stack/stack.ts': '' }, /imports stack\/index.ts/],
    ['a script process with a stack', { 'extension/worker/script/main.ts': "import { Stack } from '../../../stack';", 'stack/index.ts': '' }, /has no stack/],
    ['VS Code side with a stack', { 'extension/tree.ts': "import type { Stack } from '../stack';", 'stack/index.ts': '' }, /only extension\/worker\/ and extension\/doctor\/ may import the stack/],
    ['the choice of Node with a stack', { 'extension/node/a.ts': "import { Stack } from '../../stack';", 'stack/index.ts': '' }, /may import the stack/],
    ['vscode in the choice of Node', { 'extension/node/a.ts': "import * as vscode from 'vscode';" }, /vscode is imported only/],
    ['the doctor with a part of the window', { 'extension/doctor/a.ts': "import { x } from '../settings';" }, /only the VS Code side imports its parts/],
    ['VS Code side that runs the doctor in its own process', { 'extension/tree.ts': "import { x } from './doctor/a';" }, /by protocol only/],
    ['vscode in the worker', { 'extension/worker/main.ts': "import * as vscode from 'vscode';" }, /vscode is imported only/],
    ['vscode in the terminal command', { 'extension/cli.ts': "const v = require('vscode');" }, /vscode is imported only/],
    ['the protocol that imports', { 'extension/protocol.ts': "import type { x } from './format';" }, /the protocol imports nothing/],
    ['a second barrel', { 'stack/tcp/a.ts': "export * from './b';", 'stack/tcp/b.ts': '' }, /only stack\/index.ts may re-export/],
    ['product code that imports a test', { 'stack/tcp/a.ts': "import { x } from '../../test/support/x';" }, /nothing imports test\//],
    ['a cycle of three files', { 'stack/tcp/a.ts': "import './b';", 'stack/tcp/b.ts': "import type { x } from './c';", 'stack/tcp/c.ts': "const a = import('./a');" }, /import cycle: stack\/tcp\/a.ts -> stack\/tcp\/b.ts -> stack\/tcp\/c.ts/],
    ['cap outside its binding', { 'stack/link/pcap.ts': "import cap from 'cap';" }, /only stack\/link\/cap.ts may import cap/],
    ['koffi outside of what calls C', { 'extension/worker/main.ts': "import koffi from 'koffi';" }, /only stack\/link\/native.ts may import koffi/],
    ['a folder without a rule', { 'stack/quic/a.ts': "import { x } from '../wire/x';" }, /stack\/quic has no import rule/],
  ];
  for (const [name, tree, expected] of broken) {
    it(`finds ${name}`, () => {
      const found = violations(tree);
      assert.ok(found.some((line) => expected.test(line)), `expected ${expected}, found ${JSON.stringify(found)}`);
    });
  }

  it('lets through what the rules allow', () => {
    const tree = {
      'stack/index.ts': "export { Stack } from './stack'; export type { Device } from './link/device';",
      'stack/stack.ts': "import { TcpLayer } from './tcp/tcp-layer'; import type { Device } from './link/device'; new TcpLayer();",
      'stack/errors.ts': '',
      'stack/link/device.ts': '',
      'stack/tcp/tcp-layer.ts': "import type { Observer } from '../observer'; import { KeyedHash, type Random } from '../random'; import { StackError } from '../errors'; new StackError();",
      'stack/gateway/tcp.ts': "import net from 'node:net'; import { Stack } from '../stack'; new Stack();",
      'extension/worker/main.ts': "import { Stack } from '../../stack'; import type { HostMessage } from '../protocol'; new Stack();",
      'extension/extension.ts': "import * as vscode from 'vscode'; import type { HostMessage } from './protocol';",
      'extension/protocol.ts': '',
      'test/stack/a.test.ts': "import { Stack } from '../../stack/stack';",
    };
    assert.deepEqual(violations(tree), []);
  });
});
