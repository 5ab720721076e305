/** Rolling operations: a few members at a time, back again at the first failure, and no message lost. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "../../src/agent/index.ts";
import {
  createGroup,
  type Group,
  pausing,
  restarting,
  roll,
  rollOutside,
  spawnMany,
  step,
  upgrading,
} from "../../src/orchestration/index.ts";
import { idOf, refOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

const groupOf = (count: number): Group =>
  createGroup(
    "crew",
    Array.from({ length: count }, (_, n) => refOf(n)),
  );
const first = agent({
  name: "teller",
  version: 1,
  state: (): { count: number } => ({ count: 0 }),
  on: {
    add: {
      handle: (ctx: AgentContext<{ count: number }>, n: number) => {
        ctx.state.count += n;
        return ctx.state.count;
      },
    },
    read: { handle: (ctx: AgentContext<{ count: number }>) => ({ count: ctx.state.count, version: 1 }) },
  },
});
const newer = (version: number, codeChange: (state: unknown) => { count: number }) =>
  agent({
    name: "teller",
    version,
    state: (): { count: number } => ({ count: 0 }),
    on: {
      add: {
        handle: (ctx: AgentContext<{ count: number }>, n: number) => {
          ctx.state.count += n;
          return ctx.state.count;
        },
      },
      read: { handle: (ctx: AgentContext<{ count: number }>) => ({ count: ctx.state.count, version }) },
    },
    codeChange,
  });
const second = newer(2, (state) => ({ count: (state as { count: number }).count }));
const broken = newer(3, () => {
  throw new RangeError("cannot read the old state");
});

describe("a rolling operation", () => {
  it("RO1: works on at most so many members at once, and checks a batch before it begins the next", async () => {
    const { run } = virtualSystem();
    for (const [atATime, canary, batches] of [
      [1, undefined, [1, 1, 1, 1, 1]],
      [2, undefined, [2, 2, 1]],
      [3, 1, [1, 3, 1]],
      [1000, undefined, [5]],
    ] as const) {
      const log: string[] = [];
      const report = await run((ctx) =>
        roll(
          ctx,
          groupOf(5),
          {
            *apply(ctx, { id }): AgentRoutine<void> {
              yield* ctx.sleep(1);
              log.push(`apply ${id}`);
            },
            *check(_ctx, { id }): AgentRoutine<boolean> {
              log.push(`check ${id}`);
              return true;
            },
          },
          canary === undefined ? { atATime } : { atATime, canary },
        ),
      );
      expect(report).toMatchObject({ outcome: "done", done: [0, 1, 2, 3, 4].map(idOf) });
      let at = 0;
      const wanted = batches.flatMap((size) => {
        const ids = Array.from({ length: size }, () => idOf(at++));
        return [...ids.map((id) => `apply ${id}`), ...ids.map((id) => `check ${id}`)];
      });
      expect(log).toEqual(wanted);
    }
  });

  it("RO2 and RO4: wherever it fails, what was done is undone in reverse and nothing else was touched", async () => {
    const plan = fc.record({
      count: fc.integer({ min: 1, max: 8 }),
      atATime: fc.integer({ min: 1, max: 4 }),
      fails: fc.nat(7),
      how: fc.constantFrom("apply", "check", "check throws"),
      stuck: fc.nat(15),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ count, atATime, fails, how, stuck }) => {
        const now = new Set<string>();
        const undone: string[] = [];
        const report = await rollOutside(
          groupOf(count),
          {
            async apply({ id }) {
              if (how === "apply" && id === idOf(fails)) throw new RangeError("apply failed");
              now.add(id);
            },
            async check({ id }) {
              if (how === "check throws" && id === idOf(fails)) throw new RangeError("check failed");
              return how !== "check" || id !== idOf(fails);
            },
            async undo({ id }) {
              if (id === idOf(stuck)) throw new RangeError("undo failed");
              undone.push(id);
              now.delete(id);
            },
          },
          { atATime },
        );
        expect(report.done).toEqual([...now]);
        expect(report.undone).toEqual(undone);
        expect(undone).toEqual(undone.toSorted().toReversed());
        expect(report.outcome).toBe(fails < count ? "rolled-back" : "done");
        expect(report.failed?.member).toBe(fails < count ? idOf(fails) : undefined);
        expect(now.size).toBe(fails < count ? report.stuck.length : count);
      }),
      { numRuns: 300 },
    );
  });

  it("without an undo stops where it failed and says what is done", async () => {
    const report = await rollOutside(groupOf(4), {
      async apply({ id }) {
        if (id === idOf(2)) throw new RangeError("no");
      },
    });
    expect(report).toMatchObject({
      outcome: "stopped",
      done: [idOf(0), idOf(1)],
      failed: { member: idOf(2) },
    });
  });

  it("refuses groups that dissolve and numbers out of range, and does nothing to an empty group", async () => {
    const apply = async (): Promise<void> => expect.unreachable();
    await expect(rollOutside(step(groupOf(1), "dissolving"), { apply })).rejects.toMatchObject({
      code: "orchestration.group-state",
    });
    await expect(rollOutside(groupOf(1), { apply }, { atATime: 0 })).rejects.toMatchObject({
      code: "orchestration.bad-option",
    });
    expect(await rollOutside(groupOf(0), { apply })).toMatchObject({ outcome: "done", done: [] });
  });
});

describe("a rolling upgrade of agents at work", () => {
  /** Tellers that get 1,000 messages a second each while `work` is done to them; the counts and versions after it. */
  async function underLoad(
    work: (made: ReturnType<typeof virtualSystem>, group: Group<typeof first>) => Promise<unknown>,
  ) {
    const made = virtualSystem();
    const { system, time, run } = made;
    const refs: AgentRef<typeof first>[] = [];
    for (let n = 0; n < 4; n++) refs.push(await system.spawn(first));
    const sender = system.run(function* (ctx) {
      let sent = 0;
      for (; sent < 500; sent++) {
        for (const to of refs) ctx.tell(to, "add", 1);
        yield* ctx.sleep(1);
      }
      return sent;
    });
    const result = await time.settle(work(made, createGroup("tellers", refs)));
    expect(await time.settle(sender)).toBe(500);
    const after = await run(function* (ctx) {
      const read: { count: number; version: number }[] = [];
      for (const ref of refs) read.push(yield* ctx.ask(ref, "read"));
      return read;
    });
    return { result, after };
  }

  it("loses no message at 1,000 a second, one at a time with a canary", async () => {
    const { result, after } = await underLoad(({ system }, group) =>
      rollOutside(group, upgrading(system, { before: first, after: second }), { canary: 1, atATime: 2 }),
    );
    expect(result).toMatchObject({ outcome: "done" });
    expect(after).toEqual(Array(4).fill({ count: 500, version: 2 }));
  });

  it("goes back by itself when the check of a later member says no, and loses no message on either way", async () => {
    const { result, after } = await underLoad(async ({ system }, group) => {
      const bad = group.members[2]?.id;
      const doing = upgrading<typeof first>(
        system,
        { before: first, after: second },
        async ({ id }) => id !== bad,
      );
      return rollOutside(group, doing, { canary: 1 });
    });
    expect(result).toMatchObject({ outcome: "rolled-back", done: [], stuck: [] });
    expect(after).toEqual(Array(4).fill({ count: 500, version: 1 }));
  });

  it("stops at the canary when the new version cannot take the state over; no other member was touched", async () => {
    const { result, after } = await underLoad(({ system }, group) =>
      rollOutside(group, upgrading(system, { before: first, after: broken }), { canary: 1, atATime: 3 }),
    );
    expect(result).toMatchObject({
      outcome: "rolled-back",
      done: [],
      undone: [],
      failed: { error: { code: "agent.upgrade-failed" } },
    });
    expect(after).toEqual(Array(4).fill({ count: 500, version: 1 }));
  });

  it("pauses all members one after another, whose messages wait, and resumes them", async () => {
    const { after } = await underLoad(async ({ system, time }, group) => {
      expect(await rollOutside(group, pausing(system))).toMatchObject({ outcome: "done" });
      expect((await system.observe.agent(group.members[0] as AgentRef))?.state).toBe("suspended");
      await new Promise<void>((resolve) => void time.schedule(50, resolve));
      for (const member of group.members) await system.resume(member);
    });
    expect(after).toEqual(Array(4).fill({ count: 500, version: 1 }));
  });

  it("restarts all members in place: their states are new, and what waited in their mailboxes is handled after it", async () => {
    const { result, after } = await underLoad(async ({ system, time }, group) => {
      await new Promise<void>((resolve) => void time.schedule(250, resolve));
      return rollOutside(group, restarting(system, first), { atATime: 2 });
    });
    expect(result).toMatchObject({ outcome: "done" });
    // What came before the restart is forgotten, and nothing that came after it.
    for (const { count } of after) expect(count).toBeGreaterThanOrEqual(248);
    for (const { count } of after) expect(count).toBeLessThanOrEqual(252);
  });

  it("spawnMany and a routine do the same from inside", async () => {
    const { run } = virtualSystem();
    const counts = await run(function* (ctx) {
      const group = createGroup("tellers", yield* spawnMany(ctx, first, 3));
      const report = yield* roll(ctx, group, {
        *apply(ctx, member): AgentRoutine<void> {
          yield* ctx.ask(member, "add", 5);
        },
        *undo(ctx, member): AgentRoutine<void> {
          yield* ctx.ask(member, "add", -5);
        },
        *check(_ctx, member): AgentRoutine<boolean> {
          return member.id !== group.members[2]?.id;
        },
      });
      expect(report.outcome).toBe("rolled-back");
      const counts: number[] = [];
      for (const member of group.members) counts.push((yield* ctx.ask(member, "read")).count);
      return counts;
    });
    expect(counts).toEqual([0, 0, 0]);
  });
});
