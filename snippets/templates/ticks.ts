// Runs with the loop until it is stopped: a handler for each tick, and a timer.
let ticks = 0;
Event.OnTick.on(() => {
  ticks++;
});

Engine.Timer(() => {
  print(`${ticks} ticks in ${(Engine.Time() / 1000).toFixed(1)} s, at ${Engine.TICK_RATE} Hz`);
}, 1000);
