import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { COMMANDS } from '../../extension/contributions';
import { activate } from './support';

describe('the extension in VS Code', () => {
  it('activates and registers every command it contributes', async () => {
    await activate();
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(Object.values(COMMANDS).filter((id) => !registered.includes(id)), []);
  });

  it('binds keys that nothing else is bound to', async () => {
    await activate();
    const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: 'vscode', authority: 'defaultsettings', path: '/keybindings.json' }));
    const text = document.getText().replace(/^\s*\/\/.*$/gm, '');
    const bindings: unknown = JSON.parse(text);
    assert.ok(Array.isArray(bindings) && bindings.length > 500, 'the default keybindings are listed');
    const ours: string[] = [];
    const keys: string[] = [];
    for (const binding of bindings as { key: string; command: string }[]) {
      if (!binding.command.startsWith('riftnet.')) continue;
      ours.push(binding.command);
      keys.push(binding.key);
    }
    assert.deepEqual(ours.sort(), [COMMANDS.runScript, COMMANDS.stopScript]);
    const clashes = (bindings as { key: string; command: string }[]).filter(
      // A chord is overridden by one that it begins with, and overrides one that begins with it.
      (binding) => !binding.command.startsWith('riftnet.') && keys.some((key) => binding.key === key || key.startsWith(`${binding.key} `) || binding.key.startsWith(`${key} `)),
    );
    assert.deepEqual(clashes, []);
  });
});
