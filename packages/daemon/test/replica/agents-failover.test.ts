/** Agents of `agent({...})` with two replicas, which speak with others, on nodes in processes that are killed. */
import { type AgentSystem, kindKey } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster } from "./cluster.ts";
import { book, clerk, mill } from "./programs/clerk.ts";
import { checkTold, PATIENT, untilDone, upTo } from "./told.ts";

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

test("kill -9 of the node of an agent that speaks with others: what it told, asked, published, streamed and set timers for is done once each and in order, from its replica on", async () => {
  await Promise.all([cluster.join("one"), cluster.join("two")]);
  const module = await buildAgent({ entry: `${import.meta.dirname}/programs/clerk.ts` });
  system = connectSystem(cluster.anchor, { modules: [clerk, book, mill].map((each) => [each, module]) });
  await system.spawn(book, { name: "book" });
  await system.spawn(mill, { name: "mill" });
  await system.tell("book", "listen");
  const begin = { definition: kindKey(clerk) };
  const { bytes, grants } = module;
  const where = { on: "one", replicas: 2 } as const;
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
  checkTold(await untilDone(system, NOTES), NOTES);
  expect(chunks).toEqual(Array.from({ length: CHUNKS }, (_, i) => i));
  expect(await system.ask("mill", "asked", undefined, PATIENT)).toEqual(upTo(NOTES / 4 + CHUNKS / 40));

  const row = (await cluster.anchor.listAgents()).find((one) => one.agent === agent);
  expect(row?.ownerName).not.toBe("one");
  expect(row?.live?.replica).toMatchObject({ state: "short", wanted: 2, nodes: [{ state: "fed" }] });
}, 300_000);
