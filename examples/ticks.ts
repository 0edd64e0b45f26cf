// The engine's loop: ticks, frames and timers, and a server asked from within it.
import server from './server.json';

let frames = 0;
const onRender = (): void => void frames++;
Event.OnRender.on(onRender);

// Runs every 100 ms until it returns true.
let rounds = 0;
Engine.Timer(() => {
  rounds++;
  return rounds === 3;
}, 100);

Engine.Delay(() => print('half a second has passed'), 500);

const first = await Event.OnTick;
for await (const tick of Event.OnTick) {
  if (tick - first >= Engine.TICK_RATE) break; // one second of ticks
}
Event.OnRender.off(onRender);

print(`a second of ticks at ${Engine.TICK_RATE} Hz; more frames than ticks: ${frames > Engine.TICK_RATE}; timer rounds: ${rounds}`);

// A request takes a few ticks; the loop goes on meanwhile.
let waited = 0;
const count = (): void => void waited++;
Event.OnTick.on(count);
const response = await fetch(`http://${server.host}:${server.port}/players/1`);
Event.OnTick.off(count);
print(`answer ${response.status}, after ${waited} ticks`);
