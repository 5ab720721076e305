import { RIGHTS } from "@glia-os/abi/syscalls";
import type { Handle, Sys } from "@glia-os/kernel";
import { checkDeterministic, type Fault, type Scenario, simulate } from "@glia-os/sim";
import { expect, test } from "vitest";

interface Office {
  /** Calls that are out, and the most there ever were. */
  out: number;
  most: number;
  stopped: number;
  readonly keys: string[];
}

/** Two tasks that each have a tool of one place work three times; it takes 50 ms each time. */
const office: Scenario<Office> = (world) => {
  const state: Office = { out: 0, most: 0, stopped: 0, keys: [] };
  const tool = world.kernel.service<number>({
    kind: "tool",
    name: "slow",
    concurrency: 1,
    perform(input, settle, { key }) {
      state.keys.push(key);
      state.most = Math.max(state.most, ++state.out);
      const timer = world.time.schedule(50, () => {
        state.out--;
        settle.ok(input * 2);
      });
      return () => {
        timer.cancel();
        state.out--;
        state.stopped++;
      };
    },
  });
  for (const name of ["a", "b"])
    world.spawn(
      function* (sys: Sys, tool: Handle) {
        let sum = 0;
        for (let i = 1; i <= 3; i++) {
          sum += yield* sys.exec<number>(tool, i);
          yield* sys.sleep(10);
        }
        return sum;
      },
      { give: [{ handle: tool, rights: RIGHTS.exec }], name },
    );
  return state;
};

test("a service of the world settles on virtual time, and a program that calls it is a function of its seed", () => {
  const run = simulate(1, office);
  expect([run.outcome, run.state.most, run.virtualMs]).toEqual(["ended", 1, 310]);
  for (const path of ["/0", "/1"]) expect(run.exits.get(path)).toEqual({ kind: "ok", value: 12 });
  expect(checkDeterministic([1, 2, 3], office, { order: "seeded" }).deterministic).toBe(true);
});

test("a crash at every syscall index of a task gives its call up: the service loses no place and the other task gets all it asked for", () => {
  const calls = simulate(1, office).calls.get("/0")!;
  expect(calls).toBe(6);
  let stopped = 0;
  for (let call = 0; call < calls; call++) {
    for (const when of ["before", "inside"] as const) {
      const faults: readonly Fault[] = [{ kind: "kill", task: "/0", call, when }];
      const run = simulate(1, office, { faults });
      expect([run.outcome, run.faults]).toEqual(["ended", faults]);
      expect(run.exits.get("/0")?.kind).toBe("killed");
      expect(run.exits.get("/1")).toEqual({ kind: "ok", value: 12 });
      expect([run.state.out, run.state.most]).toEqual([0, 1]);
      expect(run.state.keys.filter((key) => key.startsWith("/1"))).toEqual(["/1#1", "/1#2", "/1#3"]);
      stopped += run.state.stopped;
    }
  }
  expect(stopped).toBeGreaterThan(0);
});
