/** Agents on virtual time, for tests. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Clock, LogFields, LogLevel, Tracer } from "@glia-os/abi/ports";
import { createLocalSystem, type LocalAgentSystem } from "@glia-os/cells/agent";
import type { Kernel } from "@glia-os/kernel";
import { createTestKernel, runToCompletion, type VirtualClock } from "@glia-os/kernel/testing";

/** A line an agent logged. */
export interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A system on a kernel whose time jumps. */
export interface World {
  readonly system: LocalAgentSystem;
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly lines: readonly Line[];
  /** Let everything happen until a promise is settled. */
  through<Value>(promise: Promise<Value>): Promise<Value>;
  /** The code a promise fails with. */
  codeOf(promise: Promise<unknown>): Promise<string | undefined>;
  /** Let what can happen now happen, and no time pass. */
  turn(): void;
}

/** A new world, with a tracer or without. */
export function world(seed: number | string = 1, tracerOf?: (clock: Clock) => Tracer): World {
  const { kernel, clock } = createTestKernel(seed);
  const lines: Line[] = [];
  const logger = {
    log: (level: LogLevel, message: string, fields?: LogFields) =>
      void lines.push({ level, message, fields }),
    child: () => logger,
  };
  const tracer = tracerOf?.(clock);
  const system = createLocalSystem({ kernel, clock, logger, ...(tracer === undefined ? {} : { tracer }) });
  async function through<Value>(promise: Promise<Value>): Promise<Value> {
    let open = true;
    const settled = promise.finally(() => {
      open = false;
    });
    settled.catch(() => {});
    for (let i = 0; open && i < 10_000; i++) {
      const end = kernel.runSlice();
      for (let turns = 0; turns < 8; turns++) await undefined;
      if (!open || end !== "idle") continue;
      const next = kernel.nextDeadlineMs();
      if (next !== undefined && next > clock.monotonicMs()) clock.advanceTo(next);
    }
    if (open) throw new RangeError("nothing can happen any more, and the promise is open");
    return settled;
  }
  return {
    system,
    kernel,
    clock,
    lines,
    through,
    codeOf: (promise) =>
      through(
        promise.then(
          () => "no error",
          (error: unknown) => errorCodeOf(error) ?? String(error),
        ),
      ),
    turn: () => {
      while (kernel.runSlice() === "more");
    },
  };
}

export { runToCompletion };
