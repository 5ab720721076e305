/** An agent of `agent({...})` on its way by post-copy whose source is killed after the commit, before it is whole (PN6, PN9). */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AgentSystem, kindKey } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterEach, expect, test } from "vitest";
import { codeOf, testNodes } from "../movement/nodes.ts";
import { book, clerk, mill } from "../replica/programs/clerk.ts";
import { checkTold, PATIENT, untilDone, upTo } from "../replica/told.ts";
import { startSource } from "./start-source.ts";

const FAST = { mesh: { profile: "fast" } } as const;
const NOTES = 16;
const CHUNKS = 80;
const nodes = testNodes();
let source: ChildProcess | undefined;
const keep = (child: ChildProcess): void => {
  source = child;
};
let system: AgentSystem | undefined;
afterEach(async () => {
  source?.kill("SIGKILL");
  await system?.close();
});

test("PN9: what it told, asked, published, streamed and set timers for is done once each and in order, from its replica on", async () => {
  const core = await nodes.found(FAST);
  await nodes.joined(core, "edge", FAST);
  await startSource(core, nodes.base(), keep);
  const child = source as ChildProcess;
  const module = await buildAgent({ entry: `${import.meta.dirname}/../replica/programs/clerk.ts` });
  const speaks = connectSystem(core, { modules: [clerk, book, mill].map((each) => [each, module]) });
  system = speaks;
  await speaks.spawn(book, { name: "book", on: "core" });
  await speaks.spawn(mill, { name: "mill", on: "core" });
  await speaks.tell("book", "listen");
  const { bytes, grants } = module;
  const begin = { definition: kindKey(clerk) };
  const where = { on: "source", durability: "replica" } as const;
  await core.spawn({ name: "clerk", module: bytes, grants, begin, ...where });
  const live = async () => (await core.listAgents()).find(({ name }) => name === "clerk")?.live;
  while ((await live())?.replica?.state !== "fed") await new Promise((resolve) => setTimeout(resolve, 50));

  // Its replica is no destination.
  const move = async (): Promise<void> => {
    const [first, second] = ["edge", "core"].map(
      (to) => () => codeOf(core.migrate("clerk", to, { strategy: "post-copy" })),
    ) as [() => Promise<string | undefined>, () => Promise<string | undefined>];
    if ((await first()) === "mesh.migration-refused") await second();
  };
  const chunks: number[] = [];
  const killed = once(child, "exit");
  let moving: Promise<unknown> | undefined;
  const streaming = (async () => {
    for await (const i of speaks.stream("clerk", "lines", CHUNKS, PATIENT)) {
      chunks.push(i as unknown as number);
      if (chunks.length === 20) moving = move();
    }
  })();
  for (const n of upTo(NOTES)) await speaks.tell("clerk", "note", n);
  await killed;
  await streaming;
  checkTold(await untilDone(speaks, NOTES), NOTES);
  expect(chunks).toEqual(upTo(CHUNKS).map((n) => n - 1));
  expect(await speaks.ask("mill", "asked", undefined, PATIENT)).toEqual(upTo(NOTES / 4 + CHUNKS / 40));
  const row = (await core.listAgents()).find(({ name }) => name === "clerk");
  expect([row?.status, row?.ownerName]).not.toContain("source");
  await moving;
});
