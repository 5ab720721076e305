/** Step 3: tasks end, one after another, and running is over when none lives. */
import { chatter } from "./02-scheduler.ts";
import { boot } from "./machine.ts";

/** A short and a long task; gives what was said and how many tasks live at the end. */
export async function untilTheLast(): Promise<{ readonly said: readonly string[]; readonly left: number }> {
  const said: string[] = [];
  const machine = boot();
  machine.kernel.spawn((sys) => chatter(sys, "short", 2, said));
  machine.kernel.spawn((sys) => chatter(sys, "long", 5, said));
  await machine.ended();
  return { said, left: machine.kernel.liveTasks };
}

if (import.meta.main) console.log(await untilTheLast());
