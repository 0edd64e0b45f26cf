/**
 * Every id that package.json contributes, in one typed place. A test holds this file against package.json
 * in both directions: what is here is contributed, what is contributed is here.
 */
export const COMMANDS = {
  runScript: 'riftnet.runScript',
  debugScript: 'riftnet.debugScript',
  stopScript: 'riftnet.stopScript',
  restartScript: 'riftnet.restartScript',
  stopAllScripts: 'riftnet.stopAllScripts',
  showScripts: 'riftnet.showScripts',
  showOutput: 'riftnet.showOutput',
  showLog: 'riftnet.showLog',
  restartWorker: 'riftnet.restartWorker',
  checkNetwork: 'riftnet.checkNetwork',
  clearEnded: 'riftnet.clearEnded',
  stopRun: 'riftnet.stopRun',
  runAgain: 'riftnet.runAgain',
  revealScript: 'riftnet.revealScript',
  closeSocket: 'riftnet.closeSocket',
  copyAddress: 'riftnet.copyAddress',
  explain: 'riftnet.explain',
  setUpFolder: 'riftnet.setUpFolder',
  newScript: 'riftnet.newScript',
  openApiDocs: 'riftnet.openApiDocs',
  saveCapture: 'riftnet.saveCapture',
  saveCaptureOf: 'riftnet.saveCaptureOf',
  filterSockets: 'riftnet.filterSockets',
  clearFilter: 'riftnet.clearFilter',
} as const;

export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEW_CONTAINER = 'riftnet';

export const VIEWS = {
  sockets: 'riftnet.sockets',
} as const;

/** Type of the debug configurations that debug a script. */
export const DEBUG_TYPE = 'riftnet';

/** Keys below `riftnet.`, as `workspace.getConfiguration('riftnet')` takes them. */
export const CONFIGURATION_SECTION = 'riftnet';

export const SETTINGS = {
  link: 'link',
  interface: 'interface',
  address: 'address',
  gateway: 'gateway',
  captureBinding: 'captureBinding',
  localhost: 'localhost',
  hostAddress: 'hostAddress',
  dns: 'dns',
  extraCaCertificates: 'extraCaCertificates',
  captureFile: 'captureFile',
  captureMemory: 'captureMemory',
  nodePath: 'nodePath',
  tickRate: 'tickRate',
  memoryLimit: 'memoryLimit',
  outputLimit: 'outputLimit',
  timeout: 'timeout',
  whenRunning: 'whenRunning',
  revealOutput: 'revealOutput',
  codeLens: 'codeLens',
} as const;

/** Context keys that `when` clauses use. */
export const CONTEXT_KEYS = {
  /** true while at least one script runs. */
  running: 'riftnet.running',
  /** Paths of the running scripts, for `resourcePath in riftnet.runningPaths`. */
  runningPaths: 'riftnet.runningPaths',
  /** Paths of the scripts that an editor shows, for `resourcePath in riftnet.scriptPaths`. */
  scriptPaths: 'riftnet.scriptPaths',
  /** true while the Sockets view shows a script that has ended. */
  hasEnded: 'riftnet.hasEnded',
  /** true while the Sockets view leaves something out. */
  filtered: 'riftnet.filtered',
} as const;

/** What `viewItem` is in the Sockets view: a kind, and whether the thing is still going on. */
export const TREE_ITEMS = {
  activeRun: 'riftnet.run.active',
  endedRun: 'riftnet.run.ended',
  openSocket: 'riftnet.socket.open',
  closedSocket: 'riftnet.socket.closed',
  failedSocket: 'riftnet.socket.failed',
  pendingFetch: 'riftnet.fetch.pending',
  endedFetch: 'riftnet.fetch.ended',
  failedFetch: 'riftnet.fetch.failed',
  /** A line of why something failed. */
  reason: 'riftnet.reason',
} as const;

/** Language of the output channel; its grammar colours the lines. */
export const OUTPUT_LANGUAGE = 'riftnet-output';

/** The folder that "Set Up Script Folder" makes among the scripts: what is in it is the extension's. */
export const SCRIPT_FOLDER = '.riftnet';

/** Languages whose documents are scripts. */
export const SCRIPT_LANGUAGES = ['typescript', 'javascript'] as const;
