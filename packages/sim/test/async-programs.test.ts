import type { Sys } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { type Scenario, type SimulateOptions, simulateAsync, traceDifference } from "@glia-os/sim";
import { expect, test } from "vitest";
import { turn } from "./fixtures/print-hashes.ts";
import { mixed } from "./fixtures/programs.ts";

const run = (seed: number | string, scenario: Scenario<unknown>, options: SimulateOptions = {}) =>
  simulateAsync(seed, scenario, turn, options);

test("SI1: async programs and generators are functions of their seed: the same hash again, another seed another one", async () => {
  const hashes = new Set<string>();
  for (let seed = 0; seed < 10; seed++) {
    const options: SimulateOptions = { order: "seeded", keepEvents: 100_000 };
    const [first, second] = [await run(seed, mixed, options), await run(seed, mixed, options)];
    expect(traceDifference(first, second)?.text).toBeUndefined();
    hashes.add(first.traceHash);
  }
  expect(hashes.size).toBe(10);
});

test("SI1: runs side by side do not disturb each other", async () => {
  const alone = [];
  for (let seed = 0; seed < 5; seed++) alone.push((await run(seed, mixed)).traceHash);
  const together = await Promise.all([0, 1, 2, 3, 4].map((seed) => run(seed, mixed)));
  expect(together.map(({ traceHash }) => traceHash)).toEqual(alone);
});

test("a difference between two async runs is named with its step and task", async () => {
  let runs = 0;
  const forgetful: Scenario = (world) => {
    const extra = runs++;
    world.spawn(asyncProgram(async (sys) => sys.sleep(10 + extra)));
  };
  const [first, second] = [
    await run(1, forgetful, { keepEvents: 100 }),
    await run(1, forgetful, { keepEvents: 100 }),
  ];
  expect(traceDifference(first, second)).toMatchObject({ task: "/0", what: "sleep" });
});

test("a foreign await is found in every run, also when what is awaited settles meanwhile on the real clock", async () => {
  const scenario: Scenario = (world) => {
    world.spawn(asyncProgram(async () => new Promise((resolve) => setImmediate(resolve))));
    world.spawn(asyncProgram(async (sys) => sys.sleep(5)));
  };
  const [first, second] = [await run(1, scenario), await run(1, scenario)];
  expect(first.exits.get("/0")).toMatchObject({ kind: "failed", error: { code: "kernel.foreign-await" } });
  expect(first.exits.get("/1")).toEqual({ kind: "ok", value: undefined });
  expect(second.traceHash).toBe(first.traceHash);
});

test("CP2: a crash at every syscall index of an async program ends it, runs its finally, and leaves the others as they were", async () => {
  const scenario: Scenario<string[]> = (world) => {
    const cleaned: string[] = [];
    world.spawn(
      asyncProgram(async (sys) => {
        try {
          for (let i = 0; i < 3; i++) {
            await sys.sleep(2);
            sys.log("info", "awake");
          }
          await sys.sleep(1);
        } finally {
          cleaned.push("finally");
        }
      }),
    );
    world.spawn(function* (sys: Sys) {
      for (let i = 0; i < 5; i++) yield* sys.sleep(1);
      return "whole";
    });
    return cleaned;
  };
  const plain = await run(1, scenario, { taskLogs: true });
  const calls = plain.calls.get("/0")!;
  expect([calls, plain.outcome]).toEqual([7, "ended"]);
  for (let call = 0; call < calls; call++) {
    for (const when of ["before", "inside"] as const) {
      const faults = [{ kind: "kill", task: "/0", call, when }] as const;
      const crashed = await run(1, scenario, { taskLogs: true, faults });
      expect([call, when, crashed.exits.get("/0")?.kind]).toEqual([call, when, "killed"]);
      expect(crashed.state).toEqual(["finally"]);
      expect(crashed.exits.get("/1")).toEqual({ kind: "ok", value: "whole" });
      expect(crashed.logs.get("/1")).toBe(plain.logs.get("/1"));
      expect(crashed.faults).toEqual(faults);
    }
  }
});

test("SI3: an async program that never ends meets the limits of steps and time, and one that waits for nobody is stuck", async () => {
  const endless: Scenario = (world) => {
    world.spawn(
      asyncProgram(async (sys) => {
        for (;;) await sys.yield();
      }),
    );
  };
  const sleepy: Scenario = (world) => {
    world.spawn(
      asyncProgram(async (sys) => {
        for (;;) await sys.sleep(1000);
      }),
    );
  };
  const waiting: Scenario = (world) => {
    world.spawn(asyncProgram(async (sys) => sys.receive(sys.mailbox())));
  };
  expect((await run(1, endless, { stepsMax: 500 })).outcome).toBe("step-limit");
  expect((await run(1, sleepy, { virtualMsMax: 10_500 })).virtualMs).toBe(10_500);
  expect((await run(1, waiting)).outcome).toBe("stuck");
});

test("what is no scenario is refused when the run is awaited", async () => {
  await expect(simulateAsync(1, 7 as never, turn)).rejects.toMatchObject({ code: "sim.bad-scenario" });
  await expect(simulateAsync(Number.NaN, mixed, turn)).rejects.toMatchObject({ code: "sim.bad-option" });
});
