/** Shared by the tests of supervision: children that write down what happens to them. */
import { type Handle, type Kernel, type Routine, type Sys, TaskCancelledError } from "@glia-os/kernel";
import {
  type ChildOptions,
  type ChildSpec,
  exitReason,
  type SupervisorOptions,
  type SupervisorRef,
  startSupervisor,
  taskChild,
} from "@glia-os/kernel/supervision";
import { createTestKernel, runToCompletion, type VirtualClock } from "@glia-os/kernel/testing";

/** What a child does with its life; returns or throws to end it. */
export type Life = (sys: Sys) => Routine<unknown>;

/** Lives until it is told to end. */
export function* idle(sys: Sys): Routine<void> {
  yield* sys.sleep(1_000_000_000);
}

/** Lives for a time, then fails. */
export function crashAfter(ms: number, message = "boom"): Life {
  return function* (sys) {
    yield* sys.sleep(ms);
    throw new RangeError(message);
  };
}

/** Lives for a time, then returns. */
export function endAfter(ms: number): Life {
  return function* (sys) {
    yield* sys.sleep(ms);
  };
}

/** The first life, then the second, ...; the last one for ever after. */
export function lives(...all: readonly Life[]): Life {
  let turn = 0;
  return (sys) => all[Math.min(turn++, all.length - 1)]!(sys);
}

/** A child that writes `+id` when it starts and `-id` when it ends. */
export function child(id: string, log: string[], life: Life = idle, options: ChildOptions = {}): ChildSpec {
  return taskChild(
    id,
    function* (sys) {
      log.push(`+${id}`);
      try {
        yield* life(sys);
      } finally {
        log.push(`-${id}`);
      }
    },
    options,
  );
}

/** A child that needs some time to end when it is asked to. */
export function slowToEnd(ms: number): Life {
  return function* (sys) {
    try {
      yield* idle(sys);
    } catch (error) {
      if (error instanceof TaskCancelledError) yield* sys.sleep(ms);
      throw error;
    }
  };
}

/** How a supervisor under test fared. */
export interface Observed<Result> {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  /** What the client's program returned. */
  readonly result: Result | undefined;
  /** Why the supervisor ended; undefined while it lives. */
  readonly reason: unknown;
  /** Virtual time of that. */
  readonly endedMs: number | undefined;
}

/** Run a supervisor with a client beside it, up to a virtual time or to rest. The client ends it when it returns. */
export function observe<Result>(
  options: SupervisorOptions,
  client: (sys: Sys, target: Handle, ref: SupervisorRef) => Routine<Result>,
): Observed<Result> {
  const { kernel, clock } = createTestKernel();
  let result: Result | undefined;
  let reason: unknown;
  let endedMs: number | undefined;
  const root = kernel.spawn(function* (sys) {
    sys.trapExits(sys.mailbox());
    const ref = yield* startSupervisor(sys, options);
    kernel.onExit(ref.task, (exit) => {
      reason = exitReason(exit);
      endedMs = clock.monotonicMs();
    });
    result = yield* client(sys, ref.handle, ref);
    sys.cancel(ref.task, "shutdown");
    yield* sys.wait(ref.task);
  });
  runToCompletion(kernel, clock, 100_000);
  const exit = kernel.exitOf(root);
  if (exit?.kind === "failed") throw exit.error;
  return { kernel, clock, result, reason, endedMs };
}

/** A client that only lets time pass. */
export function wait(ms: number): (sys: Sys) => Routine<void> {
  return function* (sys) {
    yield* sys.sleep(ms);
  };
}
