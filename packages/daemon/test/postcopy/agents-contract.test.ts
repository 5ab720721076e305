/** The contract of agent systems, with every agent on its way: a case goes on with it when it runs at its destination, while its pages follow. */
import type { AgentSystem } from "@glia-os/cells/agent";
import { agentSystemContract, family, ledger, ledgerBroken, ledgerTwo } from "@glia-os/cells/testing";
import { connectSystem, type NodeEvent } from "@glia-os/daemon";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { contractAgents, patient, type TwoNodes, twoNodes } from "../agents/two-nodes.ts";

/** One of each kind; the rest with GLIA_SOAK=1. */
const QUICK = [
  "messages of one sender come in the order they were sent, also past a handler that waits",
  "a stream gives its chunks in order, more than its credit",
  "timers give messages, once and again and again",
  "several asks under way are settled in whatever order they end",
  "what is published reaches who subscribes, and nobody after",
  "an agent that is paused handles nothing and loses nothing",
];
const cases = agentSystemContract.filter(
  ({ title }) => process.env["GLIA_SOAK"] === "1" || QUICK.includes(title),
);
let nodes: TwoNodes;
let system: AgentSystem;
const runs = new Map<string, () => void>();
const moves: Promise<unknown>[] = [];
const made: string[] = [];

function heard(event: NodeEvent): void {
  if (event.kind === "migration-phase" && event.phase.phase === "live") runs.get(event.agent)?.();
}

/** Resolves when an agent of this node runs on the other one; the rest of it follows. */
async function leaves(agent: string, to: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  runs.set(agent, resolve);
  const strategy = moves.length % 2 === 0 ? "post-copy" : "hybrid";
  const moving = nodes.hub.migrate(agent, to, { strategy });
  moves.push(moving.then((report) => expect(report.strategy).toBe(strategy)));
  await Promise.race([promise, moving]);
  // Its case may end it.
  moving.catch(() => undefined);
}

function moving(inner: AgentSystem): AgentSystem {
  const spawn: AgentSystem["spawn"] = async (definition, options) => {
    const ref = await inner.spawn(definition, options);
    made.push(ref.id);
    // Hybrid moves need one that has come to its first message.
    await inner.observe.agent(ref);
    await leaves(ref.id, options?.on === "hub" ? "edge" : "hub");
    return ref;
  };
  return new Proxy(inner, {
    get: (_, name) => {
      const found = name === "spawn" ? spawn : Reflect.get(inner, name);
      return typeof found === "function" ? found.bind(inner) : found;
    },
  });
}

beforeAll(async () => {
  nodes = await twoNodes({ onEvent: heard });
  const module = await contractAgents();
  const modules = [ledger, ledgerTwo, ledgerBroken, family].map((each) => [each, module] as const);
  system = moving(patient(connectSystem(nodes.hub, { modules }), "edge"));
});
// One that pulses for ever takes the time of those of later cases.
afterEach(async () => {
  await Promise.allSettled(moves);
  for (const agent of made.splice(0)) await nodes.hub.terminate(agent).catch(() => undefined);
});
afterAll(async () => {
  const ends = await Promise.allSettled(moves);
  const whole = ends.filter(({ status }) => status === "fulfilled").length;
  console.log(`${moves.length} agents on their way by post-copy and hybrid, ${whole} of them to the end`);
  await nodes.stop();
});

test("the quick cases are cases of the contract", () => {
  expect(agentSystemContract.filter(({ title }) => QUICK.includes(title))).toHaveLength(QUICK.length);
});

test.each(cases.map((one) => [one.title, one] as const))("%s", async (_title, one) => {
  expect(await one.run(system)).toBeUndefined();
});
