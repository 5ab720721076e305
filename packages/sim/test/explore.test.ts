import type { Handle, Sys } from "@glia-os/kernel";
import { explore, type Scenario, shrinkList, simulate } from "@glia-os/sim";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";

/** Two tasks read a counter, do something that takes a turn, and write it back: an update can be lost. */
const counter =
  (locked: boolean): Scenario<{ value: number }> =>
  ({ spawn, kernel }) => {
    const state = { value: 0 };
    const lock = kernel.mailbox<string>();
    kernel.trySend(lock, "token");
    for (let i = 0; i < 2; i++)
      spawn(
        function* (sys: Sys, lock: Handle<string>) {
          yield* sys.sleep(10 * i);
          for (let round = 0; round < 2; round++) {
            if (locked) yield* sys.receive(lock);
            const read = state.value;
            yield* sys.sleep(10);
            state.value = read + 1;
            if (locked) yield* sys.send(lock, "token");
          }
        },
        { give: [lock] },
      );
    return state;
  };

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

test("exploration finds an update that is lost in some orders only, and the seed repeats it", () => {
  // One wakes to write when the other wakes to read. In the kernel's own order the writer is first, because its timer was set first.
  const handOver: Scenario<{ value: number }> = ({ spawn }) => {
    const state = { value: 0 };
    for (const steps of [0, 2])
      spawn(function* (sys: Sys) {
        for (let i = 0; i < steps; i++) yield* sys.sleep(5);
        const read = state.value;
        yield* sys.sleep(10);
        state.value = read + 1;
      });
    return state;
  };
  const invariant = ({ state }: { state: { value: number } }) =>
    state.value === 2 ? undefined : `the counter is ${state.value} after 2 updates`;
  expect(invariant(simulate(1, handOver))).toBe(undefined);
  const printed: string[] = [];
  const { seeds: tried, failure } = explore(seeds, handOver, invariant, {
    print: (line) => printed.push(line),
  });
  expect(failure).toBeDefined();
  expect(tried).toBe(seeds.indexOf(failure!.seed as number) + 1);
  expect(failure!.violation).toBe("the counter is 1 after 2 updates");
  expect(failure!.replay).toBe(`simulate(${failure!.seed}, scenario, { order: "seeded" })`);
  expect(printed.join("\n")).toContain(failure!.replay);
  const again = simulate(failure!.seed, handOver, { order: "seeded" });
  expect([again.traceHash, invariant(again)]).toEqual([failure!.run.traceHash, failure!.violation]);
});

test("exploration of the same program with a lock finds nothing in 200 orders", () => {
  const check = ({ state }: { state: { value: number } }) => (state.value === 4 ? undefined : "lost");
  expect(explore(seeds, counter(false), check).failure).toBeDefined();
  expect(explore(seeds, counter(true), check)).toEqual({ seeds: 200, failure: undefined });
});

test("EX3: of the faults that were drawn, only those that the failure needs are named", () => {
  // Wrong on purpose: acknowledges what it did not store when a message comes twice after one was lost.
  const scenario: Scenario<number[]> = (world) => {
    const { kernel } = world;
    const got: number[] = [];
    const [a, b] = [kernel.mailbox<number>(), kernel.mailbox<number>()];
    world.spawn(world.pipe("line"), { give: [a, b] });
    for (let i = 0; i < 30; i++) kernel.trySend(a, i);
    world.spawn(
      function* (sys, source: Handle<number>) {
        for (;;) got.push(yield* sys.receive(source));
      },
      { give: [b] },
    );
    return got;
  };
  const menu = { dropRate: 0.2, duplicateRate: 0.2, delayRate: 0.2, delayMsMax: 50 };
  const { failure } = explore(
    seeds,
    scenario,
    ({ state }) => {
      const lost = !state.includes(11);
      const doubled = state.filter((n) => n === 17).length > 1;
      return lost && doubled ? "11 is lost and 17 came twice" : undefined;
    },
    { menu },
  );
  expect(failure!.minimal).toBe(true);
  expect(failure!.faults).toEqual([
    { kind: "drop", pipe: "line", message: 11 },
    { kind: "duplicate", pipe: "line", message: 17 },
  ]);
  expect(failure!.replay).toContain(JSON.stringify(failure!.faults));
});

test("what is not a function of its seed is said to be so", () => {
  let runs = 0;
  const { failure } = explore(
    [5],
    function* () {},
    () => (runs++ === 0 ? "only once" : undefined),
  );
  expect(failure!.violation).toContain("does not repeat");
});

test("SH1, SH2: a shrunk list fails, is a sublist, and needs each of its elements", () => {
  const sets = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
  fc.assert(
    fc.property(sets, fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }), (more, needed) => {
      const items = [...new Set([...more, ...needed])];
      // Fails with all of the needed ones, or with any five even numbers.
      const fails = (list: readonly number[]) =>
        needed.every((n) => list.includes(n)) || list.filter((n) => n % 2 === 0).length >= 5;
      const { items: small, minimal } = shrinkList(items, fails);
      expect(minimal).toBe(true);
      expect(fails(small)).toBe(true);
      expect(items.filter((n) => small.includes(n))).toEqual(small);
      for (const left of small) expect(fails(small.filter((n) => n !== left))).toBe(false);
    }),
  );
});

test("shrinking stops when its budget of runs is used up, with a list that fails", () => {
  const items = Array.from({ length: 64 }, (_, i) => i);
  const fails = (list: readonly number[]) => list.includes(3) && list.includes(60);
  const cut = shrinkList(items, fails, 3);
  expect([cut.runs, cut.minimal, fails(cut.items)]).toEqual([3, false, true]);
  expect(shrinkList(items, fails, 0)).toEqual({ items, runs: 0, minimal: false });
  expect(codeOf(() => shrinkList(items, fails, -1))).toBe("sim.bad-option");
});
