/**
 * Whether this computer's kernel answers on ports that are the stack's. No privilege is needed to find out: the packet
 * filter that keeps it off holds on the loopback interface as well, so that a connection there is refused at once
 * without it, and is met by silence with it.
 */
import net from 'node:net';

/** A refusal comes at once; so long on a machine that has no time. */
const WAIT_MS = 3_000;

/**
 * @param onAnswer called at most once, if the kernel does answer @param onSilence the same, if it has not in so long
 * @returns what ends the watch; idempotent
 */
export function watchKernel(port: number, onAnswer: () => void, onSilence: () => void = () => {}): () => void {
  const socket = net.connect({ host: '127.0.0.1', port });
  const timer = setTimeout(silent, WAIT_MS);
  timer.unref();
  socket.unref();
  // Refused, or taken: the kernel has seen it either way.
  socket.once('error', answered);
  socket.once('connect', answered);

  function answered(): void {
    end();
    onAnswer();
  }
  function silent(): void {
    end();
    onSilence();
  }
  function end(): void {
    clearTimeout(timer);
    socket.off('error', answered).off('connect', answered);
    // What comes of a socket that nobody waits for any more is nobody's affair.
    socket.on('error', () => {}).destroy();
  }
  return end;
}
