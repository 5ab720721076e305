/** The routines of orchestration on real nodes: the agents are QuickJS cells on two of them, the routines run inside agents and outside. */
import { join } from "node:path";
import type { AgentRef, AgentSystem, AnyAgent } from "@glia-os/cells/agent";
import { quorum, voterSet } from "@glia-os/cells/orchestration";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import * as orchestra from "./orchestra.ts";

const { voter, conductor, sink, villager, peer, bestEffort } = orchestra;
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

const places = ["hub", "edge"] as const;

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a quorum of five voters on two nodes is found from outside and from inside an agent", async () => {
  const refs: AgentRef<typeof voter>[] = [];
  for (let n = 0; n < 5; n++)
    refs.push(await system.spawn(voter, { input: n < 3 ? "go" : "wait", on: places[n % 2] as string }));
  const outside = await system.run(function* (ctx) {
    return yield* quorum(ctx, voterSet("board", 1, refs), "vote", "go?", { timeoutMs: 20_000 });
  });
  expect(outside).toMatchObject({ outcome: "reached", answer: "go", needed: 3, got: 3 });
  const inside = await system.ask(await system.spawn(conductor, { on: "edge" }), "survey", refs, {
    timeoutMs: 30_000,
  });
  expect(inside).toMatchObject({
    outcome: "reached",
    answer: "go",
    set: { name: "board", version: 1, voters: 5 },
  });
  const gone = { id: "0".repeat(32) } as AgentRef<typeof voter>;
  const missing = await system.run(function* (ctx) {
    return yield* quorum(
      ctx,
      voterSet("board", 2, [...refs.slice(0, 2), gone, refs[3] as AgentRef<typeof voter>]),
      "vote",
      "go?",
      {
        timeoutMs: 20_000,
      },
    );
  });
  expect(missing.outcome).toBe("impossible");
});

test("a pipeline of three stages, one of them on another node, gives every item in order", async () => {
  const boss = await system.spawn(conductor, { on: "hub" });
  const items = await system.ask(boss, "pipeline", [100, "edge"], { timeoutMs: 50_000 });
  expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n * n).filter((n) => n % 2 === 1));
});

test("a channel keeps its bound and its order while its receiver moves", async () => {
  const to = await system.spawn(sink, { on: "edge" });
  const from = await system.spawn(conductor, { on: "hub" });
  const sent = system.ask(from, "send", [to, 200], { timeoutMs: 50_000 });
  await nodes.hub.migrate(to.id, "hub");
  expect(await sent).toBe(8);
  expect(await system.ask(to, "got")).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test("a keeper in a cell grants a lease once, without a fence", async () => {
  const keeper = await system.spawn(bestEffort, { on: "edge" });
  const [one, other] = [await system.spawn(conductor, {}), await system.spawn(conductor, { on: "edge" })];
  expect(await system.ask(one, "hold", keeper)).toBe(false);
  await expect(system.ask(other, "hold", keeper)).rejects.toThrow(/holds the lease on printer/);
});

test("a rumor reaches all agents of both nodes, once", async () => {
  const refs: AgentRef<typeof villager>[] = [];
  for (let n = 0; n < 4; n++) refs.push(await system.spawn(villager, { on: places[n % 2] as string }));
  const ids = refs.map(({ id }) => id);
  for (const ref of refs) await system.ask(ref, "meet", ids);
  const [first, ...others] = refs as [AgentRef<typeof villager>, ...AgentRef<typeof villager>[]];
  await system.ask(first, "say", "fire");
  const heard = async (): Promise<unknown[]> => Promise.all(others.map((ref) => system.ask(ref, "heard")));
  await eventually(async () => (await heard()).every((list) => (list as unknown[]).length > 0));
  expect(await heard()).toEqual(others.map(() => ["fire"]));
});

test("agents on two nodes share a counter over a topic, and one that moves meanwhile loses no addition", async () => {
  const refs: AgentRef<typeof peer>[] = [];
  for (const on of places) refs.push(await system.spawn(peer, { on }));
  const [one, other] = refs as [AgentRef<typeof peer>, AgentRef<typeof peer>];
  for (let n = 1; n <= 10; n++) {
    await system.ask(one, "add", n);
    await system.ask(other, "add", 100 * n);
    if (n === 5) await nodes.hub.migrate(one.id, "edge");
  }
  await eventually(async () =>
    (await Promise.all(refs.map((ref) => system.ask(ref, "read")))).every((sum) => sum === 5555),
  );
});
