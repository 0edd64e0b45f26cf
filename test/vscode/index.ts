import { runSuites } from './run-suites';

/** Called by VS Code in the extension host of the usual window: one folder, trusted. The others have suites of their own. */
export const run = (): Promise<void> => runSuites((name) => !name.startsWith('window-'));
