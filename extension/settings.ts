import * as vscode from 'vscode';
import { CONFIGURATION_SECTION, SETTINGS } from './contributions';
import type { WorkerSettings } from './protocol';
import type { RunSettings } from './run-controller';
import { nodePathSetting, runSettings, workerSettings } from './settings-values';
import type { SettingProblem } from './settings-values';

/** Settings that a worker takes over when it starts, and not later. */
const WORKER_SETTINGS = [
  SETTINGS.link, SETTINGS.interface, SETTINGS.address, SETTINGS.gateway, SETTINGS.captureBinding, SETTINGS.localhost, SETTINGS.hostAddress, SETTINGS.dns,
  SETTINGS.extraCaCertificates, SETTINGS.captureFile, SETTINGS.captureMemory, SETTINGS.nodePath,
];

export type RevealOutput = 'onRun' | 'onError' | 'never';

export function readWorkerSettings(problem: SettingProblem): WorkerSettings {
  const configuration = vscode.workspace.getConfiguration(CONFIGURATION_SECTION);
  return workerSettings((key) => configuration.get(key), problem);
}

/** The Node to try first for the worker; null: none is set. */
export function readNodePath(problem: SettingProblem): string | null {
  const configuration = vscode.workspace.getConfiguration(CONFIGURATION_SECTION);
  return nodePathSetting((key) => configuration.get(key), problem);
}

/** @param script settings may differ by folder */
export function readRunSettings(script: vscode.Uri, problem: SettingProblem): RunSettings {
  const configuration = vscode.workspace.getConfiguration(CONFIGURATION_SECTION, script);
  return runSettings((key) => configuration.get(key), problem);
}

/** What `localhost` is set to stand for; empty: this computer's own address. */
export function readHostAddress(): string {
  return readWorkerSettings(() => {}).hostAddress ?? '';
}

export function readRevealOutput(): RevealOutput {
  const value = vscode.workspace.getConfiguration(CONFIGURATION_SECTION).get<string>(SETTINGS.revealOutput);
  return value === 'onError' || value === 'never' ? value : 'onRun';
}

export function affectsWorker(event: vscode.ConfigurationChangeEvent): boolean {
  return WORKER_SETTINGS.some((key) => event.affectsConfiguration(`${CONFIGURATION_SECTION}.${key}`));
}
