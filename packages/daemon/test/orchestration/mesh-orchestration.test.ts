/** The routines of orchestration on real nodes: the agents are QuickJS cells on two of them, the routines run inside agents and outside. */
import { join } from "node:path";
import type { AgentSystem, AnyAgent } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import { cases } from "./cases.ts";
import * as orchestra from "./orchestra.ts";

let nodes: TwoNodes;
let system: AgentSystem;

beforeAll(async () => {
  nodes = await twoNodes();
  const module = await buildAgent({ entry: join(import.meta.dirname, "orchestra.ts") });
  const definitions = [...new Set(Object.values(orchestra))] as AnyAgent[];
  system = connectSystem(nodes.hub, { modules: definitions.map((one) => [one, module] as const) });
});
afterAll(async () => {
  await system.close();
  await nodes.stop();
});

describe("on two nodes", () => {
  test.each(Object.entries(cases))("%s", async (_title, run) => {
    await run({ system, places: ["hub", "edge"], move: ({ id }, to) => nodes.hub.migrate(id, to) });
  });
});
