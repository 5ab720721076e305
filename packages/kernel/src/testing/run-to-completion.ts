/** Running a kernel on virtual time until nothing can happen any more. */

import { SeededRandom } from "@glia-os/abi/testing";
import { createKernel } from "../create-kernel.ts";
import { BadOptionError } from "../errors.ts";
import { NeedsMicrotasksError } from "../face/errors.ts";
import type { Kernel, KernelOptions } from "../kernel.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** How a run ended: `ended` when no task lives, `stuck` when tasks live that no timer will wake. */
export type RunOutcome = "ended" | "stuck";

/** Slices a run may take unless told otherwise. */
const SLICES = 1_000_000;

/** A kernel on virtual time and seeded randomness. */
export function createTestKernel(
  seed: number | string = 1,
  options: Partial<KernelOptions> = {},
): { readonly kernel: Kernel; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { kernel: createKernel({ clock, random: new SeededRandom(seed), ...options }), clock };
}

/**
 * Run until every task ended or waits for something that no timer brings. Time jumps from deadline to deadline.
 * @throws {BadOptionError} after `slices` slices: the program does not come to rest. {NeedsMicrotasksError} for an async program.
 */
export function runToCompletion(kernel: Kernel, clock: VirtualClock, slices: number = SLICES): RunOutcome {
  for (let i = 0; i < slices; i++) {
    const end = kernel.runSlice();
    if (end === "microtasks") throw new NeedsMicrotasksError();
    if (end === "more") continue;
    const next = kernel.nextDeadlineMs();
    if (next === undefined) return kernel.liveTasks === 0 ? "ended" : "stuck";
    if (next > clock.monotonicMs()) clock.advanceTo(next);
  }
  throw new BadOptionError("slices", slices, "enough for the program to come to rest");
}

/**
 * The same for kernels with async programs. `turn` lets every microtask run and nothing else: on Node
 * `() => new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)))`.
 * @throws {BadOptionError} as `runToCompletion`.
 */
export async function runWithMicrotasks(
  kernel: Kernel,
  clock: VirtualClock,
  turn: () => Promise<unknown>,
  slices: number = SLICES,
): Promise<RunOutcome> {
  for (let i = 0; i < slices; i++) {
    const end = kernel.runSlice();
    if (end === "microtasks") await turn();
    if (end !== "idle") continue;
    const next = kernel.nextDeadlineMs();
    if (next === undefined) return kernel.liveTasks === 0 ? "ended" : "stuck";
    if (next > clock.monotonicMs()) clock.advanceTo(next);
  }
  throw new BadOptionError("slices", slices, "enough for the program to come to rest");
}
