/** How a threaded engine is made. */
import { BadOptionError } from "../errors.ts";
import { type CpuBudget, MEMBERS } from "./cpu-budget.ts";
import type { HandedOn } from "./envelope.ts";

/** How a threaded engine is made. */
export interface ThreadedEngineOptions {
  /** The module whose exported functions run jobs. It is trusted: threads share this process. */
  readonly module: URL;
  /** 1 to 32; default: the budget's processors, at most 32. */
  readonly workers?: number;
  /** Default: one of its own over `availableParallelism`. */
  readonly budget?: CpuBudget;
  /** Jobs in flight: 1 to 65,536; default 4096. */
  readonly inFlight?: number;
  /** Bytes of a job or result that fit shared memory directly: 64 to 65,536; default 512. Longer ones: see docs/engines.md. */
  readonly slotBytes?: number;
  /** Longest payload or result in bytes: up to 1 GiB; default 64 MiB. */
  readonly payloadBytes?: number;
  /** Times a job is started before it counts as lost: 1 to 1,000,000; default 3. */
  readonly attempts?: number;
  /** Longest time from `run` to the result in milliseconds; default none. */
  readonly timeoutMs?: number;
  /** Memory of one worker, buffers included, in bytes: at least 16 MiB; default none. See docs/engines.md for how far it holds. */
  readonly memoryBytes?: number;
  /**
   * Longest time in microseconds that a thread looks for more to do, or for results, before it sleeps: 0 to 1000; default 20, and 0 where
   * there is one processor. A shorter round trip for processor time: see docs/engines.md.
   */
  readonly spinUs?: number;
  /** Hears how jobs ended that other jobs handed on. Must not throw. */
  readonly handedOn?: (outcome: HandedOn) => void;
}

/** The options with their defaults. */
export interface ThreadedSettings {
  readonly workers: number;
  readonly inFlight: number;
  readonly slotBytes: number;
  readonly payloadBytes: number;
  readonly attempts: number;
  readonly spinMs: number;
}

const IN_FLIGHT = 4096;
const SLOT_BYTES = 512;
const PAYLOAD_BYTES = 64 * 1024 * 1024;
const PAYLOAD_MOST = 1024 ** 3;
const ATTEMPTS = 3;
const MEMORY_LEAST = 16 * 1024 * 1024;
/** About what waking a thread costs. */
const SPIN_US = 20;
const SPIN_MOST_US = 1000;
/** Longest delay of a timer. */
export const FOREVER_MS: number = 2 ** 31 - 1;

function within(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}

/** Check options and fill in defaults. @throws {BadOptionError} */
export function threadedSettings(
  options: ThreadedEngineOptions,
  budget: CpuBudget,
  processors: number,
): ThreadedSettings {
  const { timeoutMs, memoryBytes } = options;
  if (timeoutMs !== undefined) within("timeoutMs", timeoutMs, 1, FOREVER_MS);
  if (memoryBytes !== undefined) within("memoryBytes", memoryBytes, MEMORY_LEAST, Number.MAX_SAFE_INTEGER);
  const spinUs = within("spinUs", options.spinUs ?? SPIN_US, 0, SPIN_MOST_US);
  return {
    workers: within("workers", options.workers ?? Math.min(MEMBERS, budget.processors), 1, MEMBERS),
    inFlight: within("inFlight", options.inFlight ?? IN_FLIGHT, 1, 65_536),
    slotBytes: within("slotBytes", options.slotBytes ?? SLOT_BYTES, 64, 65_536),
    payloadBytes: within("payloadBytes", options.payloadBytes ?? PAYLOAD_BYTES, 1, PAYLOAD_MOST),
    attempts: within("attempts", options.attempts ?? ATTEMPTS, 1, 1_000_000),
    // Who looks on the only processor keeps the others from doing what is looked for.
    spinMs: processors === 1 ? 0 : spinUs / 1000,
  };
}
