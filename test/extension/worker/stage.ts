/** What a script's process has for time, on the virtual clock. */
import { createEngine } from '../../../extension/worker/script/engine';
import { createEvent } from '../../../extension/worker/script/events';
import { Loop } from '../../../extension/worker/script/ticks';
import { VirtualHost } from './virtual-host';

export function stage(tickRate = 30) {
  const host = new VirtualHost();
  const errors: unknown[] = [];
  const report = (error: unknown) => void errors.push(error);
  const wanted = () => loop.wantedChanged();
  const onTick = createEvent('Event.OnTick', report, wanted);
  const onRender = createEvent('Event.OnRender', report, wanted);
  const loop = new Loop(host, onTick, onRender, tickRate);
  const engine = createEngine({ host, tickRate, tickCount: () => loop.tickCount, report, microtask: queueMicrotask });
  loop.start();
  return { host, errors, OnTick: onTick.event, OnRender: onRender.event, loop, ...engine };
}
