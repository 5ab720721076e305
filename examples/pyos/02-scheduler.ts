/** Step 2: several tasks take turns, first come first served. */
import type { Sys } from "@glia-os/kernel";
import { boot } from "./machine.ts";

/** Says its name `times` times, letting others run in between. */
export function* chatter(sys: Sys, name: string, times: number, said: string[]) {
  for (let i = 0; i < times; i++) {
    said.push(name);
    yield* sys.yield();
  }
}

/** Two tasks that chat; gives the order in which they spoke. */
export async function conversation(): Promise<readonly string[]> {
  const said: string[] = [];
  const machine = boot();
  machine.kernel.spawn((sys) => chatter(sys, "foo", 3, said));
  machine.kernel.spawn((sys) => chatter(sys, "bar", 3, said));
  await machine.ended();
  return said;
}

if (import.meta.main) console.log((await conversation()).join(" "));
