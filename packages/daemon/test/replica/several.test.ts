/** An agent with two replicas on nodes in processes, of which two are killed at once. */

import type { AgentView } from "@glia-os/daemon";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster } from "./cluster.ts";
import { Ledger, ledgerModule } from "./ledger.ts";

const PATIENCE_MS = 60_000;
let cluster: Cluster;
beforeEach(async () => {
  cluster = await Cluster.start();
});
afterEach(() => cluster.stop());

async function until(holds: (view: AgentView) => boolean): Promise<AgentView> {
  for (;;) {
    const view = (await cluster.anchor.listAgents()).find(({ name }) => name === "ledger");
    if (view !== undefined && holds(view)) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ask with some in flight at once, until told to stop; replies are checked in order. */
async function stream(ledger: Ledger, done: () => boolean): Promise<void> {
  const flying: Promise<Uint8Array>[] = [];
  while (!done() || flying.length > 0) {
    while (!done() && flying.length < 16)
      flying.push(cluster.anchor.ask("ledger", ledger.next(), PATIENCE_MS));
    const first = flying.shift();
    if (first !== undefined) ledger.reply(await first);
  }
}

test("RP1, RH4, RH8: kill -9 of an agent's node and of one of its two replicas at once: it goes on at the other, nothing acknowledged lost or applied twice", async () => {
  await Promise.all(["one", "two"].map((name) => cluster.join(name)));
  const module = await ledgerModule();
  const wish = { replicas: 2, withoutReplica: "continue" } as const;
  await cluster.anchor.spawn({ name: "ledger", module, on: "one", ...wish });
  const before = await until(({ live }) => live?.replica?.state === "fed");
  expect(before.live?.replica).toMatchObject({ wanted: 2, nodes: [{ state: "fed" }, { state: "fed" }] });
  expect(before.replicas).toHaveLength(2);
  const ledger = new Ledger();
  let over = false;
  const streaming = stream(ledger, () => over);
  while (ledger.answered < 100) await new Promise((resolve) => setTimeout(resolve, 5));

  await Promise.all([cluster.kill("one"), cluster.kill("two")]);
  const killedAt = ledger.answered;
  const taken = await until(({ owner }) => owner !== before.owner);
  expect(taken).toMatchObject({ ownerName: "anchor" });
  expect(taken.epoch).toBeGreaterThan(before.epoch);
  while (ledger.answered < killedAt + 50) await new Promise((resolve) => setTimeout(resolve, 5));
  over = true;
  await streaming;
  expect(ledger.wrong).toEqual([]);
  expect((await until(({ replicas }) => replicas === undefined)).live?.replica).toMatchObject({ wanted: 2 });
}, 120_000);
