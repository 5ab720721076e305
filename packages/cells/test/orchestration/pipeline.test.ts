/** Pipelines: types and order from stage to stage, back-pressure, cycles, failures and cancellation. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentContext, type AgentRoutine, agent } from "../../src/agent/index.ts";
import {
  type Pipeline,
  pipe,
  pipeline,
  STAGE_CREDIT,
  STAGES_MAX,
  source,
  stage,
} from "../../src/orchestration/index.ts";
import { codeOf } from "./ids.ts";
import { virtualSystem } from "./virtual-system.ts";

const count = source({
  name: "count",
  start: (input: { from: number; to: number }) => ({ at: input.from, to: input.to }),
  next: (own) => (own.at < own.to ? { value: own.at++ } : undefined),
});
const double = stage({ name: "double", each: (n: number) => [2 * n] });
const text = stage({ name: "text", each: (n: number) => [`<${n}>`] });
const evens = stage({ name: "evens", each: (n: number) => (n % 2 === 0 ? [n] : []) });
const sum = stage({
  name: "sum",
  start: () => ({ sum: 0 }),
  each(n: number, own) {
    own.sum += n;
    return [];
  },
  end: (own) => [own.sum],
});
const range = (to: number): number[] => Array.from({ length: to }, (_, n) => n);

describe("pipe", () => {
  it("gives to each stage what the one before gave, in order, to the end", async () => {
    const { run } = virtualSystem();
    const items = await run(function* (ctx) {
      const running = yield* pipe(count, evens, double, text).run(ctx, { from: 0, to: 100 });
      expect(running.stages).toHaveLength(4);
      return yield* running.collect();
    });
    expect(items).toEqual(range(50).map((n) => `<${4 * n}>`));
    const [total] = await run(function* (ctx) {
      return yield* (yield* pipe(count, sum).run(ctx, { from: 0, to: 1001 })).collect();
    });
    expect(total).toBe(500_500);
    expect(
      await run(function* (ctx) {
        return yield* (yield* pipe(count, text).run(ctx, { from: 0, to: 0 })).collect();
      }),
    ).toEqual([]);
  });

  it("does not compile with stages that do not fit, and refuses none", () => {
    // @ts-expect-error: double takes numbers, text gives texts
    const wrong = (): unknown => pipe(count, text, double);
    expect(typeof wrong).toBe("function");
    expect(codeOf(() => (pipe as () => unknown)())).toBe("orchestration.bad-option");
    expect(codeOf(() => pipe(count, double, double as never))).toBe("orchestration.bad-option");
    expect(codeOf(() => pipeline(double))).toBe("orchestration.bad-option");
  });

  it("PL3: makes nothing that nobody took, but a credit of 16 items per stage", async () => {
    let made = 0;
    const eager = source({
      name: "eager",
      start: () => ({}),
      next: () => ({ value: made++ }),
    });
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const running = yield* pipe(eager, double, text).run(ctx, undefined);
      yield* ctx.sleep(1000);
      expect(made).toBe(0);
      for (let n = 0; n < 10; n++)
        expect(yield* running.next()).toEqual({ done: false, value: `<${2 * n}>` });
      yield* ctx.sleep(100_000);
      const { length } = running.stages;
      expect(made).toBeLessThanOrEqual(2 * (length + 1) * STAGE_CREDIT);
      const before = made;
      yield* ctx.sleep(100_000);
      expect(made).toBe(before);
      running.cancel();
    });
  });

  it("runs inside an agent, and stages may ask other agents and take their time", async () => {
    const oracle = agent({
      name: "oracle",
      on: {
        square: {
          *handle(ctx: AgentContext, n: number): AgentRoutine<number> {
            yield* ctx.sleep(3);
            return n * n;
          },
        },
      },
    });
    const square = stage({
      name: "square",
      *each(n: number, _own: undefined, ctx): AgentRoutine<readonly number[]> {
        return [yield* ctx.ask<typeof oracle, "square">("oracle", "square", n)];
      },
    });
    const boss = agent({
      name: "boss",
      on: {
        work: {
          *handle(ctx: AgentContext, to: number) {
            return yield* (yield* pipe(count, square).run(ctx, { from: 0, to })).collect();
          },
        },
      },
    });
    const { run } = virtualSystem();
    const squares = await run(function* (ctx) {
      yield* ctx.spawn(oracle, { name: "oracle" });
      return yield* ctx.ask(yield* ctx.spawn(boss), "work", 40, { timeoutMs: 60_000 });
    });
    expect(squares).toEqual(range(40).map((n) => n * n));
  });
});

describe("a pipeline", () => {
  it("PL1: refuses a stage that takes from a later one or from itself, by types and when it is added", () => {
    const built = pipeline(count);
    // @ts-expect-error: no stage named later was added before
    expect(codeOf(() => built.stage(double, ["later"]))).toBe("orchestration.stage-cycle");
    // @ts-expect-error: a stage is not earlier than itself
    expect(codeOf(() => built.stage(double, ["double"]))).toBe("orchestration.stage-cycle");
    expect(codeOf(() => built.stage(double, ["count", "count"]))).toBe("orchestration.bad-option");
    expect(codeOf(() => built.stage(double, [] as never))).toBe("orchestration.bad-option");
    expect(codeOf(() => built.source(count))).toBe("orchestration.bad-option");
    const longest = range(STAGES_MAX - 1).reduce<Pipeline<never, Record<string, number>, number>>(
      (made, n) =>
        made.stage(stage({ name: `s${n}`, each: (item: number) => [item] }), [
          n === 0 ? "count" : `s${n - 1}`,
        ]),
      built as never,
    );
    expect(codeOf(() => longest.stage(stage({ name: "more", each: (n: number) => [n] }), ["s0"]))).toBe(
      "orchestration.bad-option",
    );
  });

  it("refuses to run with a stage from which nobody takes", async () => {
    const { run } = virtualSystem();
    const dangling = pipeline(count).stage(double, ["count"]).stage(text, ["count"]);
    await expect(run((ctx) => dangling.run(ctx, { from: 0, to: 1 }))).rejects.toMatchObject({
      code: "orchestration.bad-option",
    });
  });

  it("one stage may feed several, and one may take from several: a diamond whose sides filter differently never stalls", async () => {
    const { run } = virtualSystem();
    const rare = stage({ name: "rare", each: (n: number) => (n % 97 === 0 ? [n] : []) });
    const many = stage({ name: "many", each: (n: number) => [n + 0.25, n + 0.5] });
    const join = stage({ name: "join", each: (n: number) => [n] });
    const diamond = pipeline(count)
      .stage(rare, ["count"])
      .stage(many, ["count"])
      .stage(join, ["rare", "many"]);
    const items = await run(function* (ctx) {
      return yield* (yield* diamond.run(ctx, { from: 0, to: 1000 })).collect();
    });
    const wanted = range(1000).flatMap((n) => (n % 97 === 0 ? [n, n + 0.25, n + 0.5] : [n + 0.25, n + 0.5]));
    expect(items.toSorted((a, b) => a - b)).toEqual(wanted);
    for (const side of [items.filter(Number.isInteger), items.filter((n) => !Number.isInteger(n))])
      expect(side).toEqual(side.toSorted((a, b) => a - b));
  });

  it("gives what a plain computation gives, for any shape: every item once per way through it", async () => {
    const shape = fc.record({
      items: fc.integer({ min: 0, max: 120 }),
      stages: fc.array(
        fc.record({
          from: fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }),
          keep: fc.integer({ min: 1, max: 9 }),
          copies: fc.integer({ min: 0, max: 3 }),
        }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(shape, async ({ items, stages }) => {
        runs++;
        const given: number[][] = [range(items)];
        const used = new Set<number>();
        const wiring = stages.map(({ from, keep, copies }, n) => {
          const inputs = [...new Set(from.map((at) => at % (n + 1)))];
          for (const at of inputs) used.add(at);
          const make = (item: number): number[] =>
            item % keep === 0 ? Array.from({ length: copies }, () => item) : [];
          given.push(inputs.flatMap((at) => (given[at] as number[]).flatMap(make)));
          return { inputs, each: stage({ name: `s${n + 1}` as string, each: make }) };
        });
        // The last stage takes from every one that nobody takes from.
        const loose = range(stages.length + 1).filter((at) => !used.has(at));
        wiring.push({ inputs: loose, each: stage({ name: "last", each: (item: number) => [item] }) });
        const nameOf = (at: number): string => (at === 0 ? "count" : `s${at}`);
        let built = pipeline(count) as unknown as Pipeline<
          { from: number; to: number },
          Record<string, number>,
          number
        >;
        for (const { inputs, each } of wiring) built = built.stage(each, inputs.map(nameOf) as [string]);
        const { run } = virtualSystem();
        const collected = await run(function* (ctx) {
          return yield* (yield* built.run(ctx, { from: 0, to: items })).collect();
        });
        const wanted = loose.flatMap((at) => given[at] as number[]);
        expect(collected.toSorted((a, b) => a - b)).toEqual(wanted.toSorted((a, b) => a - b));
      }),
      { numRuns: process.env["GLIA_SOAK"] === "1" ? 2000 : 60 },
    );
    console.log(`pipelines: ${runs} shapes`);
  });

  it("PL4: an error names its stage wherever it arises, and ends every stage", async () => {
    const fails = stage({
      name: "fails",
      each(n: number): number[] {
        if (n === 20) throw new RangeError("twenty is too much");
        return [n];
      },
    });
    const tooMany = stage({ name: "too-many", each: () => Array.from({ length: 4097 }, () => 1) });
    const noList = stage({ name: "no-list", each: () => "text" as never as number[] });
    const badStart = source({
      name: "bad-start",
      start: (): { n: 0 } => {
        throw new RangeError("no");
      },
      next: () => undefined,
    });
    for (const [failing, name, why] of [
      [pipe(count, double, fails, text), "fails", /twenty/],
      [pipe(count, tooMany), "too-many", /4097/],
      [pipe(count, noList, text), "no-list", /no list/],
      [pipe(badStart as never, text), "bad-start", /no/],
    ] as const) {
      const { run, system } = virtualSystem();
      const outcome = await run(function* (ctx) {
        const got: unknown[] = [];
        try {
          const running = yield* (
            failing as Pipeline<{ from: number; to: number }, Record<string, unknown>, unknown>
          ).run(ctx, { from: 0, to: 100 });
          for (;;) got.push(yield* running.next());
        } catch (error) {
          yield* ctx.sleep(1);
          return { error, got: got.length, left: ctx.children().length };
        }
      });
      expect(outcome.error).toMatchObject({ code: "orchestration.stage-failed", details: { stage: name } });
      expect(String(outcome.error)).toMatch(why);
      expect(outcome.left).toBe(0);
      expect((await system.observe.agents()).length).toBeLessThanOrEqual(1);
    }
  });

  it("PL4: what was given before a failure stands", async () => {
    const fails = stage({
      name: "fails",
      each(n: number): number[] {
        if (n === 40) throw new RangeError("forty");
        return [n];
      },
    });
    const { run } = virtualSystem();
    const got = await run(function* (ctx) {
      const running = yield* pipe(count, fails).run(ctx, { from: 0, to: 100 });
      const items: number[] = [];
      try {
        for (;;) {
          const item = yield* running.next();
          if (item.done) return items;
          items.push(item.value);
        }
      } catch {
        return items;
      }
    });
    expect(got).toEqual(range(got.length));
    expect(got.length).toBeGreaterThanOrEqual(STAGE_CREDIT);
  });

  it("PL4: a stage that is ended by somebody else is named too", async () => {
    const { run } = virtualSystem();
    const outcome = await run(function* (ctx) {
      const running = yield* pipe(count, double, text).run(ctx, { from: 0, to: 1e6 });
      yield* running.next();
      ctx.stop(running.stages[1]);
      yield* ctx.sleep(1);
      try {
        for (;;) yield* running.next();
      } catch (error) {
        return error;
      }
    });
    expect(outcome).toMatchObject({ code: "orchestration.stage-failed", details: { stage: "double" } });
  });

  it("PL4: cancelling ends every stage, also in the middle of a slow item, and there is no more to take", async () => {
    const slow = stage({
      name: "slow",
      *each(n: number, _own: undefined, ctx): AgentRoutine<readonly number[]> {
        yield* ctx.sleep(n < 20 ? 1 : 20_000);
        return [n];
      },
    });
    const { run } = virtualSystem();
    await run(function* (ctx) {
      const running = yield* pipe(count, slow).run(ctx, { from: 0, to: 100 });
      yield* running.next();
      yield* ctx.sleep(5);
      running.cancel();
      running.cancel();
      expect(yield* running.next()).toEqual({ done: true, value: undefined });
      yield* ctx.sleep(1);
      expect(ctx.children()).toEqual([]);
      expect((yield* (yield* pipe(count, double).run(ctx, { from: 0, to: 100 })).collect(7)).length).toBe(7);
    });
  });
});
