import { runSuites } from './run-suites';

/** Called by VS Code in the extension host of a window with two folders. */
export const run = (): Promise<void> => runSuites((name) => name === 'window-several-roots.suite.js');
