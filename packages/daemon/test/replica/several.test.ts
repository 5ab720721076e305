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

const fedWith =
  (count: number) =>
  ({ live }: AgentView): boolean =>
    live?.replica?.nodes.filter(({ state }) => state === "fed").length === count;

test("RP1, RH4, RH7: kill -9 of an agent's node and of its first replica at once: it goes on at the second, nothing acknowledged lost or applied twice", async () => {
  const names = ["one", "two", "three"];
  await Promise.all(names.map((name) => cluster.join(name)));
  const module = await ledgerModule();
  await cluster.anchor.spawn({ name: "ledger", module, on: "one", replicas: 2 });
  // The anchor may be one of the two: it is not killed, for nobody takes over without it.
  const before = await until(fedWith(2));
  expect(before.live?.replica).toMatchObject({ state: "fed", wanted: 2 });
  expect(before.replicas).toHaveLength(2);
  const members = (await cluster.anchor.status()).members;
  const named = (node: string): string => members.find((member) => member.node === node)?.name ?? "anchor";
  const killed = before.replicas?.find((node) => named(node) !== "anchor") ?? "";
  const survivor = before.replicas?.find((node) => node !== killed);
  const ledger = new Ledger();
  let over = false;
  const streaming = stream(ledger, () => over);
  while (ledger.answered < 100) await new Promise((resolve) => setTimeout(resolve, 5));

  await Promise.all([cluster.kill("one"), cluster.kill(named(killed))]);
  const killedAt = ledger.answered;
  const taken = await until(({ owner }) => owner === survivor);
  expect(taken.epoch).toBeGreaterThan(before.epoch);
  while (ledger.answered < killedAt + 50) await new Promise((resolve) => setTimeout(resolve, 5));
  // One node is left that could be its second replica, and then there is no other.
  expect((await until(fedWith(1))).live?.replica).toMatchObject({ state: "short", wanted: 2 });
  over = true;
  await streaming;
  expect(ledger.wrong).toEqual([]);
}, 120_000);
