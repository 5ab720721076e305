/** Agents with a replica on nodes in processes that are killed. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentView } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cluster } from "./cluster.ts";
import { Ledger, ledgerModule } from "./ledger.ts";

const PATIENCE_MS = 60_000;
let cluster: Cluster;
beforeEach(async () => {
  cluster = await Cluster.start();
});
afterEach(() => cluster.stop());

/** Its number of messages, which is in the middle of a loop of JavaScript. */
const TYPESCRIPT = `import { inbox } from "@glia-os/guest-js";
  let n = 0;
  for await (const message of inbox) message.reply({ n: ++n, drawn: Math.random() });`;

async function askTypescript(): Promise<number> {
  const said = await cluster.anchor.ask("typescript", new Uint8Array(1), PATIENCE_MS);
  return (JSON.parse(new TextDecoder().decode(said)) as { readonly n: number }).n;
}

async function viewOf(name: string): Promise<AgentView | undefined> {
  return (await cluster.anchor.listAgents()).find((agent) => agent.name === name);
}

async function until(name: string, holds: (view: AgentView | undefined) => boolean): Promise<AgentView> {
  for (;;) {
    const view = await viewOf(name);
    if (holds(view)) return view as AgentView;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ask with some in flight at once, until told to stop; replies are checked in order. */
async function stream(ledger: Ledger, atOnce: number, done: () => boolean): Promise<void> {
  const flying: Promise<Uint8Array>[] = [];
  while (!done() || flying.length > 0) {
    while (!done() && flying.length < atOnce)
      flying.push(cluster.anchor.ask("ledger", ledger.next(), PATIENCE_MS));
    const first = flying.shift();
    if (first !== undefined) ledger.reply(await first);
  }
}

test("RP1, RH4: kill -9 of a node under a stream of asks: its agent goes on elsewhere, nothing acknowledged lost or applied twice", async () => {
  await Promise.all([cluster.join("one"), cluster.join("two")]);
  const module = await ledgerModule();
  await cluster.anchor.spawn({ name: "ledger", module, on: "one", durability: "replica" });
  await cluster.anchor.spawn({ name: "plain", module, on: "one" });
  const { bytes, grants } = await buildAgent({ source: TYPESCRIPT });
  await cluster.anchor.spawn({ name: "typescript", module: bytes, grants, on: "one", durability: "replica" });
  for (let n = 1; n <= 3; n++) expect(await askTypescript()).toBe(n);
  const ledger = new Ledger();
  let over = false;
  const streaming = stream(ledger, 16, () => over);
  while (ledger.answered < 200) await new Promise((resolve) => setTimeout(resolve, 5));
  const before = await viewOf("ledger");
  expect(before).toMatchObject({ ownerName: "one", live: { replica: { state: "fed" } } });

  await cluster.kill("one");
  const killedAt = ledger.answered;
  const taken = await until("ledger", (view) => view?.owner === before?.replicas?.[0]);
  expect(taken.epoch).toBeGreaterThan(before?.epoch ?? 0);
  while (ledger.answered < killedAt + 200) await new Promise((resolve) => setTimeout(resolve, 5));
  over = true;
  await streaming;
  expect(ledger.wrong).toEqual([]);
  expect(await askTypescript()).toBe(4);

  // What was only there is gone, keeps its name, and may be ended by any node once the lease is over.
  expect(await until("plain", (view) => view?.status === "gone")).toMatchObject({ ownerName: "one" });
  const again = { name: "plain", module };
  expect(errorCodeOf(await cluster.anchor.spawn(again).catch((error: unknown) => error))).toBe(
    "store.name-taken",
  );
  await cluster.anchor.terminate("plain");
  await cluster.anchor.spawn(again);

  // The old owner comes back with its folder, and does not have the agent any more.
  await cluster.comeBack("one");
  ledger.reply(await cluster.anchor.ask("ledger", ledger.next(), PATIENCE_MS));
  expect(ledger.wrong).toEqual([]);
  expect((await viewOf("ledger"))?.owner).toBe(taken.owner);
}, 180_000);

test("RP3: a replica that is killed is replaced; while there is none the agent says so, and waits or goes on as it was told to", async () => {
  await cluster.join("one");
  const module = await ledgerModule();
  await cluster.anchor.spawn({ name: "ledger", module, durability: "replica" });
  const goesOn = { name: "other", module, durability: "replica", withoutReplica: "continue" } as const;
  await cluster.anchor.spawn(goesOn);
  const fed = (view: AgentView | undefined): boolean => view?.live?.replica?.state === "fed";
  const ledger = new Ledger();
  ledger.reply(await cluster.anchor.ask("ledger", ledger.next(), PATIENCE_MS));
  await until("other", fed);
  await cluster.kill("one");
  await until("ledger", (view) => view?.live?.replica?.state === "missing");
  await until("other", (view) => view?.live?.replica?.state === "missing" && view.replicas === undefined);
  const alone = new Ledger();
  alone.reply(await cluster.anchor.ask("other", alone.next(), PATIENCE_MS));
  let answered = false;
  const waiting = cluster.anchor.ask("ledger", ledger.next(), PATIENCE_MS).then((said) => {
    answered = true;
    ledger.reply(said);
  });
  alone.reply(await cluster.anchor.ask("other", alone.next(), PATIENCE_MS));
  expect(answered).toBe(false);
  await cluster.join("two");
  await waiting;
  await until("ledger", fed);
  expect([...ledger.wrong, ...alone.wrong]).toEqual([]);
}, 180_000);
