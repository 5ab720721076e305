/** An agent of a node whose timer is always due again, and its neighbours on the same thread. */
import { join } from "node:path";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { expect, test } from "vitest";
import { testNodes } from "../movement/nodes.ts";
import { busy, quick } from "./programs/ticking.ts";
import { PATIENT, patient } from "./two-nodes.ts";

const nodes = testNodes();
const ROUNDS = 20;

test("SC2: an agent whose ticks take longer than their period neither keeps its own messages from being handled nor those of its neighbours", async () => {
  const node = await nodes.found();
  const module = await buildAgent({ entry: join(import.meta.dirname, "programs/ticking.ts") });
  const system = patient(
    connectSystem(node, { modules: [busy, quick].map((each) => [each, module] as const) }),
  );
  await system.spawn(quick, { name: "quick" });
  await system.spawn(busy, { name: "busy" });
  const ticks = async (): Promise<number> =>
    (await system.ask("busy", "ticks", undefined, PATIENT)) as number;
  const before = await ticks();
  for (let n = 0; n < ROUNDS; n++) expect(await system.ask("quick", "echo", n, PATIENT)).toBe(n);
  // Each answer takes a few turns of the thread, of a few ticks each, and more where other threads wait for a processor; a turn of 2048 switches takes as many ticks.
  expect((await ticks()) - before).toBeLessThan(ROUNDS * 500);
  await system.close();
});
