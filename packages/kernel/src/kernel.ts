/**
 * A kernel as its shell sees it. The kernel is sans-IO: it never sleeps, reads no clock but the port, and does nothing between slices.
 *
 * E1. The shell calls `runSlice` until it answers `idle`, then waits until `nextDeadlineMs` or until `onWork` tells it to go on.
 * E2. Events from outside enter by `trySend`, `signal`, `wake` and the settling of external effects, at any time, inside a slice or not.
 * E3. The shell holds capabilities like a task does; it alone may make `system` tasks and end tasks it did not spawn.
 */
import type { Clock, Logger, Meter, Random } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { Handle } from "./capability-table.ts";
import * as limits from "./constants.ts";
import { dumpState, type KernelDump } from "./dump.ts";
import { checkDuration } from "./duration.ts";
import { ReentrantSliceError, UnknownTaskError } from "./errors.ts";
import { NO_ROOM, offer, raise, take } from "./ipc.ts";
import { Mailbox, type MailboxOptions, whole } from "./mailbox.ts";
import { Notification } from "./notification.ts";
import * as op from "./opcodes.ts";
import type { Program } from "./operation.ts";
import { MemoryJournal, type OutcomeJournal } from "./outcome-journal.ts";
import { Scheduler, type TaskObserver, type UnobservedFailure } from "./scheduler.ts";
import { type KernelCounters, Seam } from "./seam.ts";
import { INDEX_LIMIT } from "./slot-table.ts";
import { type SpawnOptions, spawnTask } from "./spawn.ts";
import { Sys, wakeKey } from "./sys.ts";
import { type Exit, type Task, type TaskId, WAITING } from "./task.ts";
import { type TraceRecord, TraceRing } from "./trace-ring.ts";

/** What a kernel is made with. */
export interface KernelOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
  /** Gets counts once per slice. */
  readonly meter?: Meter;
  /** Where outcomes of syscalls go; default a {@link MemoryJournal} of 64 records. */
  readonly journal?: OutcomeJournal;
  /** Hears of every state change. Costs time on every switch. */
  readonly observer?: TaskObserver;
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
  /** Records of the trace ring: a power of two from 1 to 1,048,576; default 4096. */
  readonly traceRecords?: number;
}

/** What became of a message from outside: `pressured` was taken too, and says that senders should hold back. */
export type Delivery = "taken" | "pressured" | "full";

/** How far the ending of a kernel got: `clean` when every task ended by itself, `forced` when some had to be killed. */
export type ShutdownState = "running" | "ending" | "clean" | "forced";

const DEFAULT_SLICE = 1024;
const HALF_INDEX_LIMIT = INDEX_LIMIT / 2;

/** A kernel. */
export class Kernel {
  /** The shell's own random source: a fork of the one the kernel was made with. */
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #trace: TraceRing;
  readonly #clock: Clock;
  #inSlice = false;
  #wakeShell: (() => void) | null = null;
  #endAtMs = Number.POSITIVE_INFINITY;
  #forced = false;

  /** Use {@link createKernel}. */
  constructor(options: KernelOptions) {
    const taskLimit = options.taskLimit ?? limits.TASK_LIMIT;
    const endedLimit = options.endedLimit ?? limits.ENDED_LIMIT;
    const handleLimit = options.handleLimit ?? limits.HANDLE_LIMIT;
    const turnSyscalls = options.turnSyscalls ?? limits.TURN_SYSCALLS;
    const agingSwitches = options.agingSwitches ?? limits.AGING_SWITCHES;
    whole("taskLimit", taskLimit, 1, HALF_INDEX_LIMIT);
    whole("endedLimit", endedLimit, 0, HALF_INDEX_LIMIT);
    whole("handleLimit", handleLimit, 1, INDEX_LIMIT);
    whole("turnSyscalls", turnSyscalls, 1, 1_000_000);
    whole("agingSwitches", agingSwitches, 1, 1_000_000);
    this.#clock = options.clock;
    this.random = options.random.fork("shell");
    this.#trace = new TraceRing(options.traceRecords ?? limits.TRACE_RECORDS);
    this.#scheduler = new Scheduler({
      clock: options.clock,
      random: options.random,
      logger: options.logger ?? null,
      observer: options.observer ?? null,
      taskLimit,
      endedLimit,
      handleLimit,
      turnSyscalls,
      agingSwitches,
    });
    const journal = options.journal ?? new MemoryJournal(limits.JOURNAL_RECORDS);
    const seam = new Seam(this.#scheduler.capabilities, this.#trace, journal, options.meter ?? null);
    this.#scheduler.attach(seam, new Sys(this.#scheduler));
  }

  // Running

  /**
   * Run tasks for up to `switches` switches (1 to 1,000,000). `more`: some are ready still. `idle`: nothing runs before
   * `nextDeadlineMs` or an event from outside. @throws {ReentrantSliceError}
   */
  runSlice(switches: number = DEFAULT_SLICE): "idle" | "more" {
    whole("switches", switches, 1, 1_000_000);
    if (this.#inSlice) throw new ReentrantSliceError();
    const s = this.#scheduler;
    this.#inSlice = true;
    s.announce = null;
    try {
      this.#trace.slice++;
      const now = this.#clock.monotonicMs();
      s.expire(now);
      if (now >= this.#endAtMs) this.#force();
      s.seam.counters.switches += s.run(switches);
    } finally {
      this.#inSlice = false;
      s.seam.publish();
    }
    if (!s.ready.empty) return "more";
    s.announce = this.#wakeShell;
    return "idle";
  }

  /** The monotonic time at which a timer fires, or undefined when only an event from outside can make work. */
  nextDeadlineMs(): number | undefined {
    const next = Math.min(this.#scheduler.timers.next, this.#scheduler.live > 0 ? this.#endAtMs : Infinity);
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  /** Milliseconds until `nextDeadlineMs`, 0 when it has passed; undefined without a deadline. */
  msUntilDeadline(): number | undefined {
    const next = this.nextDeadlineMs();
    return next === undefined ? undefined : Math.max(0, next - this.#clock.monotonicMs());
  }

  /** Be told, once per idle time, that there is work again. Called from inside whatever made the work: only schedule a slice there. */
  onWork(wake: () => void): void {
    this.#wakeShell = wake;
    const s = this.#scheduler;
    if (!s.ready.empty) wake();
    else if (!this.#inSlice) s.announce = wake;
  }

  /** Tasks that live. */
  get liveTasks(): number {
    return this.#scheduler.live;
  }

  /** Whether the kernel runs, is ending, or has ended. */
  get shutdownState(): ShutdownState {
    if (!this.#scheduler.closing) return "running";
    if (this.#scheduler.live > 0) return "ending";
    return this.#forced ? "forced" : "clean";
  }

  /** Begin to end: no new tasks; every task is cancelled now, and killed when it still lives after `timeoutMs`. Once. */
  shutdown(timeoutMs: number): void {
    checkDuration(timeoutMs, "a shutdown's time limit");
    const s = this.#scheduler;
    if (s.closing) return;
    s.closing = true;
    this.#endAtMs = this.#clock.monotonicMs() + timeoutMs;
    for (const task of [...s.tasks.values()]) s.cancel(task, "shutdown");
  }

  // Tasks

  /** Make a task. @throws {TooManyTasksError} {NotAProgramError} {ShuttingDownError} {BadOptionError} */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    return spawnTask(this.#scheduler, this.#scheduler.shell, program, options).id;
  }

  /** End a task (see `Sys.kill`). @throws {UnknownTaskError} */
  kill(task: TaskId, reason?: unknown): void {
    this.#scheduler.kill(this.#task(task), reason);
  }

  /** Ask a task to end (see `Sys.cancel`). @throws {UnknownTaskError} */
  cancel(task: TaskId, reason?: unknown): void {
    this.#scheduler.cancel(this.#task(task), reason);
  }

  /** How a task ended; undefined while it lives. @throws {UnknownTaskError} when it never was or its end was forgotten. */
  exitOf(task: TaskId): Exit | undefined {
    const found = this.#task(task);
    return found.state > WAITING ? (found.value as Exit) : undefined;
  }

  /** Hear of a task's end, at once when it ended before. The listener must not throw. @throws {UnknownTaskError} */
  onExit(task: TaskId, listener: (exit: Exit) => void): void {
    const found = this.#task(task);
    if (found.state > WAITING) listener(found.value as Exit);
    else (found.more().exitListeners ??= []).push(listener);
  }

  /** Hear of tasks that fail while nobody waits for their end. One listener, which must not throw; a later one replaces it. */
  onFailure(listener: (failure: UnobservedFailure) => void): void {
    this.#scheduler.onFailure = listener;
  }

  // Events from outside

  /** Make a mailbox whose handle the shell holds. */
  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message> {
    const { capabilities, shell } = this.#scheduler;
    return capabilities.mint(shell, new Mailbox(options), ALL_RIGHTS) as Handle<Message>;
  }

  /** Make a notification whose handle the shell holds. */
  notification(): Handle {
    return this.#scheduler.capabilities.mint(this.#scheduler.shell, new Notification(), ALL_RIGHTS);
  }

  /** Put a message into a mailbox of the shell; never waits. @throws {DeadHandleError} {MissingRightError} {MailboxClosedError} */
  trySend<Message>(target: Handle<Message>, message: Message): Delivery {
    const mailbox = this.#mailbox(op.TRY_SEND, target, RIGHTS.send);
    if (offer(this.#scheduler, mailbox, message, false) === NO_ROOM) return "full";
    return mailbox.pressured ? "pressured" : "taken";
  }

  /** Call `listener` once when a mailbox is not under pressure: at once, or when its receivers have caught up. */
  onRelief(target: Handle, listener: () => void): void {
    const mailbox = this.#mailbox(op.TRY_SEND, target, RIGHTS.send);
    if (!mailbox.pressured) listener();
    else (mailbox.relief ??= []).push(listener);
  }

  /** The next message of a mailbox of the shell, or undefined. */
  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined {
    const mailbox = this.#mailbox(op.TRY_RECEIVE, source, RIGHTS.receive);
    return mailbox.size === 0 ? undefined : (take(this.#scheduler, mailbox) as Message);
  }

  /** Set bits of a notification of the shell: a whole number from 1 to 2^31 - 1. */
  signal(target: Handle, bits = 1): void {
    const s = this.#scheduler;
    whole("signal bits", bits, 1, 0x7fffffff);
    const object = s.seam.authorize(op.SIGNAL, s.shell, target, RIGHTS.signal, "notification");
    s.seam.calls[op.SIGNAL]!++;
    raise(s, object as Notification, bits);
  }

  /** Wake up to `count` tasks that wait for a key. Returns how many. */
  wake(key: unknown, value?: unknown, count: number = Number.POSITIVE_INFINITY): number {
    this.#scheduler.seam.calls[op.WAKE]!++;
    return wakeKey(this.#scheduler, key, value, count);
  }

  // Capabilities of the shell

  /** Give a task a capability of the shell; returns the handle that is valid there. @throws {UnknownTaskError} */
  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.GRANT, s.shell, source, RIGHTS.grant);
    const target = this.#task(task);
    if (target.state > WAITING) throw new UnknownTaskError(task);
    return s.capabilities.derive(source, target, rights) as Handle<Message>;
  }

  /** End everything derived from a capability of the shell. Returns how many ended. */
  revoke(source: Handle): number {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.REVOKE, s.shell, source, RIGHTS.revoke);
    return s.capabilities.revoke(source);
  }

  /** Give up a handle of the shell. */
  drop(handle: Handle): void {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.DROP, s.shell, handle, 0);
    s.capabilities.drop(handle);
  }

  // Looking inside

  /** Everything as plain data. O(tasks). */
  dumpState(): KernelDump {
    return dumpState(this.#scheduler);
  }

  /** Counts since the kernel was made. */
  counters(): Readonly<KernelCounters> {
    return { ...this.#scheduler.seam.counters };
  }

  /** Calls of one syscall since the kernel was made, by name. */
  syscallCounts(): Readonly<Record<string, number>> {
    const { calls } = this.#scheduler.seam;
    return Object.fromEntries(
      Object.entries(op.OPCODE_NAMES).map(([number, name]) => [name, calls[Number(number)]!]),
    );
  }

  /** The newest syscalls, oldest first. */
  trace(): readonly TraceRecord[] {
    return this.#trace.records();
  }

  #task(id: TaskId): Task {
    const task = this.#scheduler.tasks.get(id);
    if (task === undefined) throw new UnknownTaskError(id);
    return task;
  }

  #mailbox(opcode: number, handle: Handle, rights: Rights): Mailbox {
    const s = this.#scheduler;
    const mailbox = s.seam.authorize(opcode, s.shell, handle, rights, "mailbox") as Mailbox;
    s.seam.calls[opcode]!++;
    return mailbox;
  }

  #force(): void {
    this.#endAtMs = Number.POSITIVE_INFINITY;
    for (const task of [...this.#scheduler.tasks.values()]) {
      if (task.state > WAITING) continue;
      this.#forced = true;
      this.#scheduler.kill(task, "shutdown");
    }
  }
}

/** A new kernel without tasks. Takes no resources of the process: no timer, no thread, no handle. @throws {BadOptionError} */
export function createKernel(options: KernelOptions): Kernel {
  return new Kernel(options);
}
