/** kill -9 of the node whose agents are being upgraded: a replica goes on with the old code or the new, and everything acknowledged is in it once. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentView, connectSystem, type SpawnRequest } from "@glia-os/daemon";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Cluster } from "../replica/cluster.ts";
import { ledger } from "./programs.ts";

const PATIENCE_MS = 60_000;
const AT_ONCE = 8;
const require = createRequire(import.meta.url);
const guest = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${name}.wasm`)));

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start();
  await Promise.all([cluster.join("one"), cluster.join("two")]);
});
afterAll(() => cluster.stop());

/** On a machine with other work a lease of 5 s may run out; its node opens another session, and can be asked again. */
async function spawn(request: SpawnRequest): Promise<AgentView> {
  for (;;) {
    try {
      return await cluster.anchor.spawn(request);
    } catch (error) {
      if (errorCodeOf(error) !== "store.session-expired") throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Asks a tally to add 1, 2, 3 and so on, some at once, until it is told to stop. */
class Sender {
  readonly name: string;
  readonly replies: string[] = [];
  #over = false;
  #asked = 0;

  constructor(name: string) {
    this.name = name;
  }

  async run(): Promise<void> {
    const flying: Promise<Uint8Array>[] = [];
    while (!this.#over || flying.length > 0) {
      while (!this.#over && flying.length < AT_ONCE)
        flying.push(
          cluster.anchor.ask(this.name, new TextEncoder().encode(`add ${++this.#asked}`), PATIENCE_MS),
        );
      const first = flying.shift();
      if (first !== undefined) this.replies.push(new TextDecoder().decode(await first));
    }
  }

  async until(count: number): Promise<void> {
    while (this.replies.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  stop(): void {
    this.#over = true;
  }

  /** Every reply says what it must after as many numbers, and no old code answered after new. */
  check(): readonly string[] {
    let [total, order] = [0, 0];
    const labels = this.replies.map((reply, at) => {
      total += at + 1;
      order += (at + 1) ** 2;
      const [label = "", ...rest] = reply.split(" ");
      expect([this.name, ...rest]).toEqual([this.name, String(at + 1), String(total), String(order)]);
      return label;
    });
    expect(labels).toEqual(labels.toSorted());
    return labels;
  }
}

test("CU4: agents that were upgraded long ago, just now, and not yet quite, when their node was killed: each goes on in one of both codes, nothing lost or applied twice", async () => {
  const names = ["long-ago", "just-now", "not-yet", "never"];
  const senders = names.map((name) => new Sender(name));
  const [longAgo, justNow, notYet] = names as [string, string, string];
  for (const name of names) await spawn({ name, module: guest("tally"), on: "one", durability: "replica" });
  const running = Promise.all(senders.map((sender) => sender.run()));
  await Promise.all(senders.map((sender) => sender.until(50)));
  const module = guest("tally-next");
  const upgrade = (name: string) => cluster.anchor.upgrade(name, { module, timeoutMs: PATIENCE_MS });
  expect(await upgrade(longAgo)).toMatchObject({ from: { version: 1 }, to: { version: 2 } });
  // It answers in the new code, so a replica has it.
  await (senders[0] as Sender).until((senders[0] as Sender).replies.length + 50);
  await upgrade(justNow);
  const last = upgrade(notYet).then(
    () => "upgraded",
    () => "unknown",
  );
  await cluster.kill("one");
  const killedAt = senders.map(({ replies }) => replies.length);
  await Promise.all(senders.map((sender, at) => sender.until((killedAt[at] ?? 0) + 50)));
  for (const sender of senders) sender.stop();
  await running;
  await last;
  const labels = senders.map((sender) => sender.check());
  expect(labels[0]?.at(-1)).toBe("v2");
  expect(labels[3]?.at(-1)).toBe("v1");
  // Whatever each of them is now, its next upgrade goes on from there.
  for (const name of names) expect((await upgrade(name)).to).toEqual({ name: "tally", version: 2 });
}, 180_000);

const soak = process.env["GLIA_SOAK"] === "1";

test.runIf(soak)(
  "an agent that speaks with others keeps what it asked of them over an upgrade and the death of its node (needs GLIA_SOAK=1)",
  async () => {
    const [v1, v2] = [await ledger(1), await ledger(2, "codeChange: (state) => state,")];
    await cluster.join("three");
    const system = connectSystem(cluster.anchor);
    onTestFinished(() => system.close());
    const { bytes: module, grants } = v1;
    const where = { on: "two", durability: "replica" } as const;
    const { agent: id } = await spawn({ name: "speaker", module, grants, ...where });
    await spawn({ name: "heard", module, grants });
    const ask = (to: string, message: string, input?: unknown): Promise<unknown> =>
      system.ask(to, message, input, { timeoutMs: PATIENCE_MS });
    const all = Array.from({ length: 12 }, (_, n) => n);
    for (const n of all.slice(0, 4)) await ask(id, "pass", { to: "heard", n });
    await cluster.anchor.upgrade(id, { module: v2.bytes, timeoutMs: PATIENCE_MS });
    for (const n of all.slice(4, 8)) await ask(id, "pass", { to: "heard", n });
    expect(await ask(id, "version")).toBe(2);
    await cluster.kill("two");
    for (const n of all.slice(8)) await ask(id, "pass", { to: "heard", n });
    expect([await ask(id, "version"), await ask(id, "seen", "me")]).toEqual([2, all]);
    while (((await ask("heard", "seen", "speaker")) as number[]).length < all.length)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await ask("heard", "seen", "speaker")).toEqual(all);
  },
  180_000,
);
