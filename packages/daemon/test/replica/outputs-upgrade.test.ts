/** The code of an agent with a replica that speaks with others is exchanged, and its nodes crash around that. A failure names its seed. */
import type { AgentManifest } from "@glia-os/cells";
import { beforeAll, expect, it } from "vitest";
import { clerkManifest, Run } from "./outputs-run.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const TIMEOUT = { timeout: soak ? 7_200_000 : 240_000 };

let manifest: AgentManifest;
beforeAll(async () => {
  manifest = await clerkManifest();
}, 120_000);

it(
  "CU4, RO1: is done once each and in order, whether the new code reaches the replica before the node is gone or not",
  TIMEOUT,
  async () => {
    const found: string[] = [];
    const seeds = soak ? 1000 : 4;
    let [upgrades, crashes, back] = [0, 0, 0];
    for (let seed = 1; seed <= seeds; seed++) {
      const run = new Run(seed, manifest);
      const { random } = run.world;
      await run.begin();
      for (let turn = 0; turn < 30; turn++) {
        const { node } = run;
        const kind = random();
        if (kind < 0.5) await node.exchange();
        else if (kind < 0.7) await node.pass(Math.floor(random() * 60));
        else if (kind < 0.85)
          node.hold(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
        else if (kind < 0.9)
          await run.crash(node.held + Math.floor(random() * (node.entries.length - node.held + 1)));
        else {
          if (!(await run.upgrade())) continue;
          upgrades++;
          for (let more = Math.floor(random() * 4); more > 0; more--) {
            await node.exchange();
            await node.pass(Math.floor(random() * 60));
          }
          if (random() < 0.5) {
            back++;
            await run.crash(node.held + Math.floor(random() * (node.feedFrom - node.held + 1)));
          } else {
            await node.checkpoint(true);
            node.hold(node.entries.length);
          }
        }
      }
      await run.finish();
      crashes += run.crashes;
      for (const what of run.wrong()) found.push(`seed ${seed}: ${what}`);
    }
    console.log(
      `upgrades of outputs: ${seeds} seeds, ${upgrades} upgrades, ${crashes} crashes (${back} back to the old code), ${found.length} failed`,
    );
    expect(found).toEqual([]);
  },
);
