/** The contract of agent systems over two nodes, where every agent is durable and runs on the node beside the one that is asked. */
import type { AgentSystem } from "@glia-os/cells/agent";
import { agentSystemContract, family, ledger, ledgerBroken, ledgerTwo } from "@glia-os/cells/testing";
import { connectSystem } from "@glia-os/daemon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { patient, type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import { durableBundle } from "./durable-bundle.ts";

let nodes: TwoNodes;
let system: AgentSystem;

beforeAll(async () => {
  nodes = await twoNodes({ programs: "uploaded" });
  const module = await durableBundle(`export * from "@glia-os/cells/testing";
    export { ledger as agent } from "@glia-os/cells/testing";`);
  const modules = [ledger, ledgerTwo, ledgerBroken, family].map((each) => [each, module] as const);
  system = patient(connectSystem(nodes.hub, { modules }), "edge");
});
afterAll(async () => {
  await nodes.stop();
});

test.each(agentSystemContract.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
  expect(await one.run(system)).toBeUndefined();
});
