/** Agents of `agent({...})` with a replica, which speak with others, on nodes in processes that are killed. */
import { type AgentSystem, kindKey } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster } from "./cluster.ts";
import { book, clerk, mill } from "./programs/clerk.ts";

const PATIENT = { timeoutMs: 120_000 };
const NOTES = 24;
const CHUNKS = 120;
let cluster: Cluster;
let system: AgentSystem;
beforeEach(async () => {
  cluster = await Cluster.start();
});
afterEach(async () => {
  await system.close();
  await cluster.stop();
});

type Told = Readonly<Record<string, readonly Record<string, number>[] | undefined>>;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const field = (told: Told, message: string, name: string): unknown[] =>
  (told[message] ?? []).map((one) => one[name]);

async function toldOf(): Promise<Told> {
  return (await system.ask("book", "all", undefined, PATIENT)) as Told;
}

async function until(holds: (told: Told) => boolean): Promise<Told> {
  for (;;) {
    const told = await toldOf();
    if (holds(told)) return told;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is not as if its node had never been killed. */
function checkTold(told: Told): void {
  expect(field(told, "line", "n")).toEqual(upTo(NOTES));
  const after = field(told, "line", "after");
  expect(field(told, "line", "before")).toEqual([1, ...after.slice(0, -1)]);
  expect(field(told, "rang", "rings")).toEqual(upTo(NOTES / 3));
  expect(field(told, "doubled", "doubled")).toEqual(upTo(NOTES / 4));
  expect(field(told, "doubled", "twice")).toEqual(field(told, "doubled", "n").map((n) => 2 * (n as number)));
  expect(field(told, "born", "children")).toEqual([1, 2]);
}

test("kill -9 of the node of an agent that speaks with others: what it told, asked, published, streamed and set timers for is done once each and in order, from its replica on", async () => {
  await Promise.all([cluster.join("one"), cluster.join("two")]);
  const module = await buildAgent({ entry: `${import.meta.dirname}/programs/clerk.ts` });
  system = connectSystem(cluster.anchor, { modules: [clerk, book, mill].map((each) => [each, module]) });
  await system.spawn(book, { name: "book" });
  await system.spawn(mill, { name: "mill" });
  await system.tell("book", "listen");
  const begin = { definition: kindKey(clerk) };
  const { bytes, grants } = module;
  const where = { on: "one", durability: "replica" } as const;
  const { agent } = await cluster.anchor.spawn({ name: "clerk", module: bytes, grants, begin, ...where });

  for (const n of upTo(10)) await system.tell("clerk", "note", n);
  const chunks: number[] = [];
  const streaming = (async () => {
    for await (const i of system.stream("clerk", "lines", CHUNKS, PATIENT)) {
      chunks.push(i as unknown as number);
      // It asks another agent now, which takes its time to answer; timers are set, and messages wait.
      if (chunks.length === 80) await cluster.kill("one");
    }
  })();
  for (const n of upTo(NOTES).slice(10)) await system.tell("clerk", "note", n);
  await streaming;
  const told = await until(
    (now) => (now["doubled"]?.length ?? 0) >= NOTES / 4 && (now["rang"]?.length ?? 0) >= NOTES / 3,
  );
  checkTold(told);
  expect(chunks).toEqual(Array.from({ length: CHUNKS }, (_, i) => i));
  expect(await system.ask("mill", "asked", undefined, PATIENT)).toEqual(upTo(NOTES / 4 + CHUNKS / 40));
  expect((await until((now) => (now["news"]?.length ?? 0) >= NOTES))["news"]).toEqual(told["line"]);

  const row = (await cluster.anchor.listAgents()).find((one) => one.agent === agent);
  expect(row?.ownerName).not.toBe("one");
  expect(row?.live?.replica?.state).toBe("fed");
}, 300_000);
