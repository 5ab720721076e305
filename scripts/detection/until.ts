/** Waiting for something that other processes do. */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;

/** Whether `done` became true in time. */
export async function until(done: () => boolean, limitMs: number): Promise<boolean> {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await sleep(POLL_MS))
    if (done()) return true;
  return done();
}
