import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { activate } from './support';

/** What people would notice; the aim is 50 ms, which a loaded machine may miss without anything being wrong. */
const NOTICED_MS = 500;
/** Code that is read and compiled before anything else happens. */
const MAX_BUNDLE_BYTES = 512 * 1024;

describe('Activation', () => {
  // The first of the suites: nothing has been run yet.
  it('is short, starts no process, and loads no library', async () => {
    const api = await activate();
    console.log(`riftnet-suite|    activate took ${api.activationMs.toFixed(1)} ms (aim: 50 ms)`);
    assert.ok(api.activationMs < NOTICED_MS, `${api.activationMs} ms`);
    assert.equal(api.worker.state, 'idle');
    const extension = vscode.extensions.getExtension('riftnet.riftnet');
    assert.ok(extension);
    const bundle = readFileSync(join(extension.extensionPath, 'dist', 'extension.js'), 'utf8');
    assert.ok(bundle.length < MAX_BUNDLE_BYTES, `the bundle has ${bundle.length} bytes`);
    const loaded = [...bundle.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
    assert.ok(loaded.includes('vscode'));
    assert.deepEqual(loaded.filter((name) => name !== 'vscode' && !isBuiltin(name)), []);
  });
});
