/** Agents of real nodes that speak with each other, are looked up, make others and move meanwhile (docs/spec/agents-service.md). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentRef, AgentSystem } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { counter, teller } from "./programs/talkers.ts";
import { patient, type TwoNodes, talkers, twoNodes } from "./two-nodes.ts";

let nodes: TwoNodes;
let system: AgentSystem;

beforeAll(async () => {
  nodes = await twoNodes();
  const module = await talkers();
  system = patient(
    connectSystem(nodes.hub, { modules: [counter, teller].map((each) => [each, module] as const) }),
  );
});
afterAll(async () => {
  await system.close();
  await nodes.stop();
});

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
}

/** Until it holds: what is told of an agent that ended comes after the fact. */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

async function names(): Promise<readonly string[]> {
  return (await nodes.hub.listAgents()).map(({ name }) => name);
}

test("AF1: while both ends move again and again, what one agent tells another arrives once each, in order", async () => {
  const to = await system.spawn(counter, { on: "edge" });
  const from = await system.spawn(teller, { on: "hub" });
  const upTo = 1000;
  await system.tell(from, "tell", { to, upTo });
  for (let round = 0; round < 2; round++) {
    const away = round % 2 === 0;
    await Promise.all([
      nodes.hub.migrate(to.id, away ? "hub" : "edge"),
      nodes.hub.migrate(from.id, away ? "edge" : "hub"),
    ]);
  }
  await eventually(async () => (await system.ask(from, "sent")) === upTo);
  await eventually(async () => ((await system.ask(to, "seen")) as number[]).length >= upTo);
  expect(await system.ask(to, "seen")).toEqual(Array.from({ length: upTo }, (_, i) => i));
});

test("an agent asks another on another node by address and by name; bytes, streams and senders come through", async () => {
  const sum = await system.spawn(counter, { name: "sum", on: "edge", input: 40 });
  const asker = await system.spawn(teller, { name: "asker", on: "hub" });
  expect(await system.ask(asker, "sum", { to: sum, n: 1 })).toBe(41);
  expect(await system.ask("asker", "sum", { to: "sum", n: 1 })).toBe(42);
  expect(await system.ask(sum, "bytes", Uint8Array.of(0, 255))).toEqual(Uint8Array.of(255, 0));
  const who = (await system.ask(sum, "who")) as { readonly self: AgentRef; readonly from: AgentRef };
  expect(who.self).toEqual({ id: sum.id, name: "sum" });
  const chunks: unknown[] = [];
  for await (const chunk of system.stream(sum, "lines", 100)) chunks.push(chunk);
  expect(chunks).toEqual(Array.from({ length: 100 }, (_, i) => i));
  const first = system.stream(sum, "lines", 1000);
  expect(await first.next()).toEqual({ done: false, value: 0 });
  await first.return?.(undefined);
  expect(await system.ask(sum, "add", 0)).toBe(42);
});

test("bad input: what does not fit its schema, unknown messages, agents and names are refused by their code, and nothing is changed", async () => {
  const sum: AgentRef = await system.spawn(counter, { name: "strict", on: "edge" });
  expect(await codeOf(system.ask(sum, "add", "one"))).toBe("agent.bad-message");
  expect(await codeOf(system.ask(sum, "subtract", 1))).toBe("agent.unknown-message");
  expect(await codeOf(system.ask(sum, "boom"))).toBe("agent.handler-failed");
  expect(await codeOf(system.ask("nobody", "add", 1))).toBe("agent.unknown-agent");
  expect(await codeOf(system.ask({ id: "0".repeat(32) }, "add", 1))).toBe("agent.unknown-agent");
  expect(await codeOf(system.tell({ id: "0".repeat(32) }, "note", 1))).toBe("agent.unknown-agent");
  expect(await codeOf(system.ask("No Name", "add", 1))).toBe("agent.bad-argument");
  expect(await codeOf(system.ask(sum, "add", () => 1))).toBe("agent.value-not-plain");
  expect(await codeOf(system.ask(sum, "note", "x".repeat(1_100_000)))).toBe("mesh.link-limit");
  expect(await codeOf(system.spawn(counter, { name: "strict" }))).toBe("agent.name-taken");
  expect(await codeOf(system.spawn(counter, { on: "nowhere" }))).toBe("agent.place-unknown");
  const asker = await system.spawn(teller, {});
  expect(await codeOf(system.ask(asker, "sum", { to: "nobody", n: 1 }))).toBe("agent.unknown-agent");
  expect(await codeOf(system.ask(asker, "large", sum))).toBe("agent.value-not-plain");
  expect(await system.ask(sum, "add", 1)).toBe(1);
});

test("SD5: what is no message of agents or of a node is dropped by the agent and said in its log", async () => {
  const sum = await system.spawn(counter, { name: "calm", on: "edge" });
  for (const text of [
    "rubbish",
    "{}",
    '{"glia":2}',
    "\u0000",
    '{"glia":1,"kind":"tell","message":"note","more":1}',
    '{"host":',
    '{"host":"stop"',
  ])
    await nodes.hub.send(sum.id, new TextEncoder().encode(text));
  await nodes.hub.send(sum.id, Uint8Array.of(0xff, 0xfe));
  expect(await system.ask(sum, "add", 1)).toBe(1);
  await eventually(
    async () => nodes.lines.filter((line) => line.startsWith("a message was refused")).length >= 8,
  );
});

test("AF5: children are made on other nodes by the name of their definition, and end with their parent, also when it is terminated", async () => {
  const parent = await system.spawn(teller, { name: "parent", on: "hub" });
  const child = (await system.ask(parent, "bear", { name: "child", on: "edge", input: 7 })) as AgentRef;
  expect(await system.ask(child, "add", 1)).toBe(8);
  expect(await codeOf(system.ask(parent, "bear", { name: "child", on: "edge", input: 7 }))).toBe(
    "agent.name-taken",
  );
  expect(await codeOf(system.ask(parent, "bear", { name: "lost", on: "nowhere", input: 7 }))).toBe(
    "agent.place-unknown",
  );
  await system.stop(parent);
  await eventually(async () => !(await names()).includes("child"));
  const other = await system.spawn(teller, { name: "other", on: "hub" });
  await system.ask(other, "bear", { name: "orphan", on: "edge", input: 0 });
  await nodes.hub.terminate("other");
  await eventually(async () => !(await names()).includes("orphan"));
  expect(await codeOf(system.ask("orphan", "add", 1))).toBe("agent.unknown-agent");
});

test("PB1: a publication reaches each subscriber in the mesh once, one that moved and a program outside included", async () => {
  const publisher = await system.spawn(teller, { on: "edge" });
  const here = await system.spawn(counter, { on: "hub" });
  const there = await system.spawn(counter, { on: "edge" });
  const moved = await system.spawn(counter, { on: "hub" });
  for (const each of [here, there, moved]) await system.ask(each, "listen", "news");
  await nodes.hub.migrate(moved.id, "edge");
  for (let n = 0; n < 20; n++) await system.tell(publisher, "publish", { topic: "news", n });
  const all = Array.from({ length: 20 }, (_, n) => n);
  for (const each of [here, there, moved]) {
    await eventually(async () => ((await system.ask(each, "seen")) as number[]).length >= 20);
    expect(await system.ask(each, "seen")).toEqual(all);
  }
});

test("a routine outside is an agent for its time: it finds, asks several at once, spawns, and what it spawned ends with it", async () => {
  const result = await system.run(function* (ctx) {
    const one = yield* ctx.spawn(counter, { name: "one", on: "edge" });
    const two = yield* ctx.spawn(counter, { name: "two", input: 10 });
    const found = yield* ctx.find<typeof counter>("one");
    const nobody = yield* ctx.find("nobody");
    const tickets = [ctx.begin(one, "add", 1), ctx.begin(two, "add", 1)];
    const sums = yield* ctx.settled(tickets, { count: 2 });
    const values = sums.map((each) => (each.ok ? each.value : each.error));
    return { same: found?.id === one.id, nobody, values: values.map(Number).sort((a, b) => a - b) };
  });
  expect(result).toEqual({ same: true, nobody: undefined, values: [1, 11] });
  await eventually(async () => !(await names()).some((name) => name === "one" || name === "two"));
});

test("observe: an agent says how it is and what it was told, wherever it runs", async () => {
  const sum = await system.spawn(counter, { name: "watched", on: "edge" });
  await system.observe.log(sum, 4);
  for (let n = 1; n <= 3; n++) await system.ask(sum, "add", n);
  const report = await system.observe.agent(sum);
  expect(report).toMatchObject({ kind: "counter", state: "running", place: "edge" });
  const messages = await system.observe.messages(sum);
  expect(messages.map(({ direction, message }) => [direction, message]).slice(-2)).toEqual([
    ["in", "add"],
    ["out", ""],
  ]);
  expect(await system.observe.agent({ id: "0".repeat(32) })).toBeUndefined();
});
