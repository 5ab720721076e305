/** Step 6: waiting for the end of a task gives how it ended, whether it ended before or after. */
import type { Sys } from "@glia-os/kernel";
import { runAlone } from "./machine.ts";

/** Waits for a child that returns, one that fails, and one that ended long ago. */
export function* waiter(sys: Sys) {
  const works = sys.spawn(function* (sys) {
    yield* sys.sleep(1);
    return "done";
  });
  const fails = sys.spawn(function* () {
    throw new RangeError("no such luck");
  });
  const first = yield* sys.wait<string>(works);
  const second = yield* sys.wait(fails);
  const again = yield* sys.wait<string>(works);
  return [first, second, again];
}

if (import.meta.main) console.log(await runAlone((sys) => waiter(sys)));
