/** Step 4: what a task wants from the kernel is a system call. A plain one answers at once; one that may wait is written `yield*`. */
import type { Sys } from "@glia-os/kernel";
import { runAlone } from "./machine.ts";

/** Asks for its id before and after other calls: each call gets its own answer. */
export function* whoAmI(sys: Sys) {
  const before = sys.getTid();
  const nothing = yield* sys.sleep(1);
  const bytes = sys.random(4).length;
  const none = yield* sys.yield();
  return { same: before === sys.getTid(), nothing, bytes, none };
}

if (import.meta.main) console.log(await runAlone((sys) => whoAmI(sys)));
