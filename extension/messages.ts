import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { t } from './l10n';

/** Something a person can do about a message. */
export interface MessageAction {
  readonly title: string;
  readonly command: string;
  readonly arguments?: readonly unknown[];
}

/** VS Code shows a message without an action in one line, and cuts it: what needs more words, or help, has one. */
type SomeActions = readonly [MessageAction, ...MessageAction[]];

export const showLogAction = (): MessageAction => ({ title: t('Show Log'), command: COMMANDS.showLog });
export const saveAsAction = (): MessageAction => ({ title: t('Save As …'), command: 'workbench.action.files.saveAs' });
export const openSettingAction = (key: string): MessageAction => ({ title: t('Open Setting'), command: 'workbench.action.openSettings', arguments: [`riftnet.${key}`] });

/** Messages that are remembered for whoever reads them through the extension's API. */
const KEPT_MESSAGES = 50;
const said: string[] = [];

/** What people were told lately, the latest last. */
export const saidLately = (): readonly string[] => said;

/** Says what is wrong and offers what can be done about it; waits for nobody. */
export function showError(message: string, ...actions: SomeActions): void {
  void offer(vscode.window.showErrorMessage(note(message), ...titles(actions)), actions);
}

export function showWarning(message: string, ...actions: SomeActions): void {
  void offer(vscode.window.showWarningMessage(note(message), ...titles(actions)), actions);
}

/** Without actions: a few words, about as many as fit into a line of 50 characters. */
export function showInformation(message: string, ...actions: readonly MessageAction[]): void {
  void offer(vscode.window.showInformationMessage(note(message), ...titles(actions)), actions);
}

/** Shows a text that is to be read at leisure, in the middle of the window. */
export function showDetails(title: string, detail: string, ...actions: readonly MessageAction[]): void {
  const close = { title: t('Close'), isCloseAffordance: true };
  const choice = vscode.window.showInformationMessage(note(title), { modal: true, detail }, ...actions.map((action) => ({ title: action.title })), close);
  void offer(choice.then((item) => item?.title), actions);
}

const titles = (actions: readonly MessageAction[]): string[] => actions.map(({ title }) => title);

function note(message: string): string {
  said.push(message);
  if (said.length > KEPT_MESSAGES) said.shift();
  return message;
}

async function offer(choice: Thenable<string | undefined>, actions: readonly MessageAction[]): Promise<void> {
  const chosen = await choice;
  const action = actions.find(({ title }) => title === chosen);
  if (action) await vscode.commands.executeCommand(action.command, ...(action.arguments ?? []));
}

/** What went wrong, as a sentence. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
