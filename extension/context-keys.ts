import * as vscode from 'vscode';
import { CONTEXT_KEYS } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import type { RunModel } from './run-model';
import type { ScriptPlaces } from './script-places';

/** Keeps the context keys that menus and keybindings ask for. */
export function keepContextKeys(model: RunModel, places: ScriptPlaces): Disposable {
  const last = new Map<string, string>();
  const set = (key: string, value: unknown): void => {
    const text = JSON.stringify(value);
    if (last.get(key) === text) return;
    last.set(key, text);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  const update = (): void => {
    const active = model.activeRuns;
    set(CONTEXT_KEYS.running, active.length > 0);
    set(CONTEXT_KEYS.hasEnded, model.runs.length > active.length);
    set(CONTEXT_KEYS.runningPaths, active.flatMap((run) => resourcePaths(vscode.Uri.parse(run.key, true))));
  };
  const updateScripts = (): void => set(CONTEXT_KEYS.scriptPaths, places.visible.flatMap(resourcePaths));
  update();
  updateScripts();
  const store = new DisposableStore();
  store.add(
    model.onDidChange(({ kind }) => {
      if (kind === 'added' || kind === 'removed' || kind === 'phase') update();
    }),
  );
  store.add(places.onDidChange(updateScripts));
  return store;
}

/** The context key `resourcePath` is the file system's path in a local window, and the URI's path in a remote one. */
function resourcePaths(uri: vscode.Uri): string[] {
  return uri.fsPath === uri.path ? [uri.path] : [uri.fsPath, uri.path];
}
