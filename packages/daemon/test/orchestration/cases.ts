/** What the routines of orchestration do on every system of agents, wherever its places are. */
import type { AgentRef, AgentSystem } from "@glia-os/cells/agent";
import { lease, quorum, voterSet } from "@glia-os/cells/orchestration";
import { expect } from "vitest";
import { bestEffort, conductor, peer, sink, villager, voter } from "./orchestra.ts";

/** A system with two places, and a way to move agents between them if it has one. */
export interface Stage {
  readonly system: AgentSystem;
  readonly places: readonly [string, string];
  move?(ref: AgentRef, to: string): Promise<unknown>;
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const placeOf = ({ places }: Stage, n: number): string => places[n % 2] as string;

/** By title. */
export const cases: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async "a quorum of five voters in two places is found from outside and from inside an agent"(stage) {
    const { system } = stage;
    const refs: AgentRef<typeof voter>[] = [];
    for (let n = 0; n < 5; n++)
      refs.push(await system.spawn(voter, { input: n < 3 ? "go" : "wait", on: placeOf(stage, n) }));
    const options = { timeoutMs: 20_000 };
    const outside = await system.run(function* (ctx) {
      return yield* quorum(ctx, voterSet("board", 1, refs), "vote", "go?", options);
    });
    expect(outside).toMatchObject({ outcome: "reached", answer: "go", needed: 3, got: 3 });
    const boss = await system.spawn(conductor, { on: placeOf(stage, 1) });
    const inside = await system.ask(boss, "survey", refs, { timeoutMs: 30_000 });
    expect(inside).toMatchObject({
      outcome: "reached",
      answer: "go",
      set: { name: "board", version: 1, voters: 5 },
    });
    const gone = { id: "0".repeat(32) } as AgentRef<typeof voter>;
    const some = [...refs.slice(0, 2), gone, refs[3] as AgentRef<typeof voter>];
    const missing = await system.run(function* (ctx) {
      return yield* quorum(ctx, voterSet("board", 2, some), "vote", "go?", options);
    });
    expect(missing.outcome).toBe("impossible");
  },

  async "a pipeline of three stages, one of them in another place, gives every item in order"(stage) {
    const boss = await stage.system.spawn(conductor, { on: placeOf(stage, 0) });
    const items = await stage.system.ask(boss, "pipeline", [100, placeOf(stage, 1)], { timeoutMs: 50_000 });
    expect(items).toEqual(Array.from({ length: 100 }, (_, n) => n * n).filter((n) => n % 2 === 1));
  },

  async "a channel keeps its bound and its order, also while its receiver moves where agents can"(stage) {
    const { system } = stage;
    const to = await system.spawn(sink, { on: placeOf(stage, 1) });
    const from = await system.spawn(conductor, { on: placeOf(stage, 0) });
    const sent = system.ask(from, "send", [to, 200], { timeoutMs: 50_000 });
    await stage.move?.(to, placeOf(stage, 0));
    expect(await sent).toBe(8);
    expect(await system.ask(to, "got")).toEqual(Array.from({ length: 200 }, (_, n) => n));
  },

  async "a keeper grants a lease once, and without an engine no fence"(stage) {
    const { system } = stage;
    const keeper = await system.spawn(bestEffort, { on: placeOf(stage, 1) });
    const one = await system.spawn(conductor, { on: placeOf(stage, 0) });
    expect(await system.ask(one, "hold", keeper)).toBe(false);
    const second = system.run(function* (ctx) {
      return yield* lease(ctx, keeper, "printer", 1000);
    });
    await expect(second).rejects.toMatchObject({
      code: "orchestration.lease-held",
      details: { holder: one.id },
    });
  },

  async "a rumor reaches all agents of both places, once"(stage) {
    const { system } = stage;
    const refs: AgentRef<typeof villager>[] = [];
    for (let n = 0; n < 4; n++) refs.push(await system.spawn(villager, { on: placeOf(stage, n) }));
    const ids = refs.map(({ id }) => id);
    for (const ref of refs) await system.ask(ref, "meet", ids);
    const [first, ...others] = refs as [AgentRef<typeof villager>, ...AgentRef<typeof villager>[]];
    await system.ask(first, "say", "fire");
    const heard = (): Promise<(readonly string[])[]> =>
      Promise.all(others.map((ref) => system.ask(ref, "heard")));
    await eventually(async () => (await heard()).every((list) => list.length > 0));
    expect(await heard()).toEqual(others.map(() => ["fire"]));
  },

  async "agents in two places share a counter over a topic, and lose no addition, also by moving"(stage) {
    const { system } = stage;
    const refs: AgentRef<typeof peer>[] = [];
    for (const on of stage.places) refs.push(await system.spawn(peer, { on }));
    const [one, other] = refs as [AgentRef<typeof peer>, AgentRef<typeof peer>];
    for (let n = 1; n <= 10; n++) {
      await system.ask(one, "add", n);
      await system.ask(other, "add", 100 * n);
      if (n === 5) await stage.move?.(one, placeOf(stage, 1));
    }
    await eventually(async () => {
      const sums = await Promise.all(refs.map((ref) => system.ask(ref, "read")));
      return sums.every((sum) => sum === 5555);
    });
  },
};
