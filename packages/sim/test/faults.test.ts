import type { Handle, Sys } from "@glia-os/kernel";
import { type Fault, type Scenario, type SimulateOptions, simulate } from "@glia-os/sim";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";
import { busy, faulty } from "./fixtures/programs.ts";

/** Ten messages through a pipe, one every 10 ms; the state is what arrived. */
const line: Scenario<number[]> = (world) => {
  const { kernel } = world;
  const got: number[] = [];
  const [a, b] = [kernel.mailbox<number>(), kernel.mailbox<number>()];
  world.spawn(world.pipe("line"), { give: [a, b] });
  world.spawn(
    function* (sys, out: Handle<number>) {
      for (let i = 0; i < 10; i++) {
        yield* sys.send(out, i);
        yield* sys.sleep(10);
      }
    },
    { give: [a] },
  );
  const last = world.kernel.spawn(
    function* (sys, source: Handle<number>) {
      for (;;) got.push(yield* sys.receive(source));
    },
    { give: [b] },
  );
  world.time.schedule(1000, () => kernel.kill(last));
  return got;
};

const arrived = (options: SimulateOptions): string => simulate(1, line, options).state.join("");

test("PI1: without faults a pipe brings every message once and in order, and the run ends when only pipes live", () => {
  const run = simulate(1, line);
  expect([run.outcome, run.state.join(""), run.faults]).toEqual(["ended", "0123456789", []]);
});

test("a message of a pipe is dropped, doubled or late where the list says so", () => {
  expect(arrived({ faults: [{ kind: "drop", pipe: "line", message: 3 }] })).toBe("012456789");
  expect(arrived({ faults: [{ kind: "duplicate", pipe: "line", message: 3 }] })).toBe("01233456789");
  expect(arrived({ faults: [{ kind: "delay", pipe: "line", message: 3, byMs: 25 }] })).toBe("0124536789");
});

test("faults at places that a run does not reach are reported as missed", () => {
  const faults: Fault[] = [
    { kind: "drop", pipe: "line", message: 10 },
    { kind: "drop", pipe: "other", message: 0 },
    { kind: "kill", task: "/9", call: 0, when: "before" },
    { kind: "drop", pipe: "line", message: 0 },
  ];
  const run = simulate(1, line, { faults });
  expect(run.missed).toEqual(faults.slice(0, 3));
  expect(run.faults).toEqual(faults.slice(3));
});

test("CP2: a kill before call k leaves k calls made; inside, k + 1; finally runs, and nothing catches it", () => {
  for (const when of ["before", "inside"] as const)
    for (let call = 0; call < 4; call++) {
      const marks: string[] = [];
      const run = simulate(
        1,
        function* (sys: Sys) {
          try {
            for (let i = 0; i < 4; i++) {
              marks.push(`${i}`);
              if (i % 2 === 0) yield* sys.sleep(10);
              else sys.getTid();
              marks.push("'");
            }
            yield* sys.sleep(1);
          } catch {
            marks.push("caught");
            yield* sys.sleep(1);
            marks.push("lives");
          } finally {
            marks.push("f");
          }
        },
        { faults: [{ kind: "kill", task: "/0", call, when }], keepEvents: 100 },
      );
      expect(run.exits.get("/0")).toEqual({ kind: "killed", reason: "simulated crash" });
      expect(run.events.filter(({ kind }) => kind === "call").length).toBe(
        when === "before" ? call : call + 1,
      );
      expect(marks.at(-1)).toBe("f");
      expect(marks).not.toContain("lives");
    }
});

test("a kill inside the last call of a task that ends by itself changes nothing", () => {
  const program = function* (sys: Sys) {
    sys.getTid();
    return 5;
  };
  const run = simulate(1, program, { faults: [{ kind: "kill", task: "/0", call: 0, when: "inside" }] });
  expect(run.exits.get("/0")).toEqual({ kind: "ok", value: 5 });
});

test("FA2: what a menu drew, given as a list, is the same run", () => {
  const menu = {
    killRate: 0.02,
    killsMax: 3,
    dropRate: 0.2,
    duplicateRate: 0.2,
    delayRate: 0.2,
    delayMsMax: 100,
  };
  let drawn = 0;
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom("fifo", "seeded"),
      fc.constantFrom(busy, faulty),
      (seed, order, program) => {
        const first = simulate(seed, program, { order, menu });
        drawn += first.faults.length;
        const second = simulate(seed, program, { order, faults: first.faults });
        expect([second.traceHash, second.faults, second.missed]).toEqual([first.traceHash, first.faults, []]);
      },
    ),
  );
  expect(drawn).toBeGreaterThan(100);
});

test("kills of one run are bounded by killsMax", () => {
  for (let seed = 0; seed < 20; seed++) {
    const run = simulate(seed, busy, { menu: { killRate: 1, killsMax: 2 } });
    expect(run.faults.length).toBeLessThanOrEqual(2);
  }
});

test.each([
  [null, "no object"],
  [{ kind: "explode" }, "its kind is explode"],
  [{ kind: "kill", task: 1, call: 0, when: "before" }, "its task"],
  [{ kind: "kill", task: "/0", call: -1, when: "before" }, "its call"],
  [{ kind: "kill", task: "/0", call: 0.5, when: "before" }, "its call"],
  [{ kind: "kill", task: "/0", call: 0, when: "after" }, "its when"],
  [{ kind: "drop", pipe: "line" }, "its message"],
  [{ kind: "delay", pipe: "line", message: 0, byMs: -1 }, "its byMs"],
  [{ kind: "delay", pipe: "line", message: 0, byMs: Number.NaN }, "its byMs"],
])("a fault of the form %j is refused: %s", (fault, why) => {
  expect(() => simulate(1, line, { faults: [fault as Fault] })).toThrow(why);
  expect(codeOf(() => simulate(1, line, { faults: [fault as Fault] }))).toBe("sim.bad-fault");
});

test.each([
  { killRate: 1.1 },
  { dropRate: -0.1 },
  { duplicateRate: Number.NaN },
  { delayMsMax: Number.POSITIVE_INFINITY },
  { killsMax: 10_001 },
])("a menu of %j is refused", (menu) => {
  expect(codeOf(() => simulate(1, line, { menu }))).toBe("sim.bad-option");
});

test("a list of more faults than a run may have is refused, and so are two pipes of one name", () => {
  const fault: Fault = { kind: "drop", pipe: "line", message: 0 };
  expect(codeOf(() => simulate(1, line, { faults: Array(10_001).fill(fault) }))).toBe("sim.bad-option");
  const twice: Scenario = (world) => [world.pipe("a"), world.pipe("a")];
  expect(codeOf(() => simulate(1, twice))).toBe("sim.bad-option");
});
