import type { Sys } from "@glia-os/kernel";
import { Scheduler } from "@glia-os/kernel/jobs";
import { checkDeterministic, explore, type Scenario, simulate, type World } from "@glia-os/sim";
import { expect, test } from "vitest";

/** Twelve jobs of two queues that draw, sleep and sometimes fail, and are tried again. */
const desk: Scenario<{ readonly ended: string[] }> = (world) => {
  const ended: string[] = [];
  const jobs = Scheduler.builder({ concurrency: 3 })
    .registerQueue("a", { weight: 1 })
    .registerQueue("b", { weight: 2 })
    .build(world.kernel);
  for (let i = 0; i < 12; i++) {
    const name = `${i % 2 === 0 ? "a" : "b"}${i}`;
    const handle = jobs.submit(i % 2 === 0 ? "a" : "b", {
      name,
      retry: { attempts: 3, baseMs: 10 },
      *run(sys: Sys) {
        const [byte] = sys.random(1);
        yield* sys.sleep(byte! % 20);
        if (byte! % 3 === 0) throw Object.assign(new RangeError("busy"), { retryable: true });
        return byte;
      },
    });
    world.spawn(function* (sys) {
      const exit = yield* handle.wait(sys);
      ended.push(`${name} ${exit.kind}`);
    });
  }
  return { ended };
};

test("a service made on the world's kernel runs in a simulation, is deterministic, and its tasks can be crashed", () => {
  const run = simulate(1, desk);
  expect(run.outcome).toBe("ended");
  expect(run.state.ended).toHaveLength(12);
  const seeds = Array.from({ length: 10 }, (_, seed) => seed);
  const menu = { killRate: 0.05, killsMax: 3 };
  expect(checkDeterministic(seeds, desk, { order: "seeded", menu }).deterministic).toBe(true);
  // The first attempts are the tasks that draw and sleep: two calls each.
  const job = [...run.calls.keys()].find((path) => run.calls.get(path) === 2)!;
  const crashed = simulate(1, desk, { faults: [{ kind: "kill", task: job, call: 1, when: "inside" }] });
  expect(crashed.faults).toHaveLength(1);
});

test("whatever order the jobs run in and whichever tasks crash, every job ends once and none is left", () => {
  const seeds = Array.from({ length: 150 }, (_, seed) => seed);
  const { failure } = explore(
    seeds,
    desk,
    ({ outcome, state, faults }) => {
      if (outcome !== "ended") return `the run is ${outcome}`;
      if (new Set(state.ended).size !== state.ended.length) return "a job ended twice";
      // A waiter may be what was killed; its job is not seen to end.
      return state.ended.length < 12 - faults.length ? `only ${state.ended.length} jobs ended` : undefined;
    },
    { menu: { killRate: 0.03, killsMax: 4 } },
  );
  expect(failure?.replay).toBe(undefined);
});

test("a new consumer of randomness under a name of its own disturbs no other", () => {
  const plain = simulate(5, desk, { order: "seeded" });
  const more = simulate(
    5,
    (world: World) => {
      const extra = world.random.fork("new");
      for (let i = 0; i < 100; i++) extra.uint32();
      return desk(world);
    },
    { order: "seeded" },
  );
  expect(more.traceHash).toBe(plain.traceHash);
});
