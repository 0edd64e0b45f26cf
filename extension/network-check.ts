/** "Riftnet: Check Network Setup": the doctor's report in a read-only document, its commands ready to be taken. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { COMMANDS } from './contributions';
import { Emitter } from './emitter';
import { t } from './l10n';
import { reasonOf, showError, showInformation, showWarning } from './messages';
import type { MessageAction } from './messages';
import { doctorArguments, runNetworkCheck } from './network-check-process';
import { checkTitle, COMMAND_INDENT, reportCommands, reportText } from './network-check-text';
import type { Report } from './network-report';
import type { SettingProblem } from './settings-values';
import { readNodePath, readWorkerSettings } from './settings';

/** Scheme of the document; there is one, which each check fills anew. */
export const REPORT_SCHEME = 'riftnet-network';
/** Called by the lenses alone, with the command that a person is to run. */
const COPY_COMMAND = 'riftnet.internal.copyNetworkCommand';
const TYPE_COMMAND = 'riftnet.internal.typeNetworkCommand';
const REPORT_URI = vscode.Uri.from({ scheme: REPORT_SCHEME, path: 'network-setup.md' });

export class NetworkCheck implements vscode.TextDocumentContentProvider, vscode.CodeLensProvider, vscode.Disposable {
  readonly #changed = new Emitter<vscode.Uri>();
  readonly #registrations: vscode.Disposable[];
  readonly #bundles: string;
  readonly #problem: SettingProblem;
  #text = '';
  #running: AbortController | null = null;

  readonly onDidChange = this.#changed.event;

  constructor(bundles: string, problem: SettingProblem) {
    this.#bundles = bundles;
    this.#problem = problem;
    this.#registrations = [
      vscode.workspace.registerTextDocumentContentProvider(REPORT_SCHEME, this),
      vscode.languages.registerCodeLensProvider({ scheme: REPORT_SCHEME }, this),
      vscode.commands.registerCommand(COMMANDS.checkNetwork, () => this.check()),
      vscode.commands.registerCommand(COPY_COMMAND, (command: unknown) => copy(command)),
      vscode.commands.registerCommand(TYPE_COMMAND, (command: unknown) => typeInTerminal(command)),
    ];
  }

  provideTextDocumentContent(): string {
    return this.#text;
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    return document.getText().split('\n').flatMap((line, row) => {
      if (!line.startsWith(COMMAND_INDENT)) return [];
      const range = new vscode.Range(row, 0, row, line.length);
      const command = line.trim();
      return [
        new vscode.CodeLens(range, { title: `$(copy) ${t('Copy')}`, command: COPY_COMMAND, arguments: [command] }),
        new vscode.CodeLens(range, { title: `$(terminal) ${t('Type in Terminal')}`, command: TYPE_COMMAND, arguments: [command] }),
      ];
    });
  }

  /** Makes the check and shows its report; one at a time, so that a second call ends the first. */
  async check(): Promise<void> {
    this.#running?.abort();
    const stop = new AbortController();
    this.#running = stop;
    const title = t('Checking the network setup');
    try {
      const report = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, (progress, token) => {
        token.onCancellationRequested(() => stop.abort());
        return runNetworkCheck({
          file: join(this.#bundles, 'doctor.js'),
          args: doctorArguments(readWorkerSettings(this.#problem), readNodePath(this.#problem)),
          onCheck: (check) => progress.report({ message: checkTitle(check) }),
          signal: stop.signal,
        });
      });
      if (report !== null) await this.#show(report);
    } catch (error) {
      showError(t('The network setup could not be checked: {0}', reasonOf(error)), checkAgain());
    } finally {
      if (this.#running === stop) this.#running = null;
    }
  }

  dispose(): void {
    this.#running?.abort();
    for (const registration of this.#registrations) registration.dispose();
    this.#changed.dispose();
  }

  async #show(report: Report): Promise<void> {
    this.#text = reportText(report);
    this.#changed.fire(REPORT_URI);
    const document = await vscode.workspace.openTextDocument(REPORT_URI);
    await vscode.window.showTextDocument(document, { preview: true });
    tell(report);
  }
}

const checkAgain = (): MessageAction => ({ title: t('Check Again'), command: COMMANDS.checkNetwork });

/** What comes next, as buttons; nobody need press one. */
function tell(report: Report): void {
  if (report.ok) return showInformation(t('Scripts can have a network of their own here.'), { title: t('Restart Network Worker'), command: COMMANDS.restartWorker });
  const [command] = reportCommands(report);
  const copyIt = command === undefined ? [] : [{ title: t('Copy First Command'), command: COPY_COMMAND, arguments: [command] }];
  showWarning(t('Scripts have no network of their own here; the report says what is missing.'), checkAgain(), ...copyIt);
}

async function copy(command: unknown): Promise<void> {
  if (typeof command !== 'string') return;
  await vscode.env.clipboard.writeText(command);
  vscode.window.setStatusBarMessage(t('Copied: {0}', command), 5_000);
}

/** Left for the person to run: it may need root. */
function typeInTerminal(command: unknown): void {
  if (typeof command !== 'string') return;
  const terminal = vscode.window.activeTerminal ?? vscode.window.createTerminal('Riftnet');
  terminal.show();
  terminal.sendText(command, false);
}
