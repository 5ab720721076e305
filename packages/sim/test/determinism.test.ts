import type { Handle, Sys } from "@glia-os/kernel";
import { checkDeterministic } from "@glia-os/sim";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";
import { busy, faulty } from "./fixtures/programs.ts";

const seeds = Array.from({ length: 30 }, (_, seed) => seed);

test("programs that draw, sleep, message and fail are functions of their seed", () => {
  const menu = { killRate: 0.02, dropRate: 0.1, delayRate: 0.1 };
  for (const order of ["fifo", "seeded"] as const)
    for (const program of [busy, faulty]) {
      const report = checkDeterministic(seeds, program, { order, menu });
      expect(report).toEqual({ seeds: 30, deterministic: true, difference: undefined });
    }
});

test("a program that keeps state between runs is caught, with step, task and syscall of the first difference", () => {
  let runs = 0;
  const leaky = function* (sys: Sys) {
    runs++;
    const box = sys.mailbox<number>();
    const child = sys.spawn(
      function* (sys: Sys, source: Handle<number>) {
        yield* sys.receive(source);
        if (runs % 2 === 0) yield* sys.sleep(3);
      },
      { give: [box] },
    );
    yield* sys.send(box, 1);
    yield* sys.wait(child);
  };
  const { seeds, deterministic, difference } = checkDeterministic([7, 8], leaky);
  expect([seeds, deterministic]).toEqual([1, false]);
  expect(difference).toMatchObject({
    seed: 7,
    task: "/0/0",
    first: { kind: "state" },
    second: { what: "sleep" },
  });
  expect(difference!.text).toMatch(
    /^seed 7, step \d+, task \/0\/0: first state .*, then call sleep\(3\) parked at 0 ms$/,
  );
});

test("a difference in the data alone is caught at the syscall that brought it", () => {
  let runs = 0;
  const { difference } = checkDeterministic([1], function* (sys: Sys) {
    const box = sys.mailbox<number>();
    sys.trySend(box, ++runs);
    yield* sys.receive(box);
  });
  expect([difference!.task, difference!.what, difference!.first!.kind]).toEqual(["/0", "receive", "outcome"]);
});

test("DE1: a difference behind the events that are kept is still a difference", () => {
  let runs = 0;
  const { deterministic, difference } = checkDeterministic([1], function* (sys: Sys) {
    const last = ++runs;
    for (let i = 0; i < 210_000; i++) sys.getTid();
    yield* sys.sleep(last);
  });
  expect([deterministic, difference!.step]).toEqual([false, undefined]);
  expect(difference!.text).toContain("after the first 200000 events");
});

test("no seeds, no verdict but the empty one", () => {
  expect(checkDeterministic([], busy)).toEqual({ seeds: 0, deterministic: true, difference: undefined });
  expect(codeOf(() => checkDeterministic([Number.NaN], busy))).toBe("sim.bad-option");
});
