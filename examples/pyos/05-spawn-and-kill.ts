/** Step 5: a task makes another one, lets it run for a while and ends it. The child's `finally` runs. */
import type { Sys } from "@glia-os/kernel";
import { runAlone } from "./machine.ts";

/** Makes a child that would run for ever, and ends it after five turns. */
export function* parent(sys: Sys) {
  const notes: string[] = [];
  const child = sys.spawn(function* (sys) {
    try {
      for (;;) {
        notes.push("child runs");
        yield* sys.yield();
      }
    } finally {
      notes.push("child cleans up");
    }
  });
  for (let i = 0; i < 5; i++) yield* sys.yield();
  sys.kill(child, "seen enough");
  const exit = yield* sys.wait(child);
  return { notes, exit };
}

if (import.meta.main) console.log(await runAlone((sys) => parent(sys)));
