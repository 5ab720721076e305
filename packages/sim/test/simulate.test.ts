import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Sys } from "@glia-os/kernel";
import { type Scenario, simulate } from "@glia-os/sim";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";
import { asyncHashes, hashes } from "./fixtures/print-hashes.ts";
import { busy } from "./fixtures/programs.ts";

const node24 = fileURLToPath(
  new URL("../../../conformance/runtimes/node24/node_modules/.bin/node", import.meta.url),
);

test("a whole program runs on virtual time to its end", () => {
  const run = simulate(1, function* (sys: Sys) {
    yield* sys.sleep(86_400_000 / 48);
    return sys.now();
  });
  expect([run.outcome, run.virtualMs]).toEqual(["ended", 1_800_000]);
  expect(run.exits.get("/0")).toEqual({ kind: "ok", value: 1_800_000 });
  expect(run.dump.tasks).toEqual([]);
  expect(run.calls.get("/0")).toBe(2);
  expect(run.traceHash).toMatch(/^[0-9a-f]{16}$/);
});

test("SI1: the same seed gives the same hash, another seed another one", () => {
  const once = hashes();
  expect(hashes()).toEqual(once);
  expect(new Set(once).size).toBe(once.length);
});

test("the hash sees a change in the data alone, and the number of steps stays", () => {
  const of = (word: string) =>
    simulate(1, function* (sys: Sys) {
      const box = sys.mailbox<string>();
      sys.trySend(box, word);
      yield* sys.receive(box);
    });
  const [a, b] = [of("a"), of("b")];
  expect(a.steps).toBe(b.steps);
  expect(a.traceHash).not.toBe(b.traceHash);
  expect(of("a").traceHash).toBe(a.traceHash);
});

test("the same programs and seeds have the same trace hashes on Node 24, async programs included", async (context) => {
  context.skip(
    !existsSync(node24),
    "conformance/runtimes/node24 is not installed: NOTHING was compared with Node 24",
  );
  const script = fileURLToPath(new URL("./fixtures/print-hashes.ts", import.meta.url));
  const printed = execFileSync(node24, ["--conditions=@glia-os/source", script], { encoding: "utf8" });
  expect(execFileSync(node24, ["--version"], { encoding: "utf8" })).toMatch(/^v24\./);
  expect(printed.split("\n")).toEqual([...hashes(), ...(await asyncHashes())]);
});

test("RE2: listening changes nothing: keeping events and logs gives the same hash", () => {
  const plain = simulate(3, busy);
  const watched = simulate(3, busy, { keepEvents: 200_000, taskLogs: true });
  expect(watched.traceHash).toBe(plain.traceHash);
  expect(watched.events).toHaveLength(watched.steps);
  expect([plain.events, plain.logs.size]).toEqual([[], 0]);
  expect([...watched.logs.keys()]).toContain("/0/2");
  expect(watched.events.map(({ step }) => step)).toEqual(watched.events.map((_, i) => i + 1));
});

test("SI3: tasks that nothing will wake make a run stuck, and the dump names them", () => {
  const run = simulate(1, function* (sys: Sys) {
    yield* sys.receive(sys.mailbox());
  });
  expect([run.outcome, run.virtualMs]).toEqual(["stuck", 0]);
  expect(run.dump.tasks.map(({ path, waitsIn }) => [path, waitsIn])).toEqual([["/0", "receive"]]);
});

test("SI3: the limit of virtual time ends a run at that moment", () => {
  const run = simulate(
    1,
    function* (sys: Sys) {
      for (;;) yield* sys.sleep(700);
    },
    { virtualMsMax: 10_000 },
  );
  expect([run.outcome, run.virtualMs]).toEqual(["time-limit", 10_000]);
  expect(run.calls.get("/0")).toBe(15);
});

test("SI3: the limit of steps ends a run that never waits, also one that only makes plain calls", () => {
  const yields = simulate(
    1,
    function* (sys: Sys) {
      for (;;) yield* sys.yield();
    },
    { stepsMax: 5000 },
  );
  expect(yields.outcome).toBe("step-limit");
  const spins = simulate(
    1,
    function* (sys: Sys) {
      for (;;) sys.getTid();
    },
    { stepsMax: 5000 },
  );
  expect(spins.outcome).toBe("step-limit");
  expect(spins.steps).toBeLessThan(5010);
});

test("what is scheduled from outside happens at its virtual time, and wall time can be set meanwhile", () => {
  const scenario: Scenario<number[]> = (world) => {
    const seen: number[] = [];
    const bell = world.kernel.notification();
    world.spawn(
      function* (sys, bell) {
        for (let i = 0; i < 2; i++) {
          yield* sys.waitSignal(bell);
          seen.push(sys.now(), sys.monotonic());
        }
      },
      { give: [bell] },
    );
    world.time.schedule(10, () => world.kernel.signal(bell));
    world.time.schedule(15, () => world.clock.stepWall(1000));
    world.time.schedule(20, () => world.kernel.signal(bell));
    return seen;
  };
  const run = simulate(1, scenario, { clock: { wallStartMs: 500 } });
  expect([run.outcome, run.state]).toEqual(["ended", [510, 10, 1520, 20]]);
});

test("a kernel on a drifting clock waits by that clock, and true time shows the drift", () => {
  const run = simulate(
    1,
    function* (sys: Sys) {
      for (let i = 0; i < 100; i++) yield* sys.sleep(33.3);
      return sys.monotonic();
    },
    { clock: { driftPpm: -100_000 } },
  );
  expect(run.outcome).toBe("ended");
  expect((run.exits.get("/0") as { value: number }).value).toBeGreaterThanOrEqual(3330);
  expect(run.virtualMs).toBeCloseTo(3330 / 0.9, 6);
});

test("a child that uses its parent's syscalls by closure is counted as itself", () => {
  const run = simulate(1, function* (sys: Sys) {
    const child = sys.spawn(function* () {
      yield* sys.sleep(1);
      yield* sys.sleep(1);
    });
    yield* sys.wait(child);
  });
  expect(Object.fromEntries(run.calls)).toEqual({ "/0": 2, "/0/0": 2 });
});

test("a task's log is bounded, and says how much of it is missing", () => {
  const run = simulate(
    1,
    function* (sys: Sys) {
      for (let i = 0; i < 200_000; i++) sys.getTid();
      yield* sys.sleep(1);
    },
    { taskLogs: true },
  );
  const text = run.logs.get("/0")!;
  expect(text.length).toBeLessThan(1_048_576 + 40);
  expect(text).toMatch(/\n\(\d{6,} characters more\)\n$/);
});

test.each([
  ["virtualMsMax", { virtualMsMax: -1 }, "sim.bad-option"],
  ["virtualMsMax", { virtualMsMax: Number.NaN }, "sim.bad-option"],
  ["stepsMax", { stepsMax: 0 }, "sim.bad-option"],
  ["keepEvents", { keepEvents: 200_001 }, "sim.bad-option"],
  ["order", { order: "random" as never }, "sim.bad-option"],
  ["kernel", { kernel: { turnSyscalls: 0 } }, "kernel.bad-option"],
])("a bad %s is refused: %j", (_, options, code) => {
  expect(codeOf(() => simulate(1, function* () {}, options))).toBe(code);
});

test("what is no program, no scenario or no seed is refused", () => {
  expect(codeOf(() => simulate(1, "program" as never))).toBe("sim.bad-scenario");
  expect(codeOf(() => simulate(Number.NaN, function* () {}))).toBe("sim.bad-option");
  expect(codeOf(() => simulate(undefined as never, function* () {}))).toBe("sim.bad-option");
});

test("a spawn of something that is no program is refused by the kernel as always", () => {
  const run = simulate(1, function* (sys: Sys) {
    return codeOf(() => sys.spawn("nothing" as never));
  });
  expect(run.exits.get("/0")).toEqual({ kind: "ok", value: "kernel.not-a-program" });
});
