/** Shared by the kernel's tests: run one program to rest on virtual time. */
import type { Exit, Kernel, KernelOptions, Program } from "@glia-os/kernel";
import {
  createTestKernel,
  type RunOutcome,
  runToCompletion,
  type VirtualClock,
} from "@glia-os/kernel/testing";

/** What a run left behind. */
export interface Run<Result> {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly outcome: RunOutcome;
  /** How the root ended; undefined when it still lives. */
  readonly exit: Exit<Result> | undefined;
}

/** Run a root program to rest. */
export function run<Result>(program: Program<Result>, options: Partial<KernelOptions> = {}): Run<Result> {
  const { kernel, clock } = createTestKernel(1, options);
  const root = kernel.spawn(program);
  const outcome = runToCompletion(kernel, clock, 10_000);
  return { kernel, clock, outcome, exit: kernel.exitOf(root) as Exit<Result> | undefined };
}

/** The value of a root program that must end well. */
export function resultOf<Result>(program: Program<Result>, options: Partial<KernelOptions> = {}): Result {
  const { exit } = run(program, options);
  if (exit?.kind === "ok") return exit.value;
  throw exit?.kind === "failed"
    ? exit.error
    : new RangeError(`the program ended as ${exit?.kind ?? "never"}`);
}

/** The code of the error a function throws. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "nothing was thrown";
}
