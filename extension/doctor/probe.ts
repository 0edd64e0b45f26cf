/** Run by a Node that is asked whether a worker could capture in it; see `extension/node/probe-result.ts`. */
import { loadBindings } from '../../stack';
import { captureObstacle } from '../node/permission';
import type { ProbeResult } from '../node/probe-result';
import { permissionFlag } from '../node/script-node';
import { loadedLibpcap } from './loaded-library';

const bindings = loadBindings();
const library = loadedLibpcap();
const version = bindings.find(({ libraryVersion }) => libraryVersion !== null)?.libraryVersion ?? null;
const result: ProbeResult = {
  version: process.version,
  modules: process.versions.modules,
  permissionFlag: permissionFlag(),
  bindings: bindings.map(({ binding, failure, warning }) => ({ name: binding, loads: failure === null, words: failure ?? warning })),
  library: library === null && version === null ? null : { path: library, version },
  obstacle: captureObstacle(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
