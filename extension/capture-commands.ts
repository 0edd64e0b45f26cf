import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { beginOf, captureName, nothingToSave, selectionOf } from './capture-requests';
import type { CaptureRequests } from './capture-requests';
import { COMMANDS } from './contributions';
import { DisposableStore } from './emitter';
import type { Disposable } from './emitter';
import { formatTime } from './format';
import { t } from './l10n';
import type { CaptureSelection } from './protocol';
import type { SocketTree, TreeTarget } from './socket-tree';
import { openSettingAction, reasonOf, showError, showInformation, showWarning } from './messages';
import type { MessageAction } from './messages';
import { isTrusted } from './trust';

interface Wanted {
  readonly selection: CaptureSelection;
  /** Goes into the name of the file. */
  readonly label: string;
  /** When the first of what is selected began, ms since 1970; null: with the memory itself. */
  readonly begin: number | null;
  /** Asks for another file. */
  readonly again: MessageAction;
}

/** "Save Capture": of everything, of a script, a socket, or a fetch with the sockets that served it. */
export function registerCaptureCommands(tree: SocketTree, requests: CaptureRequests): Disposable {
  const store = new DisposableStore();
  store.add(vscode.commands.registerCommand(COMMANDS.saveCapture, (file?: unknown) => save({ selection: 'all', label: 'riftnet', begin: null, again: { title: t('Save Elsewhere …'), command: COMMANDS.saveCapture } }, file)));
  store.add(
    vscode.commands.registerCommand(COMMANDS.saveCaptureOf, (node: unknown, file?: unknown) => {
      const target = tree.target(node);
      if (!target) return null;
      const selection = selectionOf(socketsOf(target));
      if (selection.length === 0) return showInformation(t('There is nothing to save: no socket was opened.'));
      const again = { title: t('Save Elsewhere …'), command: COMMANDS.saveCaptureOf, arguments: [node] };
      return save({ selection, label: labelOf(target), begin: beginOf(selection, target.run), again }, file);
    }),
  );
  return store;

  /** @param given where to, without asking: for other extensions and tests */
  async function save({ selection, label, begin, again }: Wanted, given: unknown): Promise<number | null> {
    if (!isTrusted()) return null;
    if (!requests.possible) {
      showInformation(nothingToSave(), { title: t('Run Script'), command: COMMANDS.runScript });
      return null;
    }
    const uri = given instanceof vscode.Uri ? given : await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.file(join(defaultFolder(), captureName(label))), filters: { [t('Capture for Wireshark')]: ['pcapng'] }, title: t('Save Capture') });
    if (!uri) return null;
    if (uri.scheme !== 'file') {
      showError(t('The capture cannot be saved to {0}: choose a folder on the disk of the machine that scripts run on.', uri.toString(true)), again);
      return null;
    }
    try {
      const { frames, since } = await requests.save(uri.fsPath, selection);
      const name = basename(uri.fsPath);
      const saved = frames === 1 ? t('1 frame was saved to {0}.', name) : t('{0} frames were saved to {1}.', frames, name);
      if (since === null || (begin !== null && since <= begin)) showInformation(saved);
      else showWarning(`${saved} ${t('Frames before {0} had left the memory already: riftnet.captureMemory gives them more.', formatTime(since))}`, openSettingAction('captureMemory'));
      return frames;
    } catch (error) {
      showError(reasonOf(error), again);
      return null;
    }
  }
}

function socketsOf(target: TreeTarget) {
  const sockets = [...target.run.sockets.values()];
  if (target.kind === 'socket') return [target.socket];
  if (target.kind === 'fetch') return sockets.filter((socket) => socket.fetchId === target.fetch.id);
  return sockets;
}

function labelOf(target: TreeTarget): string {
  if (target.kind === 'socket') return `${target.socket.host}-${target.socket.port}`;
  if (target.kind === 'fetch') return target.fetch.url.replace(/^\w+:\/\//, '').slice(0, 60);
  return target.run.title;
}

function defaultFolder(): string {
  return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath ?? homedir();
}
