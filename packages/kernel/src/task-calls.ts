/**
 * The syscalls about tasks: making, waiting for and ending them; links, monitors and names (`sys.ts`).
 *
 * TC1. A task has authority over itself, its children and those it holds a capability to, and over no other.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { formatTraceparent } from "@glia-os/abi/wire";
import type { Call } from "./call.ts";
import { Checkpoint } from "./checkpoint.ts";
import type { Endpoint } from "./endpoint/endpoint.ts";
import {
  BadOptionError,
  NotParentError,
  OutsideTaskError,
  TaskKilledError,
  UnknownTaskError,
} from "./errors.ts";
import type { Handle } from "./handle.ts";
import type { Mailbox } from "./mailbox.ts";
import { WaitOperation, YieldOperation } from "./message-operations.ts";
import * as op from "./opcodes.ts";
import type { Operation } from "./operation.ts";
import type { Performer } from "./performer.ts";
import type { Scheduler } from "./scheduler.ts";
import { spawnTask } from "./spawn.ts";
import type { MonitorId } from "./supervision/monitor-id.ts";
import { PUBLISHED } from "./supervision/names.ts";
import { refuseCall } from "./supervision/refuse.ts";
import { TASK_RIGHTS, TaskObject, type TaskTarget } from "./supervision/task-capability.ts";
import type { Program, SpawnOptions } from "./sys.ts";
import { arm, enter, record, running } from "./sys-entry.ts";
import { CANCEL_ASKED, type Exit, KILLED, type Task, type TaskId } from "./task.ts";

// Constants of this module: the engine folds them, which it does not do with what a module imports.
const YIELD = op.YIELD;
const WAIT = op.WAIT;

/** The syscalls about tasks. */
export class TaskCalls {
  readonly #scheduler: Scheduler;
  readonly #performer: Performer;
  readonly #yield: YieldOperation;
  readonly #wait: WaitOperation;

  constructor(scheduler: Scheduler, performer: Performer) {
    this.#scheduler = scheduler;
    this.#performer = performer;
    this.#yield = new YieldOperation(scheduler);
    this.#wait = new WaitOperation(scheduler);
  }

  // Tasks

  getTid(): TaskId {
    return enter(this.#scheduler, op.GET_TID, 0).id;
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
    return arm<void>(this.#performer, op.SLEEP, durationMs, undefined, undefined);
  }

  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    const task = enter(this.#scheduler, op.SPAWN, 0);
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
    return arm<readonly [TaskId, Exit]>(this.#performer, op.WAIT_ANY, tasks, undefined, undefined);
  }

  kill(task: TaskTarget, reason?: unknown): void {
    const self = enter(this.#scheduler, op.KILL, numberOf(task));
    const target = this.#target(op.KILL, self, task, RIGHTS.kill);
    if (target === undefined) return;
    this.#scheduler.kill(target, reason);
    if (target === self) throw new TaskKilledError(self.id);
  }

  cancel(task: TaskTarget, reason?: unknown): void {
    const self = enter(this.#scheduler, op.CANCEL, numberOf(task));
    const target = this.#target(op.CANCEL, self, task, RIGHTS.kill);
    if (target !== undefined) this.#scheduler.cancel(target, reason);
  }

  exit(value?: unknown): Operation<never> {
    return arm<never>(this.#performer, op.EXIT, value, undefined, undefined);
  }

  checkpoint(state: unknown): Operation<never> {
    return arm<never>(this.#performer, op.CHECKPOINT, new Checkpoint(state), undefined, undefined);
  }

  // Links, monitors and names

  link(task: TaskTarget): void {
    const self = enter(this.#scheduler, op.LINK, numberOf(task));
    const target = this.#target(op.LINK, self, task, RIGHTS.signal);
    if (target === undefined) throw new UnknownTaskError(numberOf(task));
    this.#scheduler.relations.link(self, target);
    this.#unlessKilled(self);
  }

  unlink(task: TaskTarget): void {
    const self = enter(this.#scheduler, op.UNLINK, numberOf(task));
    const target = this.#target(op.UNLINK, self, task, RIGHTS.signal);
    if (target !== undefined) this.#scheduler.relations.unlink(self, target);
  }

  monitor(task: TaskId, inbox: Handle): MonitorId {
    const s = this.#scheduler;
    const self = running(this.#scheduler, op.MONITOR);
    const mailbox = s.seam.authorize(op.MONITOR, self, inbox, RIGHTS.send, "mailbox") as Mailbox;
    const target = s.tasks.get(task);
    if (target === undefined) throw new UnknownTaskError(task);
    record(this.#scheduler, op.MONITOR, self, task);
    return s.relations.monitor(self, target, mailbox);
  }

  demonitor(monitor: MonitorId): boolean {
    const self = enter(this.#scheduler, op.DEMONITOR, monitor);
    return this.#scheduler.relations.demonitor(self, monitor);
  }

  trapExits(inbox: Handle | null): void {
    const s = this.#scheduler;
    const self = running(this.#scheduler, op.TRAP_EXITS);
    const mailbox =
      inbox === null ? null : s.seam.authorize(op.TRAP_EXITS, self, inbox, RIGHTS.receive, "mailbox");
    record(this.#scheduler, op.TRAP_EXITS, self, inbox ?? 0);
    s.relations.trap(self, mailbox as Mailbox | null);
  }

  exitSignal(task: TaskTarget, reason: unknown): void {
    const self = enter(this.#scheduler, op.EXIT_SIGNAL, numberOf(task));
    const target = this.#target(op.EXIT_SIGNAL, self, task, RIGHTS.signal);
    if (target === undefined) return;
    this.#scheduler.relations.signal(self, target, reason);
    this.#unlessKilled(self);
  }

  taskHandle(task: TaskId): Handle {
    const self = enter(this.#scheduler, op.TASK_HANDLE, task);
    const target = this.#ownTask(op.TASK_HANDLE, self, task);
    return this.#scheduler.capabilities.mint(self, new TaskObject(target.id), TASK_RIGHTS);
  }

  serve(inbox: Handle): void {
    const s = this.#scheduler;
    const self = running(this.#scheduler, op.SERVE);
    const kind =
      s.capabilities.find(inbox, self, RIGHTS.receive)?.kind === "endpoint" ? "endpoint" : "mailbox";
    const served = s.seam.authorize(op.SERVE, self, inbox, RIGHTS.receive, kind) as Mailbox | Endpoint;
    record(this.#scheduler, op.SERVE, self, inbox);
    served.server = self;
  }

  refuse(call: Call, error: unknown): void {
    enter(this.#scheduler, op.REFUSE, 0);
    refuseCall(this.#scheduler, call, error);
  }

  register(name: string, source: Handle, rights: Rights = PUBLISHED): void {
    const s = this.#scheduler;
    const self = running(this.#scheduler, op.REGISTER);
    s.seam.authorizeHandle(op.REGISTER, self, source, RIGHTS.name);
    record(this.#scheduler, op.REGISTER, self, source);
    s.relations.register(self, name, source, rights);
  }

  unregister(name: string): void {
    const self = enter(this.#scheduler, op.UNREGISTER, 0);
    this.#scheduler.relations.unregister(self, name);
  }

  lookup<Message = unknown>(name: string): Handle<Message> {
    const self = enter(this.#scheduler, op.LOOKUP, 0);
    const found = this.#scheduler.relations.names.lookup(self, name);
    this.#scheduler.seam.journal.outcome(self.id, op.LOOKUP, found, false);
    return found as Handle<Message>;
  }

  whereis(name: string): TaskId | undefined {
    const self = enter(this.#scheduler, op.WHEREIS, 0);
    const found = this.#scheduler.relations.names.owner(name)?.id;
    this.#scheduler.seam.journal.outcome(self.id, op.WHEREIS, found, false);
    return found;
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

/** The task that sent a call or an envelope. @throws {BadOptionError} */
function senderOf(message: unknown): TaskId {
  const from = typeof message === "object" && message !== null ? (message as Partial<Call>).from : undefined;
  if (typeof from === "number") return from;
  throw new BadOptionError("the message whose trace is asked for", message, "a call or an envelope");
}
