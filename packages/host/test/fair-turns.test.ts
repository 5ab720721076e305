/** A turn of the pump ends after some milliseconds, whatever its tasks do. */
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createKernel } from "@glia-os/kernel";
import { expect, test } from "vitest";
import { runKernel } from "../src/index.ts";

const STEP_MS = 2;

test("R1: tasks that compute for milliseconds between their yields leave the loop its turns", async () => {
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const running = runKernel(kernel, { timers: createSystemTimers() });
  let steps = 0;
  let over = false;
  // Two, so that each yield is a switch.
  for (const name of ["one", "two"])
    kernel.spawn(
      function* busy(sys) {
        while (!over) {
          steps++;
          for (const endMs = performance.now() + STEP_MS; performance.now() < endMs; );
          yield* sys.yield();
        }
      },
      { name },
    );
  const TURNS = 5;
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(steps).toBeGreaterThan(0);
  expect(steps).toBeLessThan(TURNS * 40);
  over = true;
  await running.ended();
  await running.stop(1000);
});
