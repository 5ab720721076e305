/**
 * The pump: runs a kernel's slices on Node's event loop.
 *
 * R1. In one turn of the loop (`setImmediate`) tasks run for so many switches, and no longer than some milliseconds: sockets, timers and messages of other
 *     threads are served between turns. The time is looked at after one switch, then after at most twice as many as before, as many as fit the
 *     time that is left at the pace of the last ones, and never more than {@link LOOK_MOST}. So tasks that keep their pace end a turn in time or
 *     with one switch; when tiny ones turn into heavy ones between two looks, at most so many heavy ones run before the next.
 * R2. An idle kernel holds nothing of the process but the one timer of its next deadline; without a deadline it holds nothing, and
 *     the process may end.
 * R3. A slice never runs inside the code that made the work: work from outside only schedules one.
 * R4. A function that has control between slices (`@glia-os/kernel/face`) has it until all microtasks have run, and not until some
 *     event of the loop came, so that a foreign await is found whatever the time it takes.
 * R5. A service does not count as work: the kernel has ended when no other task lives. Stopping the kernel ends services too.
 */
import type { Logger, TimerHandle, Timers } from "@glia-os/abi/ports";
import type {
  Exit,
  Kernel,
  Program,
  ShutdownState,
  SliceEnd,
  SpawnOptions,
  TaskId,
  UnobservedFailure,
} from "@glia-os/kernel";
import { AlreadyRunningError, BadOptionError, UnhandledFailureError } from "./errors.ts";
import type { HostLogger } from "./logger.ts";
import { KernelChannels } from "./observability/kernel-channels.ts";

/** Switches per slice: enough that the turn of the loop is noise, few enough that I/O waits well under a millisecond of tiny tasks. */
const SLICE_SWITCHES = 2048;
/** How long a turn lasts (R1), and after how many switches the time is looked at, first and later. */
const TURN_MS = 4;
const LOOK_FIRST = 1;
const LOOK_MOST = 64;
const SLICE_SWITCHES_LEAST = 1024;
const SLICE_SWITCHES_MOST = 4096;
/** How long tasks may take to clean up when the policy `stop` ends the kernel. */
const STOP_TIMEOUT_MS = 5000;

/** How a kernel is run. */
export interface RunOptions {
  /** The real timers; `createSystemTimers` of `@glia-os/hal` makes them. */
  readonly timers: Timers;
  readonly logger?: Logger;
  /** Switches per slice: 1024 to 4096, default 2048. */
  readonly sliceSwitches?: number;
  /**
   * What happens when a task fails and nobody waits for it. `log` (default): an error line. `stop`: an error line, and the kernel is
   * shut down; `ended` then rejects.
   */
  readonly failures?: "log" | "stop";
}

/** A kernel that runs. */
export interface RunningKernel {
  readonly kernel: Kernel;
  /** How a task ends. @throws `kernel.unknown-task` at once for a task that never was or was forgotten. */
  exitOf<Value = unknown>(task: TaskId): Promise<Exit<Value>>;
  /** Resolves the next time no task lives but services. @throws {UnhandledFailureError} under the policy `stop`. */
  ended(): Promise<void>;
  /** Make a task that serves others and whose life does not matter to `ended` (R5). A failure of it is reported. @throws as `spawn` */
  serve(program: Program, options?: SpawnOptions): TaskId;
  /**
   * Let tasks end by themselves for `drainMs` (default 0), then cancel every task, kill what lives `timeoutMs` later, and stop running.
   * Idempotent; while it drains, another call sets both times anew.
   */
  stop(timeoutMs: number, drainMs?: number): Promise<Extract<ShutdownState, "clean" | "forced">>;
}

const running = new WeakSet<Kernel>();

class Pump implements RunningKernel {
  readonly kernel: Kernel;
  readonly #options: RunOptions;
  readonly #switches: number;
  readonly #channels: KernelChannels;
  readonly #unfollow: () => void;
  #immediate: NodeJS.Immediate | undefined;
  #timer: TimerHandle | undefined;
  #failure: UnhandledFailureError | undefined;
  #waiting: PromiseWithResolvers<void>[] = [];
  #services = 0;

  constructor(kernel: Kernel, options: RunOptions) {
    const switches = options.sliceSwitches ?? SLICE_SWITCHES;
    if (!Number.isInteger(switches) || switches < SLICE_SWITCHES_LEAST || switches > SLICE_SWITCHES_MOST) {
      const range = `a whole number from ${SLICE_SWITCHES_LEAST} to ${SLICE_SWITCHES_MOST}`;
      throw new BadOptionError("sliceSwitches", switches, range);
    }
    this.kernel = kernel;
    this.#options = options;
    this.#switches = switches;
    this.#channels = new KernelChannels(kernel);
    this.#unfollow = follow(options.logger, kernel);
    kernel.onFailure((failure) => this.#failed(failure));
    kernel.onWork(() => this.#schedule());
    if (kernel.nextDeadlineMs() !== undefined) this.#schedule();
  }

  exitOf<Value = unknown>(task: TaskId): Promise<Exit<Value>> {
    return new Promise((resolve) => this.kernel.onExit(task, (exit) => resolve(exit as Exit<Value>)));
  }

  ended(): Promise<void> {
    if (this.#failure !== undefined && this.#idle) return Promise.reject(this.#failure);
    if (this.#idle) return Promise.resolve();
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  serve(program: Program, options: SpawnOptions = {}): TaskId {
    const task = this.kernel.spawn(program, options);
    this.#services++;
    const { path, name } = this.kernel.nameOf(task) ?? { path: "", name: "" };
    this.kernel.onExit(task, (exit) => {
      this.#services--;
      if (exit.kind === "failed") this.#failed({ task, path, name, error: exit.error });
    });
    return task;
  }

  /** Whether no task lives that matters. While the kernel is being stopped every task does, so that it ends whole. */
  get #idle(): boolean {
    return this.kernel.liveTasks === (this.kernel.shutdownState === "running" ? this.#services : 0);
  }

  async stop(timeoutMs: number, drainMs?: number): Promise<"clean" | "forced"> {
    this.kernel.shutdown(timeoutMs, drainMs);
    this.#schedule();
    while (this.kernel.shutdownState === "ending") await this.ended().catch(() => undefined);
    this.#channels.close();
    this.#unfollow();
    return this.kernel.shutdownState === "forced" ? "forced" : "clean";
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#turn();
    });
  }

  #turn(): void {
    this.#channels.beforeSlice();
    const end = this.#slices();
    this.#channels.afterSlice();
    if (end === "microtasks") afterMicrotasks(() => this.kernel.regain());
    if (end !== "idle") {
      this.#schedule();
      return;
    }
    if (this.#idle) this.#settle();
    const delayMs = this.kernel.msUntilDeadline();
    if (delayMs !== undefined && this.#immediate === undefined)
      this.#timer = this.#options.timers.schedule(delayMs, () => {
        this.#timer = undefined;
        this.#schedule();
      });
  }

  /** The slices of one turn (R1). */
  #slices(): SliceEnd {
    let fromMs = performance.now();
    const endMs = fromMs + TURN_MS;
    let left = this.#switches;
    for (let many = LOOK_FIRST; ; ) {
      const end = this.kernel.runSlice(Math.min(many, left));
      left -= many;
      if (end !== "more" || left <= 0) return end;
      const nowMs = performance.now();
      if (nowMs >= endMs) return end;
      const fitting = Math.floor((many * (endMs - nowMs)) / (nowMs - fromMs));
      many = Math.max(1, Math.min(2 * many, fitting, LOOK_MOST));
      fromMs = nowMs;
    }
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve, reject } of waiting) {
      if (this.#failure === undefined) resolve();
      else reject(this.#failure);
    }
  }

  #failed(failure: UnobservedFailure): void {
    const { task, path, name, error } = failure;
    const text = error instanceof Error ? error.message : String(error);
    const span = this.kernel.spanOf(task);
    this.#channels.failed(failure);
    this.#options.logger?.log("error", "a task failed and nobody waited for it", {
      task,
      path,
      name,
      error: text,
      traceId: span?.traceId,
      spanId: span?.spanId,
    });
    if (this.#options.failures !== "stop" || this.#failure !== undefined) return;
    this.#failure = new UnhandledFailureError(failure);
    this.kernel.shutdown(STOP_TIMEOUT_MS);
  }
}

/** Let a logger of ours know whose code runs. */
function follow(logger: Logger | undefined, kernel: Kernel): () => void {
  return logger !== undefined && "follow" in logger ? (logger as HostLogger).follow(kernel) : () => undefined;
}

/**
 * Call `action` when every microtask has run and before any event of the loop: Node runs the ticks that microtasks ask for when the queue of
 * microtasks is empty.
 */
function afterMicrotasks(action: () => void): void {
  queueMicrotask(() => process.nextTick(action));
}

/** Run a kernel until it is stopped. Tasks may be spawned before and after. @throws {AlreadyRunningError} {BadOptionError} */
export function runKernel(kernel: Kernel, options: RunOptions): RunningKernel {
  if (running.has(kernel)) throw new AlreadyRunningError();
  const pump = new Pump(kernel, options);
  running.add(kernel);
  return pump;
}
