import * as vscode from 'vscode';
import { t } from './l10n';

/**
 * Running is allowed only in a trusted workspace. `enablement` hides the commands, but other extensions and
 * keybindings reach a handler all the same, so each asks here.
 */
export function isTrusted(): boolean {
  if (vscode.workspace.isTrusted) return true;
  const manage = t('Manage Workspace Trust');
  void vscode.window.showErrorMessage(t('Riftnet runs scripts only in a trusted workspace: a script can reach your network.'), manage).then((choice) => {
    if (choice === manage) void vscode.commands.executeCommand('workbench.trust.manage');
  });
  return false;
}
