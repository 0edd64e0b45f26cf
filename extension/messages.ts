import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { t } from './l10n';

/** Something a person can do about a message. */
export interface MessageAction {
  readonly title: string;
  readonly command: string;
  readonly argument?: unknown;
}

export const showLogAction = (): MessageAction => ({ title: t('Show Log'), command: COMMANDS.showLog });
export const openSettingAction = (key: string): MessageAction => ({ title: t('Open Setting'), command: 'workbench.action.openSettings', argument: `riftnet.${key}` });

/** Says what is wrong and offers what can be done about it; waits for nobody. */
export function showError(message: string, ...actions: readonly MessageAction[]): void {
  void offer(vscode.window.showErrorMessage(message, ...actions.map(({ title }) => title)), actions);
}

export function showWarning(message: string, ...actions: readonly MessageAction[]): void {
  void offer(vscode.window.showWarningMessage(message, ...actions.map(({ title }) => title)), actions);
}

/** Shows a text that is to be read at leisure, in the middle of the window. */
export function showDetails(title: string, detail: string, ...actions: readonly MessageAction[]): void {
  void offer(vscode.window.showInformationMessage(title, { modal: true, detail }, ...actions.map((action) => action.title)), actions);
}

async function offer(choice: Thenable<string | undefined>, actions: readonly MessageAction[]): Promise<void> {
  const chosen = await choice;
  const action = actions.find(({ title }) => title === chosen);
  if (action) await vscode.commands.executeCommand(action.command, ...(action.argument === undefined ? [] : [action.argument]));
}

/** What went wrong, as a sentence. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
