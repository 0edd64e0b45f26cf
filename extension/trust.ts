import * as vscode from 'vscode';
import { t } from './l10n';
import { showError } from './messages';

/**
 * Running is allowed only in a trusted workspace. `enablement` hides the commands, but other extensions and
 * keybindings reach a handler all the same, so each asks here.
 */
export function isTrusted(): boolean {
  if (vscode.workspace.isTrusted) return true;
  showError(t('Riftnet runs scripts only in a trusted workspace: a script can reach your network.'), { title: t('Manage Workspace Trust'), command: 'workbench.trust.manage' });
  return false;
}
