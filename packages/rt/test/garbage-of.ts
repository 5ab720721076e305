/** What a call leaves on the heap. */

const RUNS = 8;
const CALLS = 200_000;

/**
 * Bytes per call that `call` leaves on the JavaScript heap; the smallest object has 12. The least of a few runs: code compiled during a run
 * is on the heap too. A run in which the heap shrank, because it was collected, says nothing.
 */
export function garbageOf(call: () => void): number {
  for (let i = 0; i < CALLS; i++) call();
  const runs = Array.from({ length: RUNS }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) call();
    return (process.memoryUsage().heapUsed - before) / CALLS;
  });
  return Math.min(...runs.filter((bytes) => bytes >= 0));
}
