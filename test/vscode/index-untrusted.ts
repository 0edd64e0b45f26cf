import { runSuites } from './run-suites';

/** Called by VS Code in the extension host of a window whose folder is not trusted. */
export const run = (): Promise<void> => runSuites((name) => name === 'window-untrusted.suite.js');
