/** Agents of `agent({...})`, which speak with others, on their way by post-copy and hybrid (docs/spec/postcopy.md, PN8). */
import { type AgentSystem, kindKey } from "@glia-os/cells/agent";
import { connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import { book, clerk, mill } from "../replica/programs/clerk.ts";
import { checkTold, PATIENT, untilDone, upTo } from "../replica/told.ts";

const MOVES = ["post-copy", "hybrid", "pre-copy", "hybrid", "post-copy"] as const;
const NOTES = 24;
const CHUNKS = 200;
let nodes: TwoNodes;
let system: AgentSystem;

beforeAll(async () => {
  nodes = await twoNodes();
});
afterAll(async () => {
  await system.close();
  await nodes.stop();
});

test("PN8: state, asks both ways, streams, timers, children, subscriptions and randomness go on through moves by every strategy, once each and in order", async () => {
  const module = await buildAgent({ entry: `${import.meta.dirname}/../replica/programs/clerk.ts` });
  system = connectSystem(nodes.hub, { modules: [clerk, book, mill].map((each) => [each, module]) });
  await system.spawn(book, { name: "book", on: "hub" });
  await system.spawn(mill, { name: "mill", on: "hub" });
  await system.tell("book", "listen");
  const { bytes, grants } = module;
  await nodes.hub.spawn({
    name: "clerk",
    module: bytes,
    grants,
    begin: { definition: kindKey(clerk) },
    on: "hub",
  });

  const chunks: number[] = [];
  const streaming = (async () => {
    for await (const i of system.stream("clerk", "lines", CHUNKS, PATIENT))
      chunks.push(i as unknown as number);
  })();
  let noted = 0;
  for (const [n, strategy] of MOVES.entries()) {
    const moving = [
      nodes.hub.migrate("clerk", n % 2 === 0 ? "edge" : "hub", { strategy }),
      // One that hears and one that is asked are on their way, too.
      nodes.hub.migrate(n % 2 === 0 ? "book" : "mill", n % 4 < 2 ? "edge" : "hub", { strategy }),
    ];
    while (noted < ((n + 1) * NOTES) / MOVES.length - 1) await system.tell("clerk", "note", ++noted);
    for (const report of await Promise.all(moving)) {
      expect(report.strategy).toBe(strategy);
      const paged = report.phases.some(({ phase }) => phase === "pages");
      expect(paged).toBe(strategy !== "pre-copy");
    }
  }
  while (noted < NOTES) await system.tell("clerk", "note", ++noted);
  await streaming;
  checkTold(await untilDone(system, NOTES), NOTES);
  expect(chunks).toEqual(upTo(CHUNKS).map((n) => n - 1));
  expect(await system.ask("mill", "asked", undefined, PATIENT)).toEqual(upTo(NOTES / 4 + CHUNKS / 40));
});
