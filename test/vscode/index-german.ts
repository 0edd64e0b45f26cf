import { runSuites } from './run-suites';

/** Called by VS Code in the extension host of a window whose language is German. */
export const run = (): Promise<void> => runSuites((name) => name === 'window-german.suite.js');
