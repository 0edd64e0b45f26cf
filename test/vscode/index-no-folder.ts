import { runSuites } from './run-suites';

/** Called by VS Code in the extension host of a window without a folder. */
export const run = (): Promise<void> => runSuites((name) => name === 'window-no-folder.suite.js');
