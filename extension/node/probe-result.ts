/** What a Node says of itself when it runs `dist/probe.js`: one line of JSON. */
export interface ProbeResult {
  /** As `v20.19.0`. */
  readonly version: string;
  /** Number of its binary interface, which a native addon must fit. */
  readonly modules: string;
  readonly permissionFlag: string | null;
  readonly bindings: readonly BindingProbe[];
  /** The libpcap that was loaded; null: none was, or the system does not tell. */
  readonly library: { readonly path: string | null; readonly version: string | null } | null;
  /** Why it may not capture; null: nothing is known to stand against it. */
  readonly obstacle: string | null;
}

export interface BindingProbe {
  readonly name: string;
  readonly loads: boolean;
  /** Why it does not load, or what should be known though it does; names the next step. */
  readonly words: string | null;
}

export type Probe = { readonly result: ProbeResult } | { readonly failure: string };

/** A Node that a worker could run in. */
export interface NodeProbe {
  readonly path: string;
  readonly probe: Probe;
}

export function isUsable(probe: Probe): probe is { readonly result: ProbeResult } {
  return 'result' in probe && probe.result.obstacle === null && probe.result.bindings.some((binding) => binding.loads);
}

/** Why no worker can capture in it; null: it can. */
export function unusableReason(probe: Probe): string | null {
  if ('failure' in probe) return probe.failure;
  const { obstacle, bindings } = probe.result;
  if (!bindings.some((binding) => binding.loads)) return bindings.map(({ name, words }) => `${name}: ${words ?? 'does not load'}`).join('; ');
  return obstacle === null ? null : `it may not capture: ${obstacle}`;
}

/** @returns null for what is no such object */
export function parseProbe(value: unknown): ProbeResult | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('version' in value && 'modules' in value && 'permissionFlag' in value && 'bindings' in value && 'library' in value && 'obstacle' in value)) return null;
  const { version, modules, permissionFlag, bindings, library, obstacle } = value;
  if (typeof version !== 'string' || typeof modules !== 'string' || !isTextOrNull(permissionFlag) || !isTextOrNull(obstacle)) return null;
  if (!Array.isArray(bindings) || !bindings.every(isBinding) || !isLibrary(library)) return null;
  return { version, modules, permissionFlag, bindings, library, obstacle };
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function isBinding(value: unknown): value is BindingProbe {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'loads' in value && typeof value.loads === 'boolean' && 'words' in value && isTextOrNull(value.words);
}

function isLibrary(value: unknown): value is ProbeResult['library'] {
  return value === null || (typeof value === 'object' && 'path' in value && isTextOrNull(value.path) && 'version' in value && isTextOrNull(value.version));
}
