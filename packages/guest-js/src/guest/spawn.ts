/** What happens when the agent starts to run, as opposed to when its module was built. */
import { host, insideGuest } from "./host.ts";
import { reseed } from "./random.ts";
import { rejected, turn } from "./schedule.ts";
import { startTimers } from "./timers.ts";

const listeners: (() => void)[] = [];

/** Call a function when the agent starts to run: at every spawn, and not when it is moved or woken. */
export function onSpawn(listener: () => void): void {
  listeners.push(listener);
}

function spawned(): void {
  reseed();
  startTimers();
  for (const listener of listeners) listener();
}

/** Take part: give the engine its hooks. */
export function register(): void {
  if (insideGuest) host.h(turn, rejected, spawned);
}
