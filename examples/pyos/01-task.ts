/** Step 1: a task is a generator. Between two `yield*` nobody else runs; at each of them the kernel may let others run. */
import type { Sys } from "@glia-os/kernel";
import { runAlone } from "./machine.ts";

/** Notes where it is, three times. */
export function* steps(sys: Sys, notes: string[] = []) {
  notes.push("begun");
  yield* sys.yield();
  notes.push("went on");
  yield* sys.yield();
  notes.push("ends");
  return notes;
}

if (import.meta.main) console.log(await runAlone((sys) => steps(sys)));
