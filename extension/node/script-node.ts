/**
 * The Node that scripts are started with. A worker that runs in a Node which may capture is told another one: a
 * script must not inherit what its worker may do. It travels in a variable of the worker's environment, of which
 * a script's process gets nothing.
 */
export interface ScriptNode {
  readonly path: string;
  /** The flag that turns its permission model on; null: it has none. */
  readonly permissionFlag: string | null;
}

export const SCRIPT_NODE_VARIABLE = 'RIFTNET_SCRIPT_NODE';

/** The flag of Node's permission model, or null where there is none. */
export function permissionFlag(allowed: ReadonlySet<string> = process.allowedNodeEnvironmentFlags): string | null {
  return ['--permission', '--experimental-permission'].find((flag) => allowed.has(flag)) ?? null;
}

/** This process's own. */
export function ownNode(): ScriptNode {
  return { path: process.execPath, permissionFlag: permissionFlag() };
}

/** The environment for a worker whose scripts are to run in `node`. */
export function withScriptNode(environment: NodeJS.ProcessEnv, node: ScriptNode): NodeJS.ProcessEnv {
  return { ...environment, [SCRIPT_NODE_VARIABLE]: JSON.stringify(node) };
}

/** What the environment says; without a word, this process's own. @throws Error for a variable that is not what we write */
export function scriptNodeOf(environment: NodeJS.ProcessEnv): ScriptNode {
  const text = environment[SCRIPT_NODE_VARIABLE];
  if (text === undefined) return ownNode();
  try {
    const value: unknown = JSON.parse(text);
    if (isScriptNode(value)) return value;
  } catch {
    // Told below.
  }
  throw new Error(`${SCRIPT_NODE_VARIABLE} is ${JSON.stringify(text)}, which riftnet did not write: unset it`);
}

function isScriptNode(value: unknown): value is ScriptNode {
  return (
    typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string' &&
    'permissionFlag' in value && (value.permissionFlag === null || typeof value.permissionFlag === 'string')
  );
}
