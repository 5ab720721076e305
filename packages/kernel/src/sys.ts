/**
 * The syscalls as a task sees them, and what a task runs.
 *
 * Y1. What cannot wait is a plain call. What can wait is an operation, performed by `yield*`.
 */
import type { Approval, HttpResponse, LogFields, LogLevel } from "@glia-os/abi/ports";
import type { Rights } from "@glia-os/abi/syscalls";
import type { AccountOptions } from "./budget/account.ts";
import type { Call } from "./call.ts";
import type { Start } from "./effect.ts";
import type { Budget } from "./fair-share/budget.ts";
import type { ShareRequest } from "./fair-share/share-group.ts";
import type { Handle } from "./handle.ts";
import type { Lease } from "./lease/lease.ts";
import type { MailboxOptions } from "./mailbox.ts";
import type { Operation, Routine } from "./operation.ts";
import type { Priority } from "./ready-queue.ts";
import type { RegionOptions } from "./region/region.ts";
import type { RegionView } from "./region/region-view.ts";
import type { ApprovalQuestion, FetchRequest, FileRequest } from "./services/requests.ts";
import type { MonitorId } from "./supervision/monitor-id.ts";
import type { TaskTarget } from "./supervision/task-capability.ts";
import type { Exit, TaskId } from "./task.ts";
import type { Wait } from "./wait.ts";

/**
 * What a task runs: a generator function. It gets the syscalls and the handles given to it at its spawn, in order. Data may come
 * by closure; authority may not, because a handle is only valid in the task it was given to.
 */
export type Program<Result = unknown> = {
  // A method's parameters are compared both ways, so a program may name the message types of the handles it expects.
  run(sys: Sys, ...given: Handle[]): Routine<Result>;
}["run"];

/** A handle to give away, whole or with fewer rights. */
export type Gift = Handle | { readonly handle: Handle; readonly rights: Rights };

/** How a task is made. */
export interface SpawnOptions {
  /** For people: dumps and logs. At most 128 characters. */
  readonly name?: string;
  /** Default: the spawner's. `system` is for the shell only. */
  readonly priority?: Priority;
  /** Handles the child gets as its program's arguments, in order. The spawner needs the right to grant each. */
  readonly give?: readonly Gift[];
  /** Count its syscalls, so that notices of its end say after how many it ended. */
  readonly counted?: boolean;
  /** Charge this task, and its children, besides the budgets of its parent. At most 16 budgets per task. */
  readonly budget?: Budget | readonly Budget[];
  /**
   * Give this task and its children an account of its own below its parent's for what their calls of services cost; it closes when the last
   * of them ended. Default: the parent's account, and of the kernel for tasks that have none above.
   */
  readonly account?: AccountOptions;
  /**
   * Syscalls per turn of this task and its children: 1 to the parent's own figure, to 1,000,000 for the shell. Default: the parent's,
   * which is the kernel's `turnSyscalls` unless set.
   */
  readonly quantum?: number;
  /** The span this task's span is a part of (W3C `traceparent`). Default: the spawner's own. Without a tracer it has no effect. */
  readonly traceparent?: string;
  /** Make this task a member of a group that shares its turns by weight. Default: its parent's group and weight, if that is in one. */
  readonly share?: ShareRequest;
}

/** The syscalls of a kernel. */
export interface Sys {
  // Tasks

  /** The id of the calling task. */
  getTid(): TaskId;

  /** Whether somebody asked this task to end. For loops that compute long without a blocking call. */
  readonly cancelRequested: boolean;

  /**
   * The W3C `traceparent` of this task's span, to go with what it sends to other systems; or, for a call or an envelope, of the span of the
   * task that sent it, as long as that is known. Undefined without a tracer. @throws {BadOptionError} for what is no call
   */
  traceparent(of?: Call): string | undefined;

  /** Let other tasks run. Goes on at once when no other is ready and the turn is not used up. */
  yield(): Operation<void>;

  /** Wait for a time: 0 to 9e12 ms. @throws {BadDurationError} */
  sleep(durationMs: number): Operation<void>;

  /** Make a child task; it is ready and runs later. @throws {TooManyTasksError} {NotAProgramError} {ShuttingDownError} */
  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId;

  /** Wait until a task ends, or learn how it ended. @throws {UnknownTaskError} {WaitOnSelfError} */
  wait<Result = unknown>(task: TaskId): Operation<Exit<Result>>;

  /** Wait until one of 1 to 64 tasks ends. @throws {BadSelectError} {UnknownTaskError} {WaitOnSelfError} */
  waitAny(tasks: readonly TaskId[]): Operation<readonly [TaskId, Exit]>;

  /**
   * End a child, or this task itself. Its `finally` blocks run and cannot wait; it runs no other code any more. A child is unwound
   * before any ordinary task runs again. No effect on one that ended. Another task is named by a capability with the right `kill`.
   * @throws {NotParentError} {UnknownTaskError}
   */
  kill(task: TaskTarget, reason?: unknown): void;

  /**
   * Ask a child, or this task itself, to end: `TaskCancelledError` is thrown once, at the syscall it waits in or at its next
   * blocking one. Another task is named by a capability with the right `kill`. @throws {NotParentError} {UnknownTaskError}
   */
  cancel(task: TaskTarget, reason?: unknown): void;

  /** End this task with a value, from any depth. `finally` blocks run and cannot wait. */
  exit(value?: unknown): Operation<never>;

  /**
   * End this task with a `Checkpoint` of a state, as `exit` ends it with a value. The root task of a durable domain is then started anew
   * from that state, and the domain's journal before it may go; for any other task it is a value like others.
   */
  checkpoint(state: unknown): Operation<never>;

  // Links, monitors and names (`@glia-os/kernel/supervision`)

  /**
   * Share fate with a child, or with a task named by a capability with the right `signal`: when one of the two ends abnormally, the
   * other is killed with the same reason, or told when it traps exits. A task that has ended counts as ending now.
   * @throws {NotParentError} {UnknownTaskError} {RelationLimitError}
   */
  link(task: TaskTarget): void;

  /** Take a link away. The same authority as for making it. */
  unlink(task: TaskTarget): void;

  /**
   * Be told when a task ends, once, by a `Down` message in a mailbox to which this task may send. The mailbox keeps a place for it.
   * @throws {UnknownTaskError} {RelationLimitError} {MailboxClosedError} {BadOptionError} for a mailbox that drops messages
   */
  monitor(task: TaskId, inbox: Handle): MonitorId;

  /** Take a monitor away. Returns false when it has told already. */
  demonitor(monitor: MonitorId): boolean;

  /** Get exits of linked tasks and exit signals as messages in a mailbox instead of being killed; `null`: no longer. */
  trapExits(inbox: Handle | null): void;

  /**
   * Send an exit signal to a child, this task, or a task named by a capability with the right `signal`: it is killed with this reason,
   * unless it traps exits. The reason `normal` does nothing to a task that does not trap. @throws {MailboxFullError} when it traps
   */
  exitSignal(task: TaskTarget, reason: unknown): void;

  /** A capability to this task or a child of it, with the rights signal, wait, kill, grant, revoke and name. */
  taskHandle(task: TaskId): Handle;

  /** Say that this task answers the calls of a mailbox or endpoint, so that calls in a circle are refused (`DeadlockError`). */
  serve(inbox: Handle): void;

  /** Answer a call with an error, which is thrown at the caller. @throws {DoubleReplyError} {LateReplyError} {NotACallError} */
  refuse(call: Call, error: unknown): void;

  /**
   * Publish a capability to all tasks of this kernel, at most with these rights (default: send, call, signal, grant), until this task
   * ends. Needs the right `name`. @throws {NameTakenError} {BadOptionError} {RelationLimitError}
   */
  register(name: string, source: Handle, rights?: Rights): void;

  /** Take back a name this task registered. @throws {UnknownNameError} {NotNameOwnerError} */
  unregister(name: string): void;

  /** A new handle for what has a name. Keep it: each lookup makes one. @throws {UnknownNameError} */
  lookup<Message = unknown>(name: string): Handle<Message>;

  /** The task that registered a name, or undefined. */
  whereis(name: string): TaskId | undefined;

  // Messages

  /** Make a mailbox. @throws {BadOptionError} {CapabilitySpaceFullError} */
  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message>;

  /**
   * Put a message into a mailbox; waits under pressure when its policy says so.
   * @throws {MailboxFullError} under the policy `refuse`; {MailboxClosedError} when nobody can receive.
   */
  send<Message>(target: Handle<Message>, message: Message): Operation<void>;

  /** Put a message into a mailbox if there is room; never waits. Returns whether it was taken. */
  trySend<Message>(target: Handle<Message>, message: Message): boolean;

  /** Wait for the next message of a mailbox. @throws {DeadHandleError} also when the right is revoked meanwhile. */
  receive<Message = unknown>(source: Handle<Message>): Operation<Message>;

  /** The next message of a mailbox, or `undefined` when there is none. */
  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined;

  /**
   * Send a message and wait for its reply; the receiver gets a {@link Call}. The time limit counts from now, waiting for room included.
   * @throws {CallTimeoutError} {MailboxFullError} {MailboxClosedError} {MessageDroppedError}
   */
  call<Answer = unknown>(target: Handle, message: unknown, timeoutMs?: number): Operation<Answer>;

  /** Answer a call. @throws {DoubleReplyError} {LateReplyError} {NotACallError} */
  reply(call: Call, answer: unknown): void;

  /**
   * Wait for the first of 1 to 64 events; gives its index and result. No other event is consumed. The list may be kept and used again.
   * @throws {BadSelectError} {BadDurationError} {UnknownTaskError}
   */
  select<const Waits extends readonly Wait[]>(waits: Waits): Operation<Selected<Waits>>;

  // Channels, endpoints and leases

  /**
   * Make a channel of a capacity from 0, a rendezvous, to 2^24. `send`, `trySend`, `receive`, `tryReceive` and `select` work on it.
   * @throws {BadOptionError} {CapabilitySpaceFullError}
   */
  channel<Message = unknown>(capacity: number): Handle<Message>;

  /** End a channel: it takes nothing more; what it holds can be received. Needs the right `revoke`. @throws {ChannelClosedError} */
  close(target: Handle): void;

  /**
   * Make an endpoint: `send` and `call` wait until a task receives, `trySend` gives up when none waits. A receiver gets an
   * {@link Envelope}. @throws {CapabilitySpaceFullError}
   */
  endpoint(): Handle;

  /** Derive a capability to an endpoint whose messages carry a badge: 1 to 2^53 - 1. @throws {AlreadyBadgedError} {BadOptionError} */
  badge(source: Handle, badge: number, rights?: Rights): Handle;

  /** End a lease: its message is done. @throws {LeaseEndedError} {NotALeaseError} */
  ack(lease: Lease): void;

  /** Give a leased message back, to be delivered again. @throws {LeaseEndedError} {NotALeaseError} */
  nack(lease: Lease): void;

  /** Let a lease end `durationMs` from now. @throws {LeaseEndedError} {NotALeaseError} {BadDurationError} */
  renew(lease: Lease, durationMs: number): void;

  // Regions

  /** Make a region of 1 to 268,435,456 bytes. @throws {BadOptionError} {CapabilitySpaceFullError} */
  region(bytes: number, options?: RegionOptions): Handle;

  /** A copy of bytes of a region. Needs the right `read`. @throws {OutsideRegionError} */
  readRegion(source: Handle, offset: number, length: number): Uint8Array;

  /** Copy bytes into a region. Needs the right `write`. @throws {OutsideRegionError} {BadOptionError} */
  writeRegion(target: Handle, offset: number, bytes: Uint8Array): void;

  /** A view of a region for this task. Every access needs its right then, not now. */
  mapRegion(source: Handle): RegionView;

  // Signals and keys

  /** Make a notification. @throws {CapabilitySpaceFullError} */
  notification(): Handle;

  /** Set bits of a notification: a whole number from 1 to 2^31 - 1. @throws {BadOptionError} */
  signal(target: Handle, bits?: number): void;

  /** Wait until a notification has bits; takes all of them. */
  waitSignal(source: Handle): Operation<number>;

  /** Wait for a `wake` of a key of any kind. A wake that nobody waits for is not kept. */
  waitOn<Value = unknown>(key: unknown): Operation<Value>;

  /** Wake up to `count` tasks that wait for a key, first come first served. Returns how many. */
  wake(key: unknown, value?: unknown, count?: number): number;

  // Capabilities

  /** Give a task a capability with at most these rights; returns the handle that is valid there. Needs the right `grant`. */
  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message>;

  /** Derive a capability with at most these rights for this task itself. */
  attenuate<Message>(source: Handle<Message>, rights: Rights): Handle<Message>;

  /** End everything derived from a capability, not itself. Returns how many ended. Needs the right `revoke`. */
  revoke(source: Handle): number;

  /** Give up a handle. What was derived from it goes on. */
  drop(handle: Handle): void;

  // Resources

  /** Wait until a resource can be read. @throws {ResourceClosedError} or the error it was closed with, also meanwhile. */
  readWait(source: Handle): Operation<void>;

  /** Wait until a resource can be written. @throws {ResourceClosedError} or the error it was closed with, also meanwhile. */
  writeWait(target: Handle): Operation<void>;

  /**
   * Take up to `limit` units (1 to 16,777,216) of what a resource has; `undefined` when there is nothing: wait again. A listener
   * gives the handle of a connection.
   */
  readFrom<Value = Uint8Array>(source: Handle, limit: number): Value | undefined;

  /** Give a resource what it can take now. Returns how much it took, 0 when nothing: wait again. */
  writeTo(target: Handle, data: unknown): number;

  /** Close a resource for everybody who holds it. Idempotent. Needs the right `revoke`. */
  closeResource(target: Handle): void;

  // The world

  /** Milliseconds since the Unix epoch. */
  now(): number;

  /** Milliseconds of the monotonic clock, for measuring how long something took. */
  monotonic(): number;

  /** Random bytes: 0 to 65,536. Each task draws from its own source, named by its path. @throws {BadOptionError} */
  random(bytes: number): Uint8Array;

  /** Write a log line with the task's id, path and name. */
  log(level: LogLevel, message: string, fields?: LogFields): void;

  /** Have a tool run. Needs the right `exec`. @throws what the tool fails with */
  exec<Value = unknown>(tool: Handle, input: unknown): Operation<Value>;

  /** One HTTP exchange. Needs the right `exec`. @throws {BadOptionError} and what the client refuses */
  fetch(grant: Handle, request: FetchRequest): Operation<HttpResponse>;

  /**
   * Work below a granted root: `read` up to `limitBytes` (default 16 MiB) or `list`, with the right `read`; `write`, with the right
   * `write`. @throws {BadOptionError} and what the root refuses
   */
  file(root: Handle, operation: FileRequest & { readonly operation: "read" }): Operation<Uint8Array>;
  file(root: Handle, operation: FileRequest & { readonly operation: "list" }): Operation<readonly string[]>;
  file(root: Handle, operation: FileRequest & { readonly operation: "write" }): Operation<void>;

  /** Ask a model. Needs the right `exec`. @throws what the model fails with */
  model<Answer = unknown>(model: Handle, request: unknown): Operation<Answer>;

  /** Wait until somebody approves or refuses: a question, with the arguments it is about if it has some. Needs the right `approve`. @throws {BadOptionError} */
  approve(approver: Handle, question: string | ApprovalQuestion): Operation<Approval>;

  /**
   * Wait for an effect outside the kernel. `start` is called at once and settles later, from anywhere; the function it may return
   * is called when this task stops waiting. What it fails with is thrown here.
   */
  external<Value = unknown>(start: Start<Value>): Operation<Value>;
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
