/**
 * Takes from Node what no script's process needs, before the script's first line. The boundary is the process and its
 * permission model; this is for what that model does not cover: signals to other processes, and the system's sockets
 * where Node has no permission for them. Code that gets hold of Node's objects finds them without these.
 */
import net from 'node:net';
import process from 'node:process';

/** Ways from `process` to other processes, to native code, to modules, and to the handles of our own pipe. */
const PROCESS = [
  'kill', '_kill', '_debugProcess', '_debugEnd', 'execve', 'abort',
  'binding', '_linkedBinding', 'dlopen', 'getBuiltinModule', 'mainModule', '_getActiveHandles', '_getActiveRequests',
  'chdir', 'umask', 'setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups', 'loadEnvFile', 'report',
  'openStdin', '_preload_modules',
];
/** Calls of a pipe's native handle that lead to others. */
const HANDLE = ['bind', 'listen', 'connect', 'fchmod'];

function refuse(): never {
  throw new Error('The sockets of the operating system are not available to Riftnet scripts: use Network.Connect');
}

/** @param pipe the one socket of Node's that is open */
export function disarm(pipe: net.Socket): void {
  // Not deleted: looked up, a missing name would be asked of Object.prototype, where a script can answer.
  for (const name of PROCESS) Object.defineProperty(process, name, { value: undefined, writable: false, configurable: false });
  const close = (target: object, name: string) => void Object.defineProperty(target, name, { value: refuse, writable: false, configurable: false });
  close(net.Socket.prototype, 'connect');
  for (const name of ['listen', '_listen2']) close(net.Server.prototype, name);
  // The way below `listen`, which Node exports for its own cluster module.
  close(net, '_createServerHandle');
  const handle: unknown = Reflect.get(pipe, '_handle');
  if (typeof handle !== 'object' || handle === null) return;
  const prototype: unknown = Object.getPrototypeOf(handle);
  if (typeof prototype === 'object' && prototype !== null) for (const name of HANDLE) close(prototype, name);
}
