/** Spawning, signalling, awaiting, and channels. */
import { describe, expect, it } from "vitest";
import { type AgentContext, type AgentRef, type AgentRoutine, agent } from "../../src/agent/index.ts";
import {
  awaitAll,
  awaitFirst,
  awaitSettled,
  channel,
  signal,
  signalAll,
  spawn,
  spawnMany,
} from "../../src/orchestration/index.ts";
import { refOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

interface Sink {
  got: number[];
  most: number;
  failOn: number;
}
const worker = agent({
  name: "worker",
  state: (input: unknown): Sink => ({ got: [], most: 0, failOn: (input as number | undefined) ?? -1 }),
  on: {
    take: {
      *handle(ctx: AgentContext<Sink>, value: number): AgentRoutine<number> {
        yield* ctx.sleep(5);
        if (value === ctx.state.failOn) throw new RangeError(`cannot take ${value}`);
        ctx.state.got.push(value);
        return value * 2;
      },
    },
    after: {
      *handle(ctx: AgentContext<Sink>, [ms, fails]: readonly [number, boolean]): AgentRoutine<number> {
        yield* ctx.sleep(ms);
        if (fails) throw new RangeError(`failed after ${ms}`);
        return ms;
      },
    },
    got: { handle: (ctx: AgentContext<Sink>) => ctx.state.got },
  },
});
const failingStart = agent({
  name: "failing",
  state: (input) => {
    if (input === 2) throw new RangeError("no third one");
    return {};
  },
  on: { nothing: { handle(): void {} } },
});

describe("spawn", () => {
  it("makes one or many, which end with their parent", async () => {
    const { run, system } = virtualSystem();
    const refs = await run(function* (ctx) {
      const one = yield* spawn(ctx, worker);
      const many = yield* spawnMany(ctx, worker, 3, (index) => ({ name: `worker-${index}` }));
      expect(ctx.children()).toHaveLength(4);
      expect(yield* ctx.find("worker-2")).toMatchObject({ id: many[2]?.id });
      return [one, ...many];
    });
    await run(function* (ctx) {
      yield* ctx.sleep(1);
    });
    for (const ref of refs) expect(await system.observe.agent(ref)).toBeUndefined();
  });

  it("of many makes all or none", async () => {
    const { run } = virtualSystem();
    const left = await run(function* (ctx) {
      try {
        yield* spawnMany(ctx, failingStart, 5, (input) => ({ input }));
        return -1;
      } catch {
        yield* ctx.sleep(1);
        return ctx.children().length;
      }
    });
    expect(left).toBe(0);
    for (const bad of [-1, 1.5, 10_001])
      await expect(run((ctx) => spawnMany(ctx, worker, bad))).rejects.toMatchObject({
        code: "orchestration.bad-option",
      });
    await expect(run((ctx) => spawnMany(ctx, worker, 1, () => ({ detached: true })))).rejects.toMatchObject({
      code: "orchestration.bad-option",
    });
  });
});

describe("signal", () => {
  it("reaches one and many in order, and one that is not there keeps nobody else from it", async () => {
    const { run } = virtualSystem();
    const got = await run(function* (ctx) {
      const workers = yield* spawnMany(ctx, worker, 3);
      for (let value = 0; value < 5; value++)
        signal(ctx, workers[0] as AgentRef<typeof worker>, "take", value);
      const { taken, refused } = signalAll(ctx, [refOf(1) as AgentRef<typeof worker>, ...workers], "take", 9);
      expect(taken + refused.length).toBe(4);
      return yield* awaitAll(
        ctx,
        workers.map((to) => ctx.begin(to, "got")),
      );
    });
    expect(got).toEqual([[0, 1, 2, 3, 4, 9], [9], [9]]);
  });

  it("tells who had no room", async () => {
    const { run } = virtualSystem();
    const outcome = await run(function* (ctx) {
      const full = yield* ctx.spawn(worker);
      for (let n = 0; n < 1000; n++) signal(ctx, full, "take", n);
      return signalAll(ctx, [full], "take", 1);
    });
    expect(outcome.taken).toBe(0);
    expect(outcome.refused).toMatchObject([{ error: { code: "agent.mailbox-full" } }]);
  });
});

describe("await", () => {
  const begun = function* (ctx: AgentContext, plan: readonly (readonly [number, boolean])[]) {
    const workers = yield* spawnMany(ctx, worker, plan.length);
    return workers.map((to, n) => ctx.begin(to, "after", plan[n] as readonly [number, boolean]));
  };

  it("gives all values in the order of the tickets, however they came", async () => {
    const { run } = virtualSystem();
    expect(
      await run(function* (ctx) {
        return yield* awaitAll(
          ctx,
          yield* begun(ctx, [
            [30, false],
            [10, false],
            [20, false],
          ]),
        );
      }),
    ).toEqual([30, 10, 20]);
    expect(await run((ctx) => awaitAll(ctx, []))).toEqual([]);
  });

  it("throws the first failure at once and leaves nothing under way", async () => {
    const { run, time } = virtualSystem();
    const started = time.monotonicMs();
    await expect(
      run(function* (ctx) {
        return yield* awaitAll(
          ctx,
          yield* begun(ctx, [
            [3000, false],
            [10, true],
          ]),
        );
      }),
    ).rejects.toThrow(/failed after 10/);
    expect(time.monotonicMs() - started).toBeLessThan(3000);
  });

  it("gives the first that succeeds, or the last failure when all fail", async () => {
    const { run } = virtualSystem();
    const first = await run(function* (ctx) {
      return yield* awaitFirst(
        ctx,
        yield* begun(ctx, [
          [30, false],
          [5, true],
          [20, false],
        ]),
      );
    });
    expect(first.value).toBe(20);
    await expect(
      run(function* (ctx) {
        return yield* awaitFirst(
          ctx,
          yield* begun(ctx, [
            [30, true],
            [5, true],
          ]),
        );
      }),
    ).rejects.toThrow(/failed after 30/);
    await expect(run((ctx) => awaitFirst(ctx, []))).rejects.toMatchObject({
      code: "orchestration.bad-option",
    });
  });

  it("gives failures as data when asked for all ends", async () => {
    const { run } = virtualSystem();
    const ends = await run(function* (ctx) {
      return yield* awaitSettled(
        ctx,
        yield* begun(ctx, [
          [3, true],
          [1, false],
        ]),
      );
    });
    expect(ends.map(({ ok }) => ok)).toEqual([false, true]);
    expect(await run((ctx) => awaitSettled(ctx, []))).toEqual([]);
  });
});

describe("a channel", () => {
  it("CH1 and CH2: gives every value in order, with no more under way than its capacity", async () => {
    for (const capacity of [1, 4, 16]) {
      const { run, system } = virtualSystem();
      const { got, most } = await run(function* (ctx) {
        const to = yield* ctx.spawn(worker);
        const out = channel(ctx, to, "take", { capacity });
        let most = 0;
        for (let value = 0; value < 50; value++) {
          yield* out.put(value);
          most = Math.max(most, out.underway);
          expect(out.underway + out.handled).toBe(value + 1);
        }
        yield* out.flush();
        expect([out.underway, out.handled]).toEqual([0, 50]);
        return { got: yield* ctx.ask(to, "got"), most };
      });
      expect(got).toEqual(Array.from({ length: 50 }, (_, n) => n));
      expect(most).toBe(capacity);
      void system;
    }
  });

  it("CH2: a sender goes no faster than its receiver", async () => {
    const { run, time } = virtualSystem();
    const startMs = time.monotonicMs();
    await run(function* (ctx) {
      const out = channel(ctx, yield* ctx.spawn(worker), "take", { capacity: 2 });
      for (let value = 0; value < 40; value++) yield* out.put(value);
    });
    // 38 of the 40 were handled, 5 ms each, before the last one was put.
    expect(time.monotonicMs() - startMs).toBeGreaterThanOrEqual(38 * 5);
  });

  it("CH3: ends by a value that its receiver fails on, tells why once, and takes nothing after", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const out = channel(ctx, yield* ctx.spawn(worker, { input: 3 }), "take", { capacity: 2 });
      const thrown: unknown[] = [];
      for (let value = 0; value < 8; value++)
        try {
          yield* out.put(value);
        } catch (error) {
          thrown.push(error);
        }
      expect(String(thrown[0])).toMatch(/cannot take 3/);
      expect(thrown.length).toBeGreaterThan(1);
      for (const error of thrown.slice(1))
        expect(error).toMatchObject({ code: "orchestration.channel-closed" });
      yield* out.flush();
    });
  });

  it("takes nothing after it was closed or abandoned, and refuses a capacity out of range", async () => {
    const { run } = virtualSystem();
    for (const end of ["close", "abandon"] as const)
      await expect(
        run(function* (ctx) {
          const out = channel(ctx, yield* ctx.spawn(worker), "take");
          yield* out.put(1);
          if (end === "close") yield* out.close();
          else out.abandon();
          yield* out.close();
          yield* out.put(2);
        }),
      ).rejects.toMatchObject({ code: "orchestration.channel-closed" });
    for (const capacity of [0, 801, 1.5])
      await expect(
        run(function* (ctx) {
          yield* channel(ctx, ctx.self, "take", { capacity }).flush();
        }),
      ).rejects.toMatchObject({ code: "orchestration.bad-option" });
  });

  it("is typed by the message it goes to", async () => {
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const out = channel(ctx, yield* ctx.spawn(worker), "take");
      // @ts-expect-error: the message takes a number
      const wrong = (): unknown => out.put("text");
      expect(typeof wrong).toBe("function");
    });
  });
});
