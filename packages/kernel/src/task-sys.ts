/**
 * The syscalls of `sys.ts`, performed: here messages and the world, in the classes this one grows from the rest. One object per kernel:
 * it acts for whichever task runs. What lies in it is private to each class, so that a program finds nothing there.
 */
import type { Approval, HttpResponse, LogFields, LogLevel } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS } from "@glia-os/abi/syscalls";
import type { Call } from "./call.ts";
import { OF_CHANNEL, OF_MAILBOX } from "./capability-table.ts";
import type { Channel } from "./channel/channel.ts";
import { offerTo, sourceOf } from "./channel/port.ts";
import { NOTHING } from "./channel/waiting.ts";
import { CALL_TIMEOUT_MS, RANDOM_BYTES_LIMIT } from "./constants.ts";
import { Door } from "./door.ts";
import type { Start } from "./effect.ts";
import { OutsideTaskError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { offer, reply, TAKEN, take } from "./ipc.ts";
import { leasedMailbox } from "./lease/make-leased-mailbox.ts";
import { type Mailbox, type MailboxOptions, whole } from "./mailbox.ts";
import { ReceiveOperation, SendOperation } from "./message-operations.ts";
import { ObjectCalls } from "./object-calls.ts";
import { mailboxOf } from "./observe/timed-mailbox.ts";
import * as op from "./opcodes.ts";
import type { Operation } from "./operation.ts";
import { Performer } from "./performer.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ApprovalQuestion, FetchRequest, FileRequest } from "./services/requests.ts";
import type { Selected, Sys } from "./sys.ts";
import { arm, enter, record, running } from "./sys-entry.ts";
import { DONE } from "./trace-ring.ts";
import type { Wait } from "./wait.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports.
const SEND = op.SEND;
const RECEIVE = op.RECEIVE;
const TRY_SEND = op.TRY_SEND;
const TRY_RECEIVE = op.TRY_RECEIVE;
const RIGHT_SEND = RIGHTS.send;
const RIGHT_RECEIVE = RIGHTS.receive;
const TOOK = TAKEN;
const A_MAILBOX = OF_MAILBOX;
const A_CHANNEL = OF_CHANNEL;

/** The syscalls over one scheduler. */
export class TaskSys extends ObjectCalls implements Sys {
  readonly #scheduler: Scheduler;
  readonly #performer: Performer;
  readonly #send: SendOperation;
  readonly #receive: ReceiveOperation;

  /** For the faces (`door.ts`); programs can do nothing with it. */
  readonly door: Door;

  /** Made by the kernel. */
  constructor(scheduler: Scheduler) {
    const performer = new Performer(scheduler);
    super(scheduler, performer);
    this.#scheduler = scheduler;
    this.#performer = performer;
    this.door = new Door(scheduler);
    this.#send = new SendOperation(scheduler);
    this.#receive = new ReceiveOperation(scheduler);
  }

  // Messages

  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message> {
    const s = this.#scheduler;
    const task = enter(this.#scheduler, op.MAILBOX, 0);
    const leases = options?.leases;
    const mailbox = leases === undefined ? mailboxOf(s, options) : leasedMailbox(s, task, options!, leases);
    return s.capabilities.mint(task, mailbox, ALL_RIGHTS) as Handle<Message>;
  }

  send<Message>(target: Handle<Message>, message: Message): Operation<void> {
    const s = this.#scheduler;
    if (s.current === null || s.armed !== 0) s.refuseToArm(SEND);
    s.armed = SEND;
    s.a = target;
    s.b = message;
    return this.#send as Operation<unknown> as Operation<void>;
  }

  trySend<Message>(target: Handle<Message>, message: Message): boolean {
    const s = this.#scheduler;
    const task = s.current;
    if (task === null) throw new OutsideTaskError("trySend");
    const object = s.capabilities.find(target, task, RIGHT_SEND);
    let outcome: number;
    // A refusal is traced as one, so the record comes after it.
    const kind = object === null ? 0 : s.capabilities.found;
    if ((kind & A_CHANNEL) !== 0) outcome = (object as Channel).offer(s, message);
    else if ((kind & A_MAILBOX) !== 0) outcome = offer(s, object as Mailbox, message, false);
    else outcome = offerTo(s, TRY_SEND, task, target, object, message, false);
    const seam = s.seam;
    seam.calls[TRY_SEND]!++;
    s.fuel--;
    seam.trace.write(TRY_SEND, DONE, task.id, target);
    return outcome === TOOK;
  }

  receive<Message = unknown>(source: Handle<Message>): Operation<Message> {
    const s = this.#scheduler;
    if (s.current === null || s.armed !== 0) s.refuseToArm(RECEIVE);
    s.armed = RECEIVE;
    s.a = source;
    return this.#receive as Operation<unknown> as Operation<Message>;
  }

  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined {
    const s = this.#scheduler;
    const task = s.current;
    if (task === null) throw new OutsideTaskError("tryReceive");
    const object = s.capabilities.find(source, task, RIGHT_RECEIVE);
    const kind = object === null ? 0 : s.capabilities.found;
    let message: unknown;
    if ((kind & A_MAILBOX) !== 0)
      message = (object as Mailbox).size === 0 ? undefined : take(s, object as Mailbox);
    else {
      if ((kind & A_CHANNEL) !== 0) message = (object as Channel).take(s);
      else message = sourceOf(s, TRY_RECEIVE, task, source, object).take(s);
      if (message === NOTHING) message = undefined;
    }
    const seam = s.seam;
    seam.journal.outcome(task.id, TRY_RECEIVE, message, false);
    seam.calls[TRY_RECEIVE]!++;
    s.fuel--;
    seam.trace.write(TRY_RECEIVE, DONE, task.id, source);
    return message as Message | undefined;
  }

  call<Answer = unknown>(
    target: Handle,
    message: unknown,
    timeoutMs: number = CALL_TIMEOUT_MS,
  ): Operation<Answer> {
    return arm<Answer>(this.#performer, op.CALL, target, message, timeoutMs);
  }

  reply(call: Call, answer: unknown): void {
    enter(this.#scheduler, op.REPLY, 0);
    reply(this.#scheduler, call, answer);
  }

  select<const Waits extends readonly Wait[]>(waits: Waits): Operation<Selected<Waits>> {
    return arm<Selected<Waits>>(this.#performer, op.SELECT, waits, undefined, undefined);
  }

  // The world

  now(): number {
    const task = enter(this.#scheduler, op.NOW, 0);
    const now = this.#scheduler.setup.clock.wallMs();
    this.#scheduler.seam.journal.outcome(task.id, op.NOW, now, false);
    return now;
  }

  monotonic(): number {
    const task = enter(this.#scheduler, op.MONOTONIC, 0);
    const nowMs = this.#scheduler.setup.clock.monotonicMs();
    this.#scheduler.seam.journal.outcome(task.id, op.MONOTONIC, nowMs, false);
    return nowMs;
  }

  random(bytes: number): Uint8Array {
    const task = running(this.#scheduler, op.RANDOM);
    whole("random bytes", bytes, 0, RANDOM_BYTES_LIMIT);
    record(this.#scheduler, op.RANDOM, task, bytes);
    const extra = task.more();
    extra.random ??= this.#scheduler.setup.random.fork(`task${task.path()}`);
    const drawn = extra.random.bytes(new Uint8Array(bytes));
    this.#scheduler.seam.journal.outcome(task.id, op.RANDOM, drawn, false);
    return drawn;
  }

  log(level: LogLevel, message: string, fields?: LogFields): void {
    const task = enter(this.#scheduler, op.LOG, 0);
    const context = { ...fields, task: task.id, path: task.path(), name: task.extra?.name || undefined };
    this.#scheduler.setup.logger?.log(level, message, context);
  }

  exec<Value = unknown>(tool: Handle, input: unknown): Operation<Value> {
    return arm<Value>(this.#performer, op.EXEC, tool, input, undefined);
  }

  fetch(grant: Handle, request: FetchRequest): Operation<HttpResponse> {
    return arm<HttpResponse>(this.#performer, op.FETCH, grant, request, undefined);
  }

  file(root: Handle, operation: FileRequest): Operation<never> {
    return arm<never>(this.#performer, op.FILE, root, operation, undefined);
  }

  model<Answer = unknown>(model: Handle, request: unknown): Operation<Answer> {
    return arm<Answer>(this.#performer, op.MODEL, model, request, undefined);
  }

  approve(approver: Handle, question: string | ApprovalQuestion): Operation<Approval> {
    return arm<Approval>(this.#performer, op.APPROVE, approver, question, undefined);
  }

  external<Value = unknown>(start: Start<Value>): Operation<Value> {
    return arm<Value>(this.#performer, op.EXTERNAL, start, undefined, undefined);
  }
}
