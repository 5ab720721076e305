/** Shared by the tests of the faces: run async programs to rest on virtual time. */
import type { Exit, Kernel, KernelOptions, Program } from "@glia-os/kernel";
import {
  createTestKernel,
  type RunOutcome,
  runWithMicrotasks,
  type VirtualClock,
} from "@glia-os/kernel/testing";

/** Let every microtask run, and no event of Node's loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}

/** What a run left behind. */
export interface AsyncRun<Result> {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly outcome: RunOutcome;
  readonly exit: Exit<Result> | undefined;
}

/** Run a root program, async or not, to rest. */
export async function runAsync<Result>(
  program: Program<Result>,
  options: Partial<KernelOptions> = {},
): Promise<AsyncRun<Result>> {
  const { kernel, clock } = createTestKernel(1, options);
  const root = kernel.spawn(program);
  const outcome = await runWithMicrotasks(kernel, clock, turn, 10_000);
  return { kernel, clock, outcome, exit: kernel.exitOf(root) as Exit<Result> | undefined };
}

/** The value of a root program that must end well. */
export async function asyncResultOf<Result>(
  program: Program<Result>,
  options: Partial<KernelOptions> = {},
): Promise<Result> {
  const { exit } = await runAsync(program, options);
  if (exit?.kind === "ok") return exit.value;
  throw exit?.kind === "failed"
    ? exit.error
    : new RangeError(`the program ended as ${exit?.kind ?? "never"}`);
}
