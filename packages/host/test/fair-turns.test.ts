/** A turn of the pump ends after some milliseconds, whatever its tasks do. */
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createKernel } from "@glia-os/kernel";
import { afterEach, expect, test, vi } from "vitest";
import { runKernel } from "../src/index.ts";

const STEP_MS = 2;

afterEach(() => {
  vi.restoreAllMocks();
});

/** How many switches each of some turns has, of tasks of which the one of a number takes so many milliseconds of a clock of their own. */
async function switchesOfTurns(turns: number, costMs: (step: number) => number): Promise<readonly number[]> {
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => nowMs);
  const kernel = createKernel({ clock: createSystemClock(), random: createSystemRandom() });
  const running = runKernel(kernel, { timers: createSystemTimers() });
  let steps = 0;
  let over = false;
  for (const name of ["one", "two"])
    kernel.spawn(
      function* (sys) {
        while (!over) {
          nowMs += costMs(++steps);
          yield* sys.yield();
        }
      },
      { name },
    );
  const seen = [0];
  while (seen.length <= turns) {
    await new Promise((resolve) => setImmediate(resolve));
    if (steps > (seen.at(-1) ?? 0)) seen.push(steps);
  }
  over = true;
  await running.ended();
  await running.stop(1000);
  return seen.slice(1).map((many, at) => many - (seen[at] ?? 0));
}

test("R1: tasks that keep their pace end a turn in time, whatever the pace", async () => {
  expect(await switchesOfTurns(3, () => 1)).toEqual([4, 4, 4]);
  expect(await switchesOfTurns(3, () => 5)).toEqual([1, 1, 1]);
  expect(await switchesOfTurns(2, () => 1 / 32)).toEqual([128, 128]);
});

test("R1: tiny tasks that become heavy between two looks at the clock hold the loop for at most 64 of them", async () => {
  const TINY = 511;
  expect(await switchesOfTurns(2, (step) => (step <= TINY ? 0 : 3))).toEqual([TINY + 64, 2]);
});

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
