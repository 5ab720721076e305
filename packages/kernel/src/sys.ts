/**
 * The syscalls as a task sees them. One object per kernel: it acts for whichever task runs.
 *
 * Y1. What cannot wait is a plain call. What can wait is an operation, performed by `yield*`.
 * Y2. Every call checks first that a task runs (`OutsideTaskError`) and takes the road of `seam.ts`.
 */
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { Call } from "./call.ts";
import type { Handle } from "./capability-table.ts";
import { CALL_TIMEOUT_MS, RANDOM_BYTES_LIMIT } from "./constants.ts";
import { NotParentError, OutsideTaskError, TaskKilledError, UnknownTaskError } from "./errors.ts";
import type { Start } from "./external.ts";
import { NO_ROOM, offer, raise, reply, take } from "./ipc.ts";
import { Mailbox, type MailboxOptions, whole } from "./mailbox.ts";
import { Notification } from "./notification.ts";
import * as op from "./opcodes.ts";
import type { Operation, Program } from "./operation.ts";
import { Performer } from "./performer.ts";
import type { Scheduler } from "./scheduler.ts";
import { type SpawnOptions, spawnTask } from "./spawn.ts";
import { CANCEL_ASKED, type Exit, type Task, type TaskId, WAITING } from "./task.ts";
import { DONE } from "./trace-ring.ts";
import type { Wait } from "./wait.ts";

/** The syscalls of a kernel. */
export class Sys {
  readonly #scheduler: Scheduler;
  readonly #performer: Performer;

  /** Made by the kernel. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#performer = new Performer(scheduler);
  }

  // Tasks

  /** The id of the calling task. */
  getTid(): TaskId {
    return this.#enter(op.GET_TID, 0).id;
  }

  /** Whether somebody asked this task to end. For loops that compute long without a blocking call. */
  get cancelRequested(): boolean {
    const task = this.#scheduler.current;
    if (task === null) throw new OutsideTaskError("cancelRequested");
    return (task.flags & CANCEL_ASKED) !== 0;
  }

  /** Let other tasks run. Goes on at once when no other is ready and the turn is not used up. */
  yield(): Operation<void> {
    return this.#arm<void>(op.YIELD, undefined, undefined, undefined);
  }

  /** Wait for a time: 0 to 9e12 ms. @throws {BadDurationError} */
  sleep(durationMs: number): Operation<void> {
    return this.#arm<void>(op.SLEEP, durationMs, undefined, undefined);
  }

  /** Make a child task; it is ready and runs later. @throws {TooManyTasksError} {NotAProgramError} {ShuttingDownError} */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    const task = this.#enter(op.SPAWN, 0);
    const child = spawnTask(this.#scheduler, task, program, options);
    return child.id;
  }

  /** Wait until a task ends, or learn how it ended. @throws {UnknownTaskError} {WaitOnSelfError} */
  wait<Result = unknown>(task: TaskId): Operation<Exit<Result>> {
    return this.#arm<Exit<Result>>(op.WAIT, task, undefined, undefined);
  }

  /** Wait until one of 1 to 64 tasks ends. @throws {BadSelectError} {UnknownTaskError} {WaitOnSelfError} */
  waitAny(tasks: readonly TaskId[]): Operation<readonly [TaskId, Exit]> {
    return this.#arm<readonly [TaskId, Exit]>(op.WAIT_ANY, tasks, undefined, undefined);
  }

  /**
   * End a child, or this task itself. Its `finally` blocks run and cannot wait; it runs no other code any more. A child is unwound
   * before any ordinary task runs again. No effect on one that ended. @throws {NotParentError} {UnknownTaskError}
   */
  kill(task: TaskId, reason?: unknown): void {
    const self = this.#enter(op.KILL, task);
    this.#scheduler.kill(this.#ownTask(op.KILL, self, task), reason);
    if (task === self.id) throw new TaskKilledError(task);
  }

  /**
   * Ask a child, or this task itself, to end: `TaskCancelledError` is thrown once, at the syscall it waits in or at its next
   * blocking one. @throws {NotParentError} {UnknownTaskError}
   */
  cancel(task: TaskId, reason?: unknown): void {
    const self = this.#enter(op.CANCEL, task);
    this.#scheduler.cancel(this.#ownTask(op.CANCEL, self, task), reason);
  }

  /** End this task with a value, from any depth. `finally` blocks run and cannot wait. */
  exit(value?: unknown): Operation<never> {
    return this.#arm<never>(op.EXIT, value, undefined, undefined);
  }

  // Messages

  /** Make a mailbox. @throws {BadOptionError} {CapabilitySpaceFullError} */
  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message> {
    const task = this.#enter(op.MAILBOX, 0);
    return this.#scheduler.capabilities.mint(task, new Mailbox(options), ALL_RIGHTS) as Handle<Message>;
  }

  /**
   * Put a message into a mailbox; waits under pressure when its policy says so.
   * @throws {MailboxFullError} under the policy `refuse`; {MailboxClosedError} when nobody can receive.
   */
  send<Message>(target: Handle<Message>, message: Message): Operation<void> {
    return this.#arm<void>(op.SEND, target, message, undefined);
  }

  /** Put a message into a mailbox if there is room; never waits. Returns whether it was taken. */
  trySend<Message>(target: Handle<Message>, message: Message): boolean {
    const s = this.#scheduler;
    const task = this.#running(op.TRY_SEND);
    const mailbox = s.seam.authorize(op.TRY_SEND, task, target, RIGHTS.send, "mailbox") as Mailbox;
    this.#record(op.TRY_SEND, task, target);
    return offer(s, mailbox, message, false) !== NO_ROOM;
  }

  /** Wait for the next message of a mailbox. @throws {DeadHandleError} also when the right is revoked meanwhile. */
  receive<Message = unknown>(source: Handle<Message>): Operation<Message> {
    return this.#arm<Message>(op.RECEIVE, source, undefined, undefined);
  }

  /** The next message of a mailbox, or `undefined` when there is none. */
  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined {
    const s = this.#scheduler;
    const task = this.#running(op.TRY_RECEIVE);
    const mailbox = s.seam.authorize(op.TRY_RECEIVE, task, source, RIGHTS.receive, "mailbox") as Mailbox;
    const message = mailbox.size === 0 ? undefined : take(s, mailbox);
    s.seam.journal.outcome(task.id, op.TRY_RECEIVE, message, false);
    this.#record(op.TRY_RECEIVE, task, source);
    return message as Message | undefined;
  }

  /**
   * Send a message and wait for its reply; the receiver gets a {@link Call}. The time limit counts from now, waiting for room included.
   * @throws {CallTimeoutError} {MailboxFullError} {MailboxClosedError} {MessageDroppedError}
   */
  call<Answer = unknown>(
    target: Handle,
    message: unknown,
    timeoutMs: number = CALL_TIMEOUT_MS,
  ): Operation<Answer> {
    return this.#arm<Answer>(op.CALL, target, message, timeoutMs);
  }

  /** Answer a call. @throws {DoubleReplyError} {LateReplyError} {NotACallError} */
  reply(call: Call, answer: unknown): void {
    this.#enter(op.REPLY, 0);
    reply(this.#scheduler, call, answer);
  }

  /**
   * Wait for the first of 1 to 64 events; gives its index and result. No other event is consumed. The list may be kept and used again.
   * @throws {BadSelectError} {BadDurationError} {UnknownTaskError}
   */
  select<const Waits extends readonly Wait[]>(waits: Waits): Operation<Selected<Waits>> {
    return this.#arm<Selected<Waits>>(op.SELECT, waits, undefined, undefined);
  }

  // Signals and keys

  /** Make a notification. @throws {CapabilitySpaceFullError} */
  notification(): Handle {
    const task = this.#enter(op.NOTIFICATION, 0);
    return this.#scheduler.capabilities.mint(task, new Notification(), ALL_RIGHTS);
  }

  /** Set bits of a notification: a whole number from 1 to 2^31 - 1. @throws {BadOptionError} */
  signal(target: Handle, bits = 1): void {
    const s = this.#scheduler;
    const task = this.#running(op.SIGNAL);
    whole("signal bits", bits, 1, 0x7fffffff);
    const object = s.seam.authorize(op.SIGNAL, task, target, RIGHTS.signal, "notification");
    this.#record(op.SIGNAL, task, target);
    raise(s, object as Notification, bits);
  }

  /** Wait until a notification has bits; takes all of them. */
  waitSignal(source: Handle): Operation<number> {
    return this.#arm<number>(op.WAIT_SIGNAL, source, undefined, undefined);
  }

  /** Wait for a `wake` of a key of any kind. A wake that nobody waits for is not kept. */
  waitOn<Value = unknown>(key: unknown): Operation<Value> {
    return this.#arm<Value>(op.WAIT_ON, key, undefined, undefined);
  }

  /** Wake up to `count` tasks that wait for a key, first come first served. Returns how many. */
  wake(key: unknown, value?: unknown, count: number = Number.POSITIVE_INFINITY): number {
    this.#enter(op.WAKE, 0);
    return wakeKey(this.#scheduler, key, value, count);
  }

  // Capabilities

  /** Give a task a capability with at most these rights; returns the handle that is valid there. Needs the right `grant`. */
  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const self = this.#running(op.GRANT);
    s.seam.authorizeHandle(op.GRANT, self, source, RIGHTS.grant);
    const target = s.tasks.get(task);
    if (target === undefined || target.state > WAITING) throw new UnknownTaskError(task);
    this.#record(op.GRANT, self, source);
    return s.capabilities.derive(source, target, rights) as Handle<Message>;
  }

  /** Derive a capability with at most these rights for this task itself. */
  attenuate<Message>(source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const task = this.#running(op.ATTENUATE);
    s.seam.authorizeHandle(op.ATTENUATE, task, source, 0);
    this.#record(op.ATTENUATE, task, source);
    return s.capabilities.derive(source, task, rights) as Handle<Message>;
  }

  /** End everything derived from a capability, not itself. Returns how many ended. Needs the right `revoke`. */
  revoke(source: Handle): number {
    const s = this.#scheduler;
    const task = this.#running(op.REVOKE);
    s.seam.authorizeHandle(op.REVOKE, task, source, RIGHTS.revoke);
    this.#record(op.REVOKE, task, source);
    return s.capabilities.revoke(source);
  }

  /** Give up a handle. What was derived from it goes on. */
  drop(handle: Handle): void {
    const s = this.#scheduler;
    const task = this.#running(op.DROP);
    s.seam.authorizeHandle(op.DROP, task, handle, 0);
    this.#record(op.DROP, task, handle);
    s.capabilities.drop(handle);
  }

  // The world

  /** Milliseconds since the Unix epoch. */
  now(): number {
    const task = this.#enter(op.NOW, 0);
    const now = this.#scheduler.setup.clock.wallMs();
    this.#scheduler.seam.journal.outcome(task.id, op.NOW, now, false);
    return now;
  }

  /** Random bytes: 0 to 65,536. Each task draws from its own source, named by its path. @throws {BadOptionError} */
  random(bytes: number): Uint8Array {
    const task = this.#running(op.RANDOM);
    whole("random bytes", bytes, 0, RANDOM_BYTES_LIMIT);
    this.#record(op.RANDOM, task, bytes);
    const extra = task.more();
    extra.random ??= this.#scheduler.setup.random.fork(`task${task.path()}`);
    const drawn = extra.random.bytes(new Uint8Array(bytes));
    this.#scheduler.seam.journal.outcome(task.id, op.RANDOM, drawn, false);
    return drawn;
  }

  /** Write a log line with the task's id, path and name. */
  log(level: LogLevel, message: string, fields?: LogFields): void {
    const task = this.#enter(op.LOG, 0);
    const context = { ...fields, task: task.id, path: task.path(), name: task.extra?.name || undefined };
    this.#scheduler.setup.logger?.log(level, message, context);
  }

  /**
   * Wait for an effect outside the kernel. `start` is called at once and settles later, from anywhere; the function it may return
   * is called when this task stops waiting. What it fails with is thrown here.
   */
  external<Value = unknown>(start: Start<Value>): Operation<Value> {
    return this.#arm<Value>(op.EXTERNAL, start, undefined, undefined);
  }

  #arm<Result>(opcode: number, a: unknown, b: unknown, c: unknown): Operation<Result> {
    return this.#performer.arm(opcode, a, b, c) as Operation<Result>;
  }

  #running(opcode: number): Task {
    const task = this.#scheduler.current;
    if (task === null) throw new OutsideTaskError(op.OPCODE_NAMES[opcode] ?? "a syscall");
    return task;
  }

  #record(opcode: number, task: Task, argument: number): void {
    const s = this.#scheduler;
    s.seam.calls[opcode]!++;
    s.fuel--;
    s.seam.trace.write(opcode, DONE, task.id, argument);
  }

  #enter(opcode: number, argument: number): Task {
    const task = this.#running(opcode);
    this.#record(opcode, task, argument);
    return task;
  }

  #ownTask(opcode: number, self: Task, id: TaskId): Task {
    const target = this.#scheduler.tasks.get(id);
    if (target === undefined) throw new UnknownTaskError(id);
    if (target !== self && target.parent !== self.id) {
      this.#scheduler.seam.refused(opcode, self, id);
      throw new NotParentError(self.id, id);
    }
    return target;
  }
}

/** What a `select` over these waits gives: the index of the first event, and its result. */
export type Selected<Waits extends readonly Wait[]> = {
  [Index in keyof Waits & `${number}`]: Waits[Index] extends Wait<infer Result>
    ? readonly [index: ToNumber<Index>, value: Result]
    : never;
}[keyof Waits & `${number}`] extends infer Tuple
  ? [Tuple] extends [never]
    ? readonly [index: number, value: unknown]
    : Tuple
  : never;

type ToNumber<Text extends string> = Text extends `${infer Value extends number}` ? Value : never;

/** Wake tasks that wait for a key. */
export function wakeKey(scheduler: Scheduler, key: unknown, value: unknown, count: number): number {
  const queue = scheduler.waits.find(key);
  let woken = 0;
  while (queue !== undefined && woken < count && scheduler.wakeOne(queue, value)) woken++;
  scheduler.waits.prune(key);
  return woken;
}
