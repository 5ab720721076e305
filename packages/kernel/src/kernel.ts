/**
 * A kernel as its shell sees it. The kernel is sans-IO: it never sleeps, reads no clock but the port, and does nothing between slices.
 *
 * E1. The shell calls `runSlice` until it answers `idle`, then waits until `nextDeadlineMs` or until `onWork` tells it to go on.
 * E2. Events from outside enter by `trySend`, `signal`, `wake` and the settling of external effects, at any time, inside a slice or not.
 * E3. The shell holds capabilities like a task does; it alone may make `system` tasks and end tasks it did not spawn.
 */
import type { Clock, Logger, Meter, Random, SpanContext, Tracer } from "@glia-os/abi/ports";
import type { Rights } from "@glia-os/abi/syscalls";
import type { AccountDump, AccountOptions } from "./budget/account.ts";
import type { Cost } from "./budget/amounts.ts";
import type { Choose } from "./chosen-order.ts";
import type { KernelDump, QueueDump } from "./dump.ts";
import type { Handle } from "./handle.ts";
import type { MailboxOptions } from "./mailbox.ts";
import type { CurrentTask } from "./observe/current-task.ts";
import type { TaskObserver } from "./observe/task-observer.ts";
import type { MeasureOptions } from "./observe/task-times.ts";
import type { SyscallRecord } from "./observe/trace-image.ts";
import type { OutcomeJournal } from "./outcome-journal.ts";
import type { Device, Resource } from "./resources/resource.ts";
import type { UnobservedFailure } from "./scheduler-setup.ts";
import type { KernelCounters } from "./seam.ts";
import type { Service } from "./services/service.ts";
import type { Program, SpawnOptions } from "./sys.ts";
import type { Exit, TaskId } from "./task.ts";
import type { SyscallTracer } from "./traced-syscalls.ts";

/** What a kernel is made with. */
export interface KernelOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Gets counts once per slice. */
  readonly meter?: Meter;
  /**
   * Hand histograms and gauges to the meter too: how long tasks live and wait, how long messages wait, tasks by state. Costs time on every
   * switch and every message that waits. Needs `meter`. Default false.
   */
  readonly measure?: boolean | MeasureOptions;
  /** Makes a span for every task. Costs time per task. */
  readonly spans?: Tracer;
  /** Make a span for every syscall too. Needs `spans`. Costs time on every syscall. Default false. */
  readonly syscallSpans?: boolean;
  /** Where outcomes of syscalls go; default a {@link MemoryJournal} of 64 records. */
  readonly journal?: OutcomeJournal;
  /**
   * `heap` (default): timers fire exactly, in order of deadline, which simulated time needs. `wheel`: setting and cancelling take the
   * same time however many there are, and a timer may fire up to 1 ms late; for real time.
   */
  readonly timers?: "heap" | "wheel";
  /** Refuse messages that hold a `Ref` or an `Iso` that was not moved. Costs time per part of each message; default false. */
  readonly checkReferences?: boolean;
  /** Hears of tasks from the first on (see `Kernel.observe`). */
  readonly observer?: Partial<TaskObserver>;
  /** Hears of every traced syscall. Costs time on every syscall. */
  readonly tracer?: SyscallTracer;
  /** Picks the task that runs next among the ready ones of one priority; default: the one that has waited longest. */
  readonly choose?: Choose;
  /** Tasks that may live at once: 1 to 2,097,152; default 1,048,576. */
  readonly taskLimit?: number;
  /** Ended tasks whose exit is kept for late waiters: 0 to 2,097,152; default 131,072. The oldest is forgotten first. */
  readonly endedLimit?: number;
  /** Handles per task: 1 to 4,194,304; default 65,536. */
  readonly handleLimit?: number;
  /** Syscalls per turn: 1 to 1,000,000; default 256. */
  readonly turnSyscalls?: number;
  /** Switches between promotions of waiting tasks: 1 to 1,000,000; default 64. */
  readonly agingSwitches?: number;
  /**
   * Limits of the account of the kernel, from which calls of services are paid. Default: 100,000,000 calls and 1,000,000,000 tokens; money,
   * milliseconds and fuel are counted without a limit.
   */
  readonly account?: AccountOptions;
  /** Hears of every syscall that authorization refused a task, at once. Must be quick and must not throw. `op` is the number of the syscall. */
  readonly onRefused?: (task: TaskId, op: number) => void;
  /** Records of the trace ring: a power of two from 1 to 1,048,576; default 4096. */
  readonly traceRecords?: number;
}

/** What became of a message from outside: `pressured` was taken too, and says that senders should hold back. */
export type Delivery = "taken" | "pressured" | "full";

/** How far the ending of a kernel got: `clean` when every task ended by itself, `forced` when some had to be killed. */
export type ShutdownState = "running" | "ending" | "clean" | "forced";

/**
 * How a slice ended. `more`: some tasks are ready still. `idle`: nothing runs before `nextDeadlineMs` or an event from outside.
 * `microtasks`: an async function has control; no task runs until the shell has let all microtasks run and calls `runSlice` or
 * `regain`. On Node that is in a `process.nextTick` that a microtask asked for; a turn of the event loop lets them run too, but then
 * what a function awaits besides syscalls may settle meanwhile and go unnoticed. Without async programs (`@glia-os/kernel/face`) it
 * never happens.
 */
export type SliceEnd = "idle" | "more" | "microtasks";

/** A kernel. */
export interface Kernel {
  /** The shell's own random source: a fork of the one the kernel was made with. */
  readonly random: Random;

  // Running

  /**
   * Run tasks for up to `switches` switches (1 to 1,000,000) and say how the slice ended. @throws {ReentrantSliceError}
   */
  runSlice(switches?: number): SliceEnd;

  /**
   * Take control back from an async function, as `runSlice` does first, and run nothing: for a shell that knows that all microtasks have
   * run and wants to do something else first. Returns false when no microtask has run since the slice ended.
   */
  regain(): boolean;

  /**
   * The monotonic time at which a timer fires, or undefined when only an event from outside can make work. A wheel may name an earlier
   * one, at which a slice finds nothing to do.
   */
  nextDeadlineMs(): number | undefined;

  /** Milliseconds until `nextDeadlineMs`, 0 when it has passed; undefined without a deadline. */
  msUntilDeadline(): number | undefined;

  /** Be told, once per idle time, that there is work again. Called from inside whatever made the work: only schedule a slice there. */
  onWork(wake: () => void): void;

  /** Tasks that live. */
  readonly liveTasks: number;

  /** Whether the kernel runs, is ending, or has ended. */
  readonly shutdownState: ShutdownState;

  /**
   * Begin to end. For `drainMs` (default 0) tasks go on and may spawn, while the shell may not; then every task is cancelled and none is
   * made any more, and what still lives `timeoutMs` later is killed. While it drains, another call sets both times anew; afterwards
   * none changes anything. @throws {BadDurationError}
   */
  shutdown(timeoutMs: number, drainMs?: number): void;

  // Tasks

  /** Make a task. @throws {TooManyTasksError} {NotAProgramError} {ShuttingDownError} {BadOptionError} */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId;

  /** End a task (see `Sys.kill`). @throws {UnknownTaskError} */
  kill(task: TaskId, reason?: unknown): void;

  /** Ask a task to end (see `Sys.cancel`). @throws {UnknownTaskError} */
  cancel(task: TaskId, reason?: unknown): void;

  /** The path of a task that lives, the same in every run of the same program. @throws {UnknownTaskError} also when it ended. */
  pathOf(task: TaskId): string;

  /** How a task ended; undefined while it lives. @throws {UnknownTaskError} when it never was or its end was forgotten. */
  exitOf(task: TaskId): Exit | undefined;

  /** Hear of a task's end, at once when it ended before. The listener must not throw. @throws {UnknownTaskError} */
  onExit(task: TaskId, listener: (exit: Exit) => void): void;

  /** Hear of tasks that fail while nobody waits for their end. One listener, which must not throw; a later one replaces it. */
  onFailure(listener: (failure: UnobservedFailure) => void): void;

  // Events from outside

  /** Make a mailbox whose handle the shell holds. */
  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message>;

  /** Make a channel whose handle the shell holds (see `Sys.channel`). @throws {BadOptionError} */
  channel<Message = unknown>(capacity: number): Handle<Message>;

  /** Make an endpoint whose handle the shell holds (see `Sys.endpoint`). */
  endpoint(): Handle;

  /** Make a notification whose handle the shell holds. */
  notification(): Handle;

  /** Make a resource over a device. It has no capability yet: `open` it, or let another device's `read` give it to a task. */
  resource(device: Device): Resource;

  /** A capability of the shell to a resource, to hand on by `spawn` or `grant`. @throws what the resource was closed with. */
  open(resource: Resource): Handle;

  /**
   * Offer a service of the world outside: tasks that get the handle call it by `exec`, `fetch`, `file`, `model` or `approve`.
   * `@glia-os/kernel/services` makes services over ports. @throws {BadOptionError}
   */
  service<Request>(service: Service<Request>): Handle;

  /** Put a message into a mailbox, channel or endpoint of the shell; never waits. @throws {DeadHandleError} {MissingRightError} {MailboxClosedError} */
  trySend<Message>(target: Handle<Message>, message: Message): Delivery;

  /** Call `listener` once when a mailbox is not under pressure: at once, or when its receivers have caught up. */
  onRelief(target: Handle, listener: () => void): void;

  /** The next message of a mailbox, channel or endpoint of the shell, or undefined. */
  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined;

  /** Set bits of a notification of the shell: a whole number from 1 to 2^31 - 1. */
  signal(target: Handle, bits?: number): void;

  /** Wake up to `count` tasks that wait for a key. Returns how many. */
  wake(key: unknown, value?: unknown, count?: number): number;

  // Capabilities of the shell

  /** Give a task a capability of the shell; returns the handle that is valid there. @throws {UnknownTaskError} */
  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message>;

  /** End everything derived from a capability of the shell. Returns how many ended. */
  revoke(source: Handle): number;

  /** Give up a handle of the shell. */
  drop(handle: Handle): void;

  // Looking inside

  /** The account a task pays its calls of services from; of the kernel when none is named. @throws {UnknownTaskError} */
  accountOf(task?: TaskId): AccountDump;

  /** Book a cost in the account of the kernel that no call has: of what was done before it was made. @throws {BadOptionError} */
  charge(cost: Cost): void;

  /** The path and name of a task that lives or whose end is remembered; undefined for others. */
  nameOf(task: TaskId): { readonly path: string; readonly name: string } | undefined;

  /** Everything as plain data. O(tasks). */
  dumpState(): KernelDump;

  /** Let `dumpState` describe the job queues of a service. Returns a function that ends that. */
  describeQueues(describe: () => readonly QueueDump[]): () => void;

  /** Counts since the kernel was made. */
  counters(): Readonly<KernelCounters>;

  /** Calls of one syscall since the kernel was made, by name. */
  syscallCounts(): Readonly<Record<string, number>>;

  /** The newest syscalls, oldest first. */
  trace(): readonly SyscallRecord[];

  /** The trace ring as bytes, for `decodeTrace` of `@glia-os/kernel/observe` and other readers of the format in docs/observability.md. */
  traceImage(): Uint8Array;

  /** Hear of tasks from now on. Returns the function that ends it. @throws {BadOptionError} for one more than 64 */
  observe(observer: Partial<TaskObserver>): () => void;

  /** The task whose code runs now; undefined when none does. For log lines. */
  current(): CurrentTask | undefined;

  /** The span of a task that lives or ended lately; undefined for others, and without a tracer. */
  spanOf(task: TaskId): SpanContext | undefined;
}
