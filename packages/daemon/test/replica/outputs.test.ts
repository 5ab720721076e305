/** What an agent with a replica says to others, over crashes of its nodes at chosen entries of its log. A failure names its seed or entry. */
import type { AgentManifest } from "@glia-os/cells";
import { beforeAll, describe, expect, it } from "vitest";
import { clerkManifest, Run as OutputsRun } from "./outputs-run.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const TIMEOUT = { timeout: soak ? 7_200_000 : 240_000 };

let manifest: AgentManifest;
beforeAll(async () => {
  manifest = await clerkManifest();
}, 120_000);

class Run extends OutputsRun {
  constructor(seed: number) {
    super(seed, manifest);
  }
}

describe("RO1, RD1, RD2, OB2: what an agent with a replica asked for", () => {
  it("is done once each and in order, wherever in its log its node is gone", TIMEOUT, async () => {
    const plain = new Run(1);
    await plain.begin();
    await plain.finish();
    expect(plain.wrong()).toEqual([]);
    const all = plain.node.entries.length;
    const every = soak ? 1 : Math.ceil(all / 8);
    const found: string[] = [];
    let runs = 0;
    for (let at = plain.node.first; at < all; at += every)
      for (const behind of soak ? [0, 1, 3, 8] : [at % 4]) {
        const run = new Run(1);
        await run.begin();
        // The replica has more than it said it has: whatever it has counts.
        for (let turn = 0; turn < 400 && run.node.entries.length < at; turn++) {
          run.node.hold(run.node.entries.length - behind);
          await run.node.exchange();
          await run.node.pass(10);
        }
        await run.crash(Math.max(run.node.held, Math.min(at, run.node.entries.length)));
        await run.finish();
        for (const what of run.wrong()) found.push(`entry ${at}, ${behind} behind: ${what}`);
        runs++;
      }
    console.log(`outputs, a crash at an entry: ${runs} runs over ${all} entries, ${found.length} failed`);
    expect(found).toEqual([]);
  });

  it("is done once each and in order, over several crashes, moves and checkpoints", TIMEOUT, async () => {
    const found: string[] = [];
    const seeds = soak ? 1000 : 8;
    let [crashes, moves] = [0, 0];
    for (let seed = 2; seed < 2 + seeds; seed++) {
      const run = new Run(seed);
      const { random } = run.world;
      await run.begin();
      for (let turn = 0; turn < 40; turn++) {
        const { node } = run;
        const kind = random();
        if (kind < 0.5) await node.exchange();
        else if (kind < 0.7) await node.pass(Math.floor(random() * 60));
        else if (kind < 0.9)
          node.hold(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
        else if (kind < 0.93) await node.checkpoint(random() < 0.5);
        else if (kind < 0.96) await run.move(random() < 0.6);
        else await run.crash(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
      }
      await run.finish();
      crashes += run.crashes;
      moves += run.moves;
      for (const what of run.wrong()) found.push(`seed ${seed}: ${what}`);
    }
    console.log(
      `outputs over crashes: ${seeds} seeds, ${crashes} crashes, ${moves} moves, ${found.length} failed`,
    );
    expect(found).toEqual([]);
  });
});
