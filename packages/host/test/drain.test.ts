import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createKernel } from "@glia-os/kernel";
import { expect, test } from "vitest";
import { runKernel } from "../src/run-kernel.ts";

test("stop with a time to drain lets tasks end by themselves and is clean", async () => {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const running = runKernel(kernel, { timers: createSystemTimers() });
  const task = kernel.spawn(function* (sys) {
    yield* sys.sleep(5);
    return "finished";
  });
  expect(await running.stop(0, 60_000)).toBe("clean");
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value: "finished" });
});
