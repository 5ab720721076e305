/** The code of agents on real nodes is exchanged while others speak with them (docs/upgrades.md). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentSystem, AnyAgent } from "@glia-os/cells/agent";
import { agent } from "@glia-os/cells/agent";
import { type AgentModuleFile, connectSystem, type UpgradeReport } from "@glia-os/daemon";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { patient, type TwoNodes, twoNodes } from "../agents/two-nodes.ts";
import { ledger, moduleOf } from "./programs.ts";

/** Only its name counts here: the nodes have the code. */
const known: AnyAgent = agent({ name: "ledger", state: () => ({}), on: { who: { handle: () => null } } });

let nodes: TwoNodes;
let system: AgentSystem;
let first: AgentModuleFile;
let second: AgentModuleFile;

beforeAll(async () => {
  nodes = await twoNodes();
  first = await ledger(1);
  second = await ledger(
    2,
    `codeChange: (state, from) => ({ ...state, from: (state.from ?? []).concat(from) }),`,
  );
  system = patient(connectSystem(nodes.hub, { modules: [[known, first]] }));
});
afterAll(async () => {
  await system.close();
  await nodes.stop();
});

const spawn = (on: string, name?: string) =>
  system.spawn(known, { on, ...(name === undefined ? {} : { name }) });
const upgrade = (id: string, { bytes }: AgentModuleFile, timeoutMs = 60_000): Promise<UpgradeReport> =>
  nodes.hub.upgrade(id, { module: bytes, timeoutMs });

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => `${errorCodeOf(error)}: ${(error as Error).message}`,
  );
}

describe("an upgrade", () => {
  test("US1: an agent on another node keeps id, name, state, timers, topics and children; codeChange ran once, and its version and hash are shown", async () => {
    const ref = await spawn("edge", "moving-parts");
    await system.tell(ref, "add", { who: "a", n: 1 });
    await system.tell(ref, "hear", "news");
    await system.tell(ref, "later", { afterMs: 150, n: 7 });
    await system.ask(ref, "bear", "its-child");
    const before = (await nodes.hub.listAgents()).find(({ agent }) => agent === ref.id);
    const report = await upgrade(ref.id, second);
    expect(report).toMatchObject({
      name: "moving-parts",
      from: { name: "ledger", version: 1 },
      to: { name: "ledger", version: 2 },
    });
    expect(await system.ask(ref, "version")).toBe(2);
    expect(await system.ask(ref, "who")).toEqual({ id: ref.id, name: "moving-parts" });
    expect(await system.ask(ref, "children")).toEqual(["its-child"]);
    await system.tell(ref, "say", { topic: "news", n: 9 });
    const seen = async (who: string): Promise<unknown> => system.ask(ref, "seen", who);
    while (((await seen("timer")) as number[]).length === 0)
      await new Promise((resolve) => setImmediate(resolve));
    while (((await seen("topic")) as number[]).length === 0)
      await new Promise((resolve) => setImmediate(resolve));
    expect(await system.ask(ref, "state")).toEqual({
      seen: { a: [1], timer: [7], topic: [9] },
      count: 2,
      from: [1],
    });
    const after = (await nodes.hub.listAgents()).find(({ agent }) => agent === ref.id);
    expect(after).toMatchObject({
      epoch: before?.epoch,
      programHash: report.programHash,
      live: { code: { name: "ledger", version: 2 }, state: "running" },
    });
    expect(before?.programHash).not.toBe(report.programHash);
    expect(await nodes.edge.metrics()).toMatch(/glia_agent_upgrades_total\{[^}]*result="done"[^}]*\} 1/);
  });

  test("1,000 messages of two senders are applied once each and in order by an agent that is upgraded three times and rolled back once meanwhile", async () => {
    const ref = await spawn("edge");
    const perSender = 500;
    let sent = 0;
    const send = async (who: string): Promise<void> => {
      for (let n = 0; n < perSender; n++, sent++) await system.tell(ref, "add", { who, n });
    };
    const change = async (): Promise<void> => {
      const steps = [
        () => upgrade(ref.id, second),
        () => nodes.hub.rollback(ref.id, 60_000),
        () => upgrade(ref.id, second),
        () => upgrade(ref.id, second),
      ];
      for (const [at, step] of steps.entries()) {
        while (sent < 200 * at + 50) await new Promise((resolve) => setImmediate(resolve));
        await step();
      }
    };
    await Promise.all([send("a"), send("b"), change()]);
    const all = Array.from({ length: perSender }, (_, i) => i);
    expect(await system.ask(ref, "seen", "a")).toEqual(all);
    expect(await system.ask(ref, "seen", "b")).toEqual(all);
    expect(await system.ask(ref, "state")).toMatchObject({ count: 1000, from: [1, 1, 2] });
  });

  test("CU3: an agent in the middle of a message is upgraded when that is done, and begins no other before; the asker gets its answer", async () => {
    const [ref, flag] = [await spawn("hub"), await spawn("hub")];
    const polls = async (): Promise<number> => ((await system.ask(flag, "state")) as { count: number }).count;
    const until = async (count: number): Promise<void> => {
      while ((await polls()) < count) await new Promise((resolve) => setImmediate(resolve));
    };
    const asked = system.ask(ref, "wait", flag);
    await until(1);
    const behind = [1, 2, 3].map((n) => system.ask(ref, "version").then((version) => [n, version]));
    const upgraded = upgrade(ref.id, second);
    await until((await polls()) + 20);
    await system.tell(flag, "put", { open: true, count: 1000 });
    expect(await asked).toBe("open");
    expect((await upgraded).to.version).toBe(2);
    expect(await Promise.all(behind)).toEqual([1, 2, 3].map((n) => [n, 2]));
  });

  test("a paused agent stays paused, and a large state and much mail cross in parts", async () => {
    const ref = await spawn("edge");
    const text = "x\u00e9\ud83d\ude00".repeat(100_000);
    await system.tell(ref, "put", { seen: {}, count: 0, text });
    await system.pause(ref);
    const told = Array.from({ length: 50 }, (_, n) => system.tell(ref, "add", { who: "a", n }));
    await Promise.all(told);
    expect((await upgrade(ref.id, second)).stateBytes).toBeGreaterThan(700_000);
    await system.resume(ref);
    expect(await system.ask(ref, "seen", "a")).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(await system.ask(ref, "state")).toMatchObject({ text, count: 50 });
  });

  test("an upgraded agent moves with its new code and state", async () => {
    const ref = await spawn("hub");
    await system.tell(ref, "add", { who: "a", n: 1 });
    await upgrade(ref.id, second);
    await nodes.hub.migrate(ref.id, "edge");
    expect([await system.ask(ref, "version"), await system.ask(ref, "seen", "a")]).toEqual([2, [1]]);
    expect(await refusal(nodes.hub.rollback(ref.id))).toContain("cells.no-earlier-code");
    await upgrade(ref.id, second);
    await nodes.edge.rollback(ref.id);
    expect(await system.ask(ref, "state")).toMatchObject({ from: [1, 2, 2] });
  });
});

describe("bad input: the agent goes on with the code and the state it had", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["throws", "no way"],
    ["never ends", "turns"],
    ["gives no plain data", "function"],
    ["breaks the invariant", "never"],
  ];
  let bad: AgentModuleFile;
  beforeAll(async () => {
    bad = await ledger(
      3,
      `codeChange(state) {
        if (state.how === "throws") throw new TypeError("no way");
        if (state.how === "never ends") for (;;);
        return state.how === "gives no plain data" ? { f: () => 1 } : state;
      },
      invariant: ({ how }) => (how === "breaks the invariant" ? "never" : true),`,
    );
  });

  async function goesOn(state: unknown, module: AgentModuleFile, says: string): Promise<void> {
    const ref = await spawn("edge");
    await system.tell(ref, "put", state);
    expect(await refusal(upgrade(ref.id, module))).toMatch(new RegExp(`cells.upgrade-refused: .*${says}`));
    await system.tell(ref, "add", { who: "a", n: 2 });
    expect([await system.ask(ref, "version"), await system.ask(ref, "seen", "a")]).toEqual([1, [2]]);
  }

  test.each(cases)("codeChange %s", (how, says) => goesOn({ how, seen: {}, count: 0 }, bad, says));

  test("a later version has no codeChange, and a module defines another agent", async () => {
    const plain = { seen: {}, count: 0 };
    await goesOn(plain, await ledger(3), "no codeChange");
    const other = await moduleOf(`export default agent({ name: "other", on: common });`);
    await goesOn(plain, other, "defines no agent ledger");
  });

  test("a handler that does not end in time, a time out of range, no module, a module that needs what the agent may not, and nobody", async () => {
    const ref = await spawn("edge");
    const flag = await spawn("edge");
    const asked = system.ask(ref, "wait", flag);
    expect(await refusal(upgrade(ref.id, second, 200))).toContain("cells.upgrade-busy");
    expect(await refusal(upgrade(ref.id, second, 0))).toContain("daemon.bad-options");
    expect(await refusal(upgrade(ref.id, { bytes: Uint8Array.of(1), grants: [] }))).toContain("wasm.");
    expect(
      await refusal(
        nodes.hub.upgrade(ref.id, { module: second.bytes, grants: ["glia.v1", "service/agents"] }),
      ),
    ).toContain("wasm.");
    expect(await refusal(upgrade("nobody", second))).toContain("daemon.unknown-agent");
    await system.tell(flag, "put", { open: true, count: 0 });
    expect(await asked).toBe("open");
    expect(await system.ask(ref, "version")).toBe(1);
  });
});
