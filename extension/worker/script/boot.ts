/** What Node starts as a script's process: nothing but the compiling of `main.ts`, which must not be a module of Node's own. */
import { compileBundle } from './compile';

const module_: { exports: object } = { exports: {} };
compileBundle('script-main.js', ['exports', 'require', 'module', '__dirname', '__filename'])(module_.exports, require, module_, __dirname, __filename);
