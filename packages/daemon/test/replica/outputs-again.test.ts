/** A node that took an agent over and has not run its record again by then is gone, too. A failure names its entry. */
import type { AgentManifest } from "@glia-os/cells";
import { beforeAll, expect, it } from "vitest";
import { clerkManifest, Run } from "./outputs-run.ts";
import { AGENT } from "./outputs-world.ts";

let manifest: AgentManifest;
beforeAll(async () => {
  manifest = await clerkManifest();
}, 120_000);

/** A run whose node is about to be gone, with much in its record. */
async function recorded(): Promise<Run> {
  const run = new Run(1, manifest);
  await run.begin();
  for (let turn = 0; turn < 30; turn++) {
    run.node.hold(run.node.entries.length);
    await run.node.exchange();
    await run.node.pass(10);
  }
  return run;
}

it("TP6: no copy is made of an agent that runs its record again, and what it said is said once", {
  timeout: 240_000,
}, async () => {
  const run = await recorded();
  await run.crash(run.node.entries.length, "not yet");
  await expect(run.node.checkpoint(true)).rejects.toMatchObject({ code: "cells.not-here" });
  await run.node.run();
  await run.node.checkpoint(true);
  await run.crash(run.node.first);
  await run.finish();
  expect(run.wrong()).toEqual([]);
});

it("TP6: an agent that was taken over as a suspended one is copied with the rest of its record", {
  timeout: 240_000,
}, async () => {
  const run = await recorded();
  await run.crash(run.node.entries.length, "suspended");
  const { node } = run;
  // It goes on here, and is gone anywhere in its record: the third node has all of that.
  await node.gate.resume(AGENT);
  await node.run();
  await run.crash(node.entries.length);
  await run.finish();
  expect(run.wrong()).toEqual([]);
});

it("TP6: the same, without the second node running any of it", { timeout: 240_000 }, async () => {
  const run = await recorded();
  await run.crash(run.node.entries.length, "suspended");
  await run.crash(run.node.entries.length);
  await run.finish();
  expect(run.wrong()).toEqual([]);
});

it("TP6: the same, with nothing held after the copy, which has the rest of the record in it", {
  timeout: 240_000,
}, async () => {
  const run = await recorded();
  await run.crash(run.node.entries.length, "suspended");
  await run.node.checkpoint(true);
  await run.crash(run.node.first);
  await run.finish();
  expect(run.wrong()).toEqual([]);
});

it("TP8: an agent that stands still in its record neither moves nor is upgraded before it was resumed", {
  timeout: 240_000,
}, async () => {
  const run = await recorded();
  await run.crash(run.node.entries.length, "suspended");
  const { gate } = run.node;
  const refusal = { code: "cells.mid-record", fix: expect.stringContaining("Resume") };
  await expect(gate.freeze(AGENT)).rejects.toMatchObject(refusal);
  await expect(run.upgrade()).rejects.toMatchObject({ code: "cells.mid-record" });
  expect(gate.stands(AGENT)?.state).toBe("suspended");
  await gate.resume(AGENT);
  await run.node.run();
  await run.move(true);
  await run.finish();
  expect(run.wrong()).toEqual([]);
});
