/**
 * The syscalls of `sys.ts`, performed. One object per kernel: it acts for whichever task runs.
 *
 * Y2. Every call checks first that a task runs (`OutsideTaskError`) and takes the road of `seam.ts`.
 */
import type { Approval, HttpResponse, LogFields, LogLevel } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { formatTraceparent } from "@glia-os/abi/wire";
import type { Call } from "./call.ts";
import { OF_CHANNEL, OF_MAILBOX } from "./capability-table.ts";
import { Channel } from "./channel/channel.ts";
import { closeChannel, offerTo, sourceOf } from "./channel/port.ts";
import { NOTHING } from "./channel/waiting.ts";
import { CALL_TIMEOUT_MS, RANDOM_BYTES_LIMIT, READ_LIMIT } from "./constants.ts";
import { Door } from "./door.ts";
import type { Start } from "./effect.ts";
import { badgeEndpoint } from "./endpoint/badge.ts";
import { Endpoint } from "./endpoint/endpoint.ts";
import {
  BadOptionError,
  NotParentError,
  OutsideTaskError,
  TaskKilledError,
  UnknownTaskError,
} from "./errors.ts";
import type { Handle } from "./handle.ts";
import { offer, raise, reply, TAKEN, take } from "./ipc.ts";
import { ack, nack, renew } from "./lease/acknowledge.ts";
import type { Lease } from "./lease/lease.ts";
import { leasedMailbox } from "./lease/make-leased-mailbox.ts";
import { type Mailbox, type MailboxOptions, whole } from "./mailbox.ts";
import { ReceiveOperation, SendOperation, WaitOperation, YieldOperation } from "./message-operations.ts";
import { Notification } from "./notification.ts";
import { mailboxOf } from "./observe/timed-mailbox.ts";
import * as op from "./opcodes.ts";
import type { Operation } from "./operation.ts";
import { Performer } from "./performer.ts";
import { CheckedView } from "./region/checked-view.ts";
import { Region, type RegionOptions } from "./region/region.ts";
import type { RegionView } from "./region/region-view.ts";
import type { KernelResource } from "./resources/resource.ts";
import { readDevice, writeDevice } from "./resources/use.ts";
import type { Scheduler } from "./scheduler.ts";
import type { FetchRequest, FileRequest } from "./services/requests.ts";
import { spawnTask } from "./spawn.ts";
import type { MonitorId } from "./supervision/monitor-id.ts";
import { PUBLISHED } from "./supervision/names.ts";
import { refuseCall } from "./supervision/refuse.ts";
import { TASK_RIGHTS, TaskObject, type TaskTarget } from "./supervision/task-capability.ts";
import type { Program, Selected, SpawnOptions, Sys } from "./sys.ts";
import { CANCEL_ASKED, type Exit, KILLED, type Task, type TaskId, WAITING } from "./task.ts";
import { DONE } from "./trace-ring.ts";
import type { Wait } from "./wait.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports.
const SEND = op.SEND;
const RECEIVE = op.RECEIVE;
const YIELD = op.YIELD;
const WAIT = op.WAIT;

// Constants of this module: the engine folds them, which it does not do with what a module imports.
const TRY_SEND = op.TRY_SEND;
const TRY_RECEIVE = op.TRY_RECEIVE;
const RIGHT_SEND = RIGHTS.send;
const RIGHT_RECEIVE = RIGHTS.receive;
const TOOK = TAKEN;
const A_MAILBOX = OF_MAILBOX;
const A_CHANNEL = OF_CHANNEL;

/** The syscalls over one scheduler. */
export class TaskSys implements Sys {
  readonly #scheduler: Scheduler;
  readonly #performer: Performer;
  readonly #send: SendOperation;
  readonly #receive: ReceiveOperation;
  readonly #yield: YieldOperation;
  readonly #wait: WaitOperation;

  /** For the faces (`door.ts`); programs can do nothing with it. */
  readonly door: Door;

  /** Made by the kernel. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.door = new Door(scheduler);
    this.#performer = new Performer(scheduler);
    this.#send = new SendOperation(scheduler);
    this.#receive = new ReceiveOperation(scheduler);
    this.#yield = new YieldOperation(scheduler);
    this.#wait = new WaitOperation(scheduler);
  }

  // Tasks

  getTid(): TaskId {
    return this.#enter(op.GET_TID, 0).id;
  }

  get cancelRequested(): boolean {
    const task = this.#scheduler.current;
    if (task === null) throw new OutsideTaskError("cancelRequested");
    return (task.flags & CANCEL_ASKED) !== 0;
  }

  traceparent(of?: Call): string | undefined {
    const { current, spans } = this.#scheduler;
    if (current === null) throw new OutsideTaskError("traceparent");
    const task = of === undefined ? current.id : senderOf(of);
    const context = spans?.contextOf(task);
    return context && formatTraceparent(context);
  }

  yield(): Operation<void> {
    const s = this.#scheduler;
    if (s.current === null || s.armed !== 0) s.refuseToArm(YIELD);
    s.armed = YIELD;
    return this.#yield as Operation<unknown> as Operation<void>;
  }

  sleep(durationMs: number): Operation<void> {
    return this.#arm<void>(op.SLEEP, durationMs, undefined, undefined);
  }

  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    const task = this.#enter(op.SPAWN, 0);
    const child = spawnTask(this.#scheduler, task, program, options);
    return child.id;
  }

  wait<Result = unknown>(task: TaskId): Operation<Exit<Result>> {
    const s = this.#scheduler;
    if (s.current === null || s.armed !== 0) s.refuseToArm(WAIT);
    s.armed = WAIT;
    s.a = task;
    return this.#wait as Operation<unknown> as Operation<Exit<Result>>;
  }

  waitAny(tasks: readonly TaskId[]): Operation<readonly [TaskId, Exit]> {
    return this.#arm<readonly [TaskId, Exit]>(op.WAIT_ANY, tasks, undefined, undefined);
  }

  kill(task: TaskTarget, reason?: unknown): void {
    const self = this.#enter(op.KILL, numberOf(task));
    const target = this.#target(op.KILL, self, task, RIGHTS.kill);
    if (target === undefined) return;
    this.#scheduler.kill(target, reason);
    if (target === self) throw new TaskKilledError(self.id);
  }

  cancel(task: TaskTarget, reason?: unknown): void {
    const self = this.#enter(op.CANCEL, numberOf(task));
    const target = this.#target(op.CANCEL, self, task, RIGHTS.kill);
    if (target !== undefined) this.#scheduler.cancel(target, reason);
  }

  exit(value?: unknown): Operation<never> {
    return this.#arm<never>(op.EXIT, value, undefined, undefined);
  }

  // Links, monitors and names

  link(task: TaskTarget): void {
    const self = this.#enter(op.LINK, numberOf(task));
    const target = this.#target(op.LINK, self, task, RIGHTS.signal);
    if (target === undefined) throw new UnknownTaskError(numberOf(task));
    this.#scheduler.relations.link(self, target);
    this.#unlessKilled(self);
  }

  unlink(task: TaskTarget): void {
    const self = this.#enter(op.UNLINK, numberOf(task));
    const target = this.#target(op.UNLINK, self, task, RIGHTS.signal);
    if (target !== undefined) this.#scheduler.relations.unlink(self, target);
  }

  monitor(task: TaskId, inbox: Handle): MonitorId {
    const s = this.#scheduler;
    const self = this.#running(op.MONITOR);
    const mailbox = s.seam.authorize(op.MONITOR, self, inbox, RIGHTS.send, "mailbox") as Mailbox;
    const target = s.tasks.get(task);
    if (target === undefined) throw new UnknownTaskError(task);
    this.#record(op.MONITOR, self, task);
    return s.relations.monitor(self, target, mailbox);
  }

  demonitor(monitor: MonitorId): boolean {
    const self = this.#enter(op.DEMONITOR, monitor);
    return this.#scheduler.relations.demonitor(self, monitor);
  }

  trapExits(inbox: Handle | null): void {
    const s = this.#scheduler;
    const self = this.#running(op.TRAP_EXITS);
    const mailbox =
      inbox === null ? null : s.seam.authorize(op.TRAP_EXITS, self, inbox, RIGHTS.receive, "mailbox");
    this.#record(op.TRAP_EXITS, self, inbox ?? 0);
    s.relations.trap(self, mailbox as Mailbox | null);
  }

  exitSignal(task: TaskTarget, reason: unknown): void {
    const self = this.#enter(op.EXIT_SIGNAL, numberOf(task));
    const target = this.#target(op.EXIT_SIGNAL, self, task, RIGHTS.signal);
    if (target === undefined) return;
    this.#scheduler.relations.signal(self, target, reason);
    this.#unlessKilled(self);
  }

  taskHandle(task: TaskId): Handle {
    const self = this.#enter(op.TASK_HANDLE, task);
    const target = this.#ownTask(op.TASK_HANDLE, self, task);
    return this.#scheduler.capabilities.mint(self, new TaskObject(target.id), TASK_RIGHTS);
  }

  serve(inbox: Handle): void {
    const s = this.#scheduler;
    const self = this.#running(op.SERVE);
    const kind =
      s.capabilities.find(inbox, self, RIGHTS.receive)?.kind === "endpoint" ? "endpoint" : "mailbox";
    const served = s.seam.authorize(op.SERVE, self, inbox, RIGHTS.receive, kind) as Mailbox | Endpoint;
    this.#record(op.SERVE, self, inbox);
    served.server = self;
  }

  refuse(call: Call, error: unknown): void {
    this.#enter(op.REFUSE, 0);
    refuseCall(this.#scheduler, call, error);
  }

  register(name: string, source: Handle, rights: Rights = PUBLISHED): void {
    const s = this.#scheduler;
    const self = this.#running(op.REGISTER);
    s.seam.authorizeHandle(op.REGISTER, self, source, RIGHTS.name);
    this.#record(op.REGISTER, self, source);
    s.relations.register(self, name, source, rights);
  }

  unregister(name: string): void {
    const self = this.#enter(op.UNREGISTER, 0);
    this.#scheduler.relations.unregister(self, name);
  }

  lookup<Message = unknown>(name: string): Handle<Message> {
    const self = this.#enter(op.LOOKUP, 0);
    const found = this.#scheduler.relations.names.lookup(self, name);
    this.#scheduler.seam.journal.outcome(self.id, op.LOOKUP, found, false);
    return found as Handle<Message>;
  }

  whereis(name: string): TaskId | undefined {
    const self = this.#enter(op.WHEREIS, 0);
    const found = this.#scheduler.relations.names.owner(name)?.id;
    this.#scheduler.seam.journal.outcome(self.id, op.WHEREIS, found, false);
    return found;
  }

  // Messages

  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message> {
    const s = this.#scheduler;
    const task = this.#enter(op.MAILBOX, 0);
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
    return this.#arm<Answer>(op.CALL, target, message, timeoutMs);
  }

  reply(call: Call, answer: unknown): void {
    this.#enter(op.REPLY, 0);
    reply(this.#scheduler, call, answer);
  }

  select<const Waits extends readonly Wait[]>(waits: Waits): Operation<Selected<Waits>> {
    return this.#arm<Selected<Waits>>(op.SELECT, waits, undefined, undefined);
  }

  // Channels, endpoints and leases

  channel<Message = unknown>(capacity: number): Handle<Message> {
    const task = this.#enter(op.CHANNEL, 0);
    return this.#scheduler.capabilities.mint(task, new Channel(capacity), ALL_RIGHTS) as Handle<Message>;
  }

  close(target: Handle): void {
    const s = this.#scheduler;
    const task = this.#running(op.CLOSE);
    const channel = s.seam.authorize(op.CLOSE, task, target, RIGHTS.revoke, "channel") as Channel;
    this.#record(op.CLOSE, task, target);
    closeChannel(s, channel);
  }

  endpoint(): Handle {
    const task = this.#enter(op.ENDPOINT, 0);
    return this.#scheduler.capabilities.mint(task, new Endpoint(), ALL_RIGHTS);
  }

  badge(source: Handle, badge: number, rights: Rights = ALL_RIGHTS): Handle {
    const task = this.#running(op.BADGE);
    const badged = badgeEndpoint(this.#scheduler, task, source, badge, rights);
    this.#record(op.BADGE, task, source);
    return badged;
  }

  ack(lease: Lease): void {
    this.#enter(op.ACK, 0);
    ack(lease);
  }

  nack(lease: Lease): void {
    this.#enter(op.NACK, 0);
    nack(lease);
  }

  renew(lease: Lease, durationMs: number): void {
    this.#enter(op.RENEW, 0);
    renew(lease, durationMs);
  }

  // Regions

  region(bytes: number, options?: RegionOptions): Handle {
    const task = this.#enter(op.REGION, bytes);
    return this.#scheduler.capabilities.mint(task, new Region(bytes, options), ALL_RIGHTS);
  }

  readRegion(source: Handle, offset: number, length: number): Uint8Array {
    const { seam } = this.#scheduler;
    const task = this.#running(op.READ_REGION);
    const region = seam.authorize(op.READ_REGION, task, source, RIGHTS.read, "region") as Region;
    const bytes = region.read(offset, length);
    seam.journal.outcome(task.id, op.READ_REGION, bytes, false);
    this.#record(op.READ_REGION, task, source);
    return bytes;
  }

  writeRegion(target: Handle, offset: number, bytes: Uint8Array): void {
    const task = this.#running(op.WRITE_REGION);
    const { seam } = this.#scheduler;
    const region = seam.authorize(op.WRITE_REGION, task, target, RIGHTS.write, "region") as Region;
    this.#record(op.WRITE_REGION, task, target);
    region.write(offset, bytes);
  }

  mapRegion(source: Handle): RegionView {
    const s = this.#scheduler;
    const task = this.#running(op.MAP_REGION);
    s.seam.authorize(op.MAP_REGION, task, source, 0, "region");
    this.#record(op.MAP_REGION, task, source);
    return new CheckedView(s, source);
  }

  // Signals and keys

  notification(): Handle {
    const task = this.#enter(op.NOTIFICATION, 0);
    return this.#scheduler.capabilities.mint(task, new Notification(), ALL_RIGHTS);
  }

  signal(target: Handle, bits = 1): void {
    const s = this.#scheduler;
    const task = this.#running(op.SIGNAL);
    whole("signal bits", bits, 1, 0x7fffffff);
    const object = s.seam.authorize(op.SIGNAL, task, target, RIGHTS.signal, "notification");
    this.#record(op.SIGNAL, task, target);
    raise(s, object as Notification, bits);
  }

  waitSignal(source: Handle): Operation<number> {
    return this.#arm<number>(op.WAIT_SIGNAL, source, undefined, undefined);
  }

  waitOn<Value = unknown>(key: unknown): Operation<Value> {
    return this.#arm<Value>(op.WAIT_ON, key, undefined, undefined);
  }

  wake(key: unknown, value?: unknown, count: number = Number.POSITIVE_INFINITY): number {
    this.#enter(op.WAKE, 0);
    return wakeKey(this.#scheduler, key, value, count);
  }

  // Capabilities

  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const self = this.#running(op.GRANT);
    s.seam.authorizeHandle(op.GRANT, self, source, RIGHTS.grant);
    const target = s.tasks.get(task);
    if (target === undefined || target.state > WAITING) throw new UnknownTaskError(task);
    this.#record(op.GRANT, self, source);
    return s.capabilities.derive(source, target, rights) as Handle<Message>;
  }

  attenuate<Message>(source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const task = this.#running(op.ATTENUATE);
    s.seam.authorizeHandle(op.ATTENUATE, task, source, 0);
    this.#record(op.ATTENUATE, task, source);
    return s.capabilities.derive(source, task, rights) as Handle<Message>;
  }

  revoke(source: Handle): number {
    const s = this.#scheduler;
    const task = this.#running(op.REVOKE);
    s.seam.authorizeHandle(op.REVOKE, task, source, RIGHTS.revoke);
    this.#record(op.REVOKE, task, source);
    return s.capabilities.revoke(source);
  }

  drop(handle: Handle): void {
    const s = this.#scheduler;
    const task = this.#running(op.DROP);
    s.seam.authorizeHandle(op.DROP, task, handle, 0);
    this.#record(op.DROP, task, handle);
    s.capabilities.drop(handle);
  }

  // Resources

  readWait(source: Handle): Operation<void> {
    return this.#arm<void>(op.READ_WAIT, source, undefined, undefined);
  }

  writeWait(target: Handle): Operation<void> {
    return this.#arm<void>(op.WRITE_WAIT, target, undefined, undefined);
  }

  readFrom<Value = Uint8Array>(source: Handle, limit: number): Value | undefined {
    const task = this.#running(op.READ_FROM);
    whole("limit", limit, 1, READ_LIMIT);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.READ_FROM, task, source, RIGHTS.read, "resource") as KernelResource;
    this.#record(op.READ_FROM, task, source);
    return readDevice(s, task, resource, limit) as Value | undefined;
  }

  writeTo(target: Handle, data: unknown): number {
    const task = this.#running(op.WRITE_TO);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.WRITE_TO, task, target, RIGHTS.write, "resource") as KernelResource;
    this.#record(op.WRITE_TO, task, target);
    return writeDevice(s, task, resource, data);
  }

  closeResource(target: Handle): void {
    const task = this.#running(op.CLOSE_RESOURCE);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.CLOSE_RESOURCE, task, target, RIGHTS.revoke, "resource");
    this.#record(op.CLOSE_RESOURCE, task, target);
    (resource as KernelResource).close();
  }

  // The world

  now(): number {
    const task = this.#enter(op.NOW, 0);
    const now = this.#scheduler.setup.clock.wallMs();
    this.#scheduler.seam.journal.outcome(task.id, op.NOW, now, false);
    return now;
  }

  monotonic(): number {
    const task = this.#enter(op.MONOTONIC, 0);
    const nowMs = this.#scheduler.setup.clock.monotonicMs();
    this.#scheduler.seam.journal.outcome(task.id, op.MONOTONIC, nowMs, false);
    return nowMs;
  }

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

  log(level: LogLevel, message: string, fields?: LogFields): void {
    const task = this.#enter(op.LOG, 0);
    const context = { ...fields, task: task.id, path: task.path(), name: task.extra?.name || undefined };
    this.#scheduler.setup.logger?.log(level, message, context);
  }

  exec<Value = unknown>(tool: Handle, input: unknown): Operation<Value> {
    return this.#arm<Value>(op.EXEC, tool, input, undefined);
  }

  fetch(grant: Handle, request: FetchRequest): Operation<HttpResponse> {
    return this.#arm<HttpResponse>(op.FETCH, grant, request, undefined);
  }

  file(root: Handle, operation: FileRequest): Operation<never> {
    return this.#arm<never>(op.FILE, root, operation, undefined);
  }

  model<Answer = unknown>(model: Handle, request: unknown): Operation<Answer> {
    return this.#arm<Answer>(op.MODEL, model, request, undefined);
  }

  approve(approver: Handle, question: string): Operation<Approval> {
    return this.#arm<Approval>(op.APPROVE, approver, question, undefined);
  }

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
    s.seam.trace.write(opcode, DONE, task.id, typeof argument === "number" ? argument : 0);
  }

  #enter(opcode: number, argument: number): Task {
    const task = this.#running(opcode);
    this.#record(opcode, task, argument);
    return task;
  }

  /** The task that is meant, when this one has authority over it. Undefined when a capability names one that is forgotten. */
  #target(opcode: number, self: Task, target: TaskTarget, rights: Rights): Task | undefined {
    if (typeof target !== "object" || target === null) return this.#ownTask(opcode, self, target);
    const { seam, tasks } = this.#scheduler;
    const object = seam.authorize(opcode, self, target.by, rights, "task") as TaskObject;
    return tasks.get(object.id);
  }

  /** A task that its own call killed goes no further. */
  #unlessKilled(self: Task): void {
    if ((self.flags & KILLED) !== 0) throw new TaskKilledError(self.id);
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

/** What the trace shows of a task that is named. */
function numberOf(target: TaskTarget): number {
  const number: unknown = typeof target === "object" && target !== null ? target.by : target;
  return typeof number === "number" ? number : 0;
}

/** Wake tasks that wait for a key. */
export function wakeKey(scheduler: Scheduler, key: unknown, value: unknown, count: number): number {
  const queue = scheduler.waits.find(key);
  let woken = 0;
  while (queue !== undefined && woken < count && scheduler.wakeOne(queue, value)) woken++;
  scheduler.waits.prune(key);
  return woken;
}

/** The task that sent a call or an envelope. @throws {BadOptionError} */
function senderOf(message: unknown): TaskId {
  const from = typeof message === "object" && message !== null ? (message as Partial<Call>).from : undefined;
  if (typeof from === "number") return from;
  throw new BadOptionError("the message whose trace is asked for", message, "a call or an envelope");
}
