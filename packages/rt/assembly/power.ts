/**
 * Which power mode to wait in. The table and the rule are those of `modeForPause`: least energy for the whole pause, waking at full power
 * included. A tick is a millisecond.
 */

/** Power in percent, time to wake in microseconds, by mode. The last mode, shutdown, is never waited in: it loses memory. */
@inline
function powerPercent(mode: i32): i64 {
  return mode == 0 ? 100 : mode == 1 ? 50 : mode == 2 ? 20 : mode == 3 ? 5 : 1;
}

@inline
function wakeMicros(mode: i32): i64 {
  return mode == 0 ? 0 : mode == 1 ? 1 : mode == 2 ? 10 : mode == 3 ? 100 : 1000;
}

/** Sleep: the deepest mode that an interrupt ends. */
const SLEEP: i32 = 3;
const STANDBY: i32 = 4;

/** The mode to wait so many ticks in. `listens`: whether an interrupt has to be able to end it. */
export function modeFor(ticks: i32, listens: bool): i32 {
  const deepest = listens ? SLEEP : STANDBY;
  let best = 0;
  let least: i64 = i64.MAX_VALUE;
  for (let mode = 0; mode <= deepest; mode++) {
    const cost = powerPercent(mode) * <i64>ticks * 1000 + 100 * wakeMicros(mode);
    if (cost < least) {
      least = cost;
      best = mode;
    }
  }
  return best;
}
