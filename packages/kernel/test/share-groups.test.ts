import { Budget, type Kernel, ShareGroup, type Sys } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, run } from "./run.ts";

/** A task that never waits and makes some plain calls per round, so its turns differ in size. */
function busy(extraCalls: number, each: () => void = () => {}) {
  return function* (sys: Sys) {
    for (;;) {
      for (let i = 0; i < extraCalls; i++) sys.getTid();
      each();
      yield* sys.yield();
    }
  };
}

const measure = () => new Budget({ syscalls: Number.POSITIVE_INFINITY, periodMs: 1 });

/** The greatest difference of two rows of numbers at any two moments. */
function spread(a: readonly number[], b: readonly number[]): number {
  const differences = a.map((value, i) => value - b[i]!);
  return Math.max(...differences) - Math.min(...differences);
}

const member = fc.record({
  weight: fc.integer({ min: 1, max: 10 }),
  quantum: fc.integer({ min: 1, max: 60 }),
  calls: fc.nat(30),
});

test("G1: for backlogged tasks |Si/wi - Sj/wj| <= li/wi + lj/wj over any stretch, beside tasks of no group", () => {
  fc.assert(
    fc.property(fc.array(member, { minLength: 2, maxLength: 6 }), fc.nat(3), (members, strangers) => {
      const { kernel } = createTestKernel();
      const group = new ShareGroup();
      const budgets = members.map(({ weight, quantum, calls }) => {
        const budget = measure();
        kernel.spawn(busy(calls), { budget, quantum, share: { group, weight } });
        return budget;
      });
      for (let i = 0; i < strangers; i++) kernel.spawn(busy(i));
      const rows: number[][] = members.map(() => [0]);
      const largest = members.map(() => 0);
      for (let turn = 0; turn < 400; turn++) {
        kernel.runSlice(1);
        for (const [i, budget] of budgets.entries()) {
          const spent = budget.spent.syscalls;
          largest[i] = Math.max(largest[i]!, spent - rows[i]!.at(-1)! * members[i]!.weight);
          rows[i]!.push(spent / members[i]!.weight);
        }
      }
      for (let i = 0; i < members.length; i++) {
        for (let j = 0; j < i; j++) {
          const bound = largest[i]! / members[i]!.weight + largest[j]! / members[j]!.weight;
          expect(spread(rows[i]!, rows[j]!)).toBeLessThanOrEqual(bound + 1e-6);
        }
      }
    }),
    { numRuns: 60 },
  );
});

function spend(kernel: Kernel, budgets: readonly Budget[], turns: number): number[] {
  const before = budgets.map(({ spent }) => spent.syscalls);
  kernel.runSlice(turns);
  return budgets.map(({ spent }, i) => spent.syscalls - before[i]!);
}

test("G2: a newcomer, and a member that slept for long, get their share from then on and no more", () => {
  const { kernel, clock } = createTestKernel();
  const group = new ShareGroup();
  const [old, sleeper, late] = [measure(), measure(), measure()];
  kernel.spawn(busy(0), { budget: old, share: { group } });
  kernel.spawn(
    function* (sys) {
      yield* sys.sleep(100);
      yield* busy(0)(sys);
    },
    { budget: sleeper, share: { group } },
  );
  spend(kernel, [old], 2000);
  clock.advance(100);
  const [a, b] = spend(kernel, [old, sleeper], 400);
  expect(Math.abs(a! - b!)).toBeLessThanOrEqual(2 * 257);
  kernel.spawn(busy(0), { budget: late, share: { group } });
  const [c, d] = spend(kernel, [old, late], 600);
  expect(Math.abs(c! - d!)).toBeLessThanOrEqual(2 * 257);
  expect(c).toBeGreaterThan(0);
});

test("G3: a group takes no turns from tasks outside of it, and gives them none", () => {
  const { kernel } = createTestKernel();
  const group = new ShareGroup();
  const budgets = [measure(), measure(), measure()];
  kernel.spawn(busy(0), { budget: budgets[0]!, share: { group, weight: 9 }, quantum: 10 });
  kernel.spawn(busy(0), { budget: budgets[1]!, share: { group, weight: 1 }, quantum: 10 });
  kernel.spawn(busy(0), { budget: budgets[2]!, quantum: 10 });
  kernel.runSlice(50_000);
  const [heavy, light, stranger] = budgets.map(({ spent }) => spent.syscalls);
  expect(heavy! / light!).toBeCloseTo(9, 0);
  expect((heavy! + light!) / stranger!).toBeGreaterThan(1.5);
  expect((heavy! + light!) / stranger!).toBeLessThan(2.5);
});

test("turns may be counted in milliseconds", () => {
  const { kernel, clock } = createTestKernel();
  const group = new ShareGroup("cpuMs");
  const ran = { slow: 0, quick: 0 };
  for (const [name, ms] of [
    ["slow", 9],
    ["quick", 3],
  ] as const) {
    kernel.spawn(
      function* (sys) {
        for (;;) {
          clock.advance(ms);
          ran[name] += ms;
          yield* sys.yield();
        }
      },
      { share: { group }, quantum: 1 },
    );
  }
  for (let i = 0; i < 300; i++) kernel.runSlice(1);
  expect(Math.abs(ran.slow - ran.quick)).toBeLessThanOrEqual(12);
});

test("G4: children are members with their parent's weight; what waits, ends or is killed holds nobody up", () => {
  const { kernel, clock } = createTestKernel();
  const group = new ShareGroup();
  const order: string[] = [];
  const step = (name: string, times: number) =>
    function* (sys: Sys) {
      for (let i = 0; i < times; i++) {
        order.push(name);
        yield* sys.yield();
      }
    };
  kernel.spawn(
    function* (sys) {
      sys.spawn(step("child", 20));
      yield* sys.sleep(5);
    },
    { share: { group, weight: 3 }, quantum: 1 },
  );
  kernel.spawn(step("other", 20), { share: { group, weight: 1 }, quantum: 1 });
  const victim = kernel.spawn(busy(0), { share: { group, weight: 0.001 }, quantum: 1 });
  kernel.runSlice(40);
  kernel.kill(victim);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  const first = order.slice(0, 20);
  expect(first.filter((name) => name === "child").length).toBeGreaterThanOrEqual(14);
  expect(order.length).toBe(40);
});

test("bad shares are refused and make no task", () => {
  expect(codeOf(() => new ShareGroup("jobs" as "syscalls"))).toBe("kernel.bad-option");
  const { exit, kernel } = run(function* (sys) {
    const group = new ShareGroup();
    return [
      { group: {} as never },
      { group, weight: 0 },
      { group, weight: Number.NaN },
      { group, weight: 1001 },
    ].map((share) => codeOf(() => sys.spawn(function* () {}, { share })));
  });
  expect([exit, kernel.counters().spawned]).toEqual([
    { kind: "ok", value: Array(4).fill("kernel.bad-option") },
    1,
  ]);
});
