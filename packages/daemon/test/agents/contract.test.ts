/** The contract of agent systems, over two nodes: the agents run in guests of the node beside the one that is asked. */
import type { AgentSystem } from "@glia-os/cells/agent";
import { agentSystemContract, family, ledger, ledgerBroken, ledgerTwo } from "@glia-os/cells/testing";
import { connectSystem } from "@glia-os/daemon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contractAgents, patient, type TwoNodes, twoNodes } from "./two-nodes.ts";

let nodes: TwoNodes;
let system: AgentSystem;

beforeAll(async () => {
  nodes = await twoNodes();
  const module = await contractAgents();
  const modules = [ledger, ledgerTwo, ledgerBroken, family].map((each) => [each, module] as const);
  // Elsewhere than asked, unless a case says where.
  system = patient(connectSystem(nodes.hub, { modules }), "edge");
});
afterAll(async () => {
  await nodes.stop();
});

test.each(agentSystemContract.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
  expect(await one.run(system)).toBeUndefined();
});
