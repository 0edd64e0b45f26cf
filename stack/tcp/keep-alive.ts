/** Keep-alive (RFC 9293 §3.8.4, RFC 1122 §4.2.3.6): whether an idle peer is still there. Off unless asked for. */
import { StackError } from '../errors';
import { formatIpv4 } from '../wire/address';
import type { TcpContext } from './context';
import { sendKeepAlive, sendReset } from './output';
import type { Tcb } from './tcb';
import type { KeepAlive } from './types';

/** When the next probe is due, ms; `Infinity` where none is: what is in flight has a timer of its own. */
export function keepAliveAt(tcb: Tcb): number {
  const { keepAlive } = tcb;
  if (!keepAlive || tcb.sent.length > 0 || !(tcb.state === 'ESTABLISHED' || tcb.state === 'CLOSE-WAIT' || tcb.state === 'FIN-WAIT-2')) return Infinity;
  if (tcb.keepAliveProbes === 0) return tcb.heardAt + keepAlive.idleMs;
  // Not reckoned from the silence: one that began long ago, or a clock that jumped, must not send all probes at once.
  return tcb.probedAt + keepAlive.intervalMs;
}

export function runKeepAlive(context: TcpContext, tcb: Tcb, keepAlive: KeepAlive): void {
  if (tcb.keepAliveProbes >= keepAlive.probes) {
    // Should it be there after all, it learns that we are not.
    sendReset(context, tcb);
    const silent = Math.round((context.now - tcb.heardAt) / 1_000);
    const peer = `${formatIpv4(tcb.remoteAddress)}:${tcb.remotePort}`;
    context.finish(tcb, new StackError('ETIMEDOUT', `${peer} has said nothing for ${silent} s and answered none of ${keepAlive.probes} keep-alive probes.`));
    return;
  }
  tcb.keepAliveProbes++;
  tcb.probedAt = context.now;
  context.counters.keepAliveProbes++;
  sendKeepAlive(context, tcb);
}
