/** The kernel of `kernel.ts`, put together from its parts. */
import type { Clock, Random, SpanContext } from "@glia-os/abi/ports";
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { Account, type AccountDump } from "./budget/account.ts";
import { amountsOf, type Cost } from "./budget/amounts.ts";
import { Channel } from "./channel/channel.ts";
import { closeOrphan, offerTo, sourceOf } from "./channel/port.ts";
import { NOTHING } from "./channel/waiting.ts";
import * as limits from "./constants.ts";
import { dumpState, type KernelDump, type QueueDump } from "./dump.ts";
import { checkDuration } from "./duration.ts";
import { Endpoint } from "./endpoint/endpoint.ts";
import {
  BadOptionError,
  ReentrantSliceError,
  ShuttingDownError,
  UnknownTaskError,
  WrongObjectError,
} from "./errors.ts";
import type { Handle } from "./handle.ts";
import { closeMailbox, NO_ROOM, offer, raise, TAKEN, take } from "./ipc.ts";
import type { Delivery, Kernel, KernelOptions, ShutdownState, SliceEnd } from "./kernel.ts";
import { type Mailbox, type MailboxOptions, whole } from "./mailbox.ts";
import { Notification } from "./notification.ts";
import { wakeKey } from "./object-calls.ts";
import { type CurrentTask, currentTask } from "./observe/current-task.ts";
import { type Observation, observation } from "./observe/observation.ts";
import { ObserverList, type TaskObserver } from "./observe/task-observer.ts";
import { mailboxOf } from "./observe/timed-mailbox.ts";
import type { SyscallRecord } from "./observe/trace-image.ts";
import * as op from "./opcodes.ts";
import { MemoryJournal } from "./outcome-journal.ts";
import { CheckedSys } from "./reference/checked-sys.ts";
import { type Device, KernelResource, type Resource } from "./resources/resource.ts";
import { Scheduler } from "./scheduler.ts";
import type { UnobservedFailure } from "./scheduler-setup.ts";
import { type KernelCounters, Seam } from "./seam.ts";
import { KernelService, type Service } from "./services/service.ts";
import { INDEX_LIMIT } from "./slot-id.ts";
import { spawnTask } from "./spawn.ts";
import type { Program, SpawnOptions } from "./sys.ts";
import { type Exit, type Task, type TaskId, WAITING } from "./task.ts";
import { TaskSys } from "./task-sys.ts";
import { TimerHeap } from "./timer-heap.ts";
import type { TimerQueue } from "./timer-wheel/timer-queue.ts";
import { TimerWheel } from "./timer-wheel/timer-wheel.ts";
import { TraceRing } from "./trace-ring.ts";
import { TracedSyscalls } from "./traced-syscalls.ts";

const DEFAULT_SLICE = 1024;
const HALF_INDEX_LIMIT = INDEX_LIMIT / 2;

/** A kernel in this process. */
class LocalKernel implements Kernel {
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #trace: TraceRing;
  readonly #observation: Observation;
  readonly #observers: ObserverList;
  readonly #clock: Clock;
  readonly #queues = new Set<() => readonly QueueDump[]>();
  #inSlice = false;
  #wakeShell: (() => void) | null = null;
  /** When a kernel that drains cancels its tasks, and how long they then have. */
  #cancelAtMs = Number.POSITIVE_INFINITY;
  #graceMs = 0;
  #endAtMs = Number.POSITIVE_INFINITY;
  #forced = false;

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
    const records = options.traceRecords ?? limits.TRACE_RECORDS;
    this.#observation = observation(options, (task) => this.pathOf(task));
    const { tracer, logger, times, spans } = this.#observation;
    this.#trace = tracer === null ? new TraceRing(records) : new TracedSyscalls(records, tracer);
    this.#scheduler = new Scheduler({
      clock: options.clock,
      random: options.random,
      logger,
      choose: options.choose ?? null,
      account: new Account({ ...limits.ACCOUNT, ...options.account }),
      timers: timersOf(options.timers ?? "heap", options.clock.monotonicMs()),
      taskLimit,
      endedLimit,
      handleLimit,
      turnSyscalls,
      agingSwitches,
    });
    this.#scheduler.times = times;
    this.#scheduler.spans = spans;
    this.#observers = new ObserverList(this.#scheduler, logger);
    for (const observer of this.#observation.observers) this.#observers.add(observer);
    const journal = options.journal ?? new MemoryJournal(limits.JOURNAL_RECORDS);
    const seam = new Seam(this.#scheduler.capabilities, this.#trace, journal, options.meter ?? null);
    seam.onRefused = options.onRefused;
    const Syscalls = options.checkReferences === true ? CheckedSys : TaskSys;
    this.#scheduler.attach(seam, new Syscalls(this.#scheduler), (object) => {
      if (object.kind === "mailbox") closeMailbox(this.#scheduler, object as Mailbox);
      else if (object.kind === "resource") (object as KernelResource).close();
      else closeOrphan(this.#scheduler, object);
    });
  }

  // Running

  runSlice(switches: number = DEFAULT_SLICE): SliceEnd {
    whole("switches", switches, 1, 1_000_000);
    if (this.#inSlice) throw new ReentrantSliceError();
    const s = this.#scheduler;
    if (!this.regain()) return "microtasks";
    this.#inSlice = true;
    s.announce = null;
    try {
      const now = this.#clock.monotonicMs();
      this.#trace.begin(now);
      s.times?.begin(now);
      s.expire(now);
      if (now >= this.#cancelAtMs) this.#cancelAll(now);
      if (now >= this.#endAtMs) this.#force();
      s.seam.counters.switches += s.run(switches);
    } finally {
      this.#inSlice = false;
      s.seam.publish();
      s.times?.publish();
    }
    if (s.outside !== null) {
      s.ready.release();
      s.outside.left();
      return "microtasks";
    }
    if (!s.ready.empty) return "more";
    s.announce = this.#wakeShell;
    return "idle";
  }

  regain(): boolean {
    const { outside } = this.#scheduler;
    return outside === null || outside.regained();
  }

  nextDeadlineMs(): number | undefined {
    const next = Math.min(
      this.#scheduler.timers.next,
      this.#scheduler.alarms.next,
      this.#scheduler.live > 0 ? Math.min(this.#cancelAtMs, this.#endAtMs) : Infinity,
    );
    return next === Number.POSITIVE_INFINITY ? undefined : next;
  }

  msUntilDeadline(): number | undefined {
    const next = this.nextDeadlineMs();
    return next === undefined ? undefined : Math.max(0, next - this.#clock.monotonicMs());
  }

  onWork(wake: () => void): void {
    this.#wakeShell = wake;
    const s = this.#scheduler;
    if (!s.ready.empty) wake();
    else if (!this.#inSlice) s.announce = wake;
  }

  get liveTasks(): number {
    return this.#scheduler.live;
  }

  get shutdownState(): ShutdownState {
    if (!this.#scheduler.closing && !this.#draining) return "running";
    if (this.#scheduler.live > 0) return "ending";
    return this.#forced ? "forced" : "clean";
  }

  shutdown(timeoutMs: number, drainMs = 0): void {
    checkDuration(timeoutMs, "a shutdown's time limit");
    checkDuration(drainMs, "the time to drain");
    if (this.#scheduler.closing) return;
    const now = this.#clock.monotonicMs();
    this.#graceMs = timeoutMs;
    this.#cancelAtMs = now + drainMs;
    if (drainMs === 0) this.#cancelAll(now);
  }

  // Tasks

  spawn<Result>(program: Program<Result>, options?: SpawnOptions): TaskId {
    if (this.#draining) throw new ShuttingDownError();
    return spawnTask(this.#scheduler, this.#scheduler.shell, program, options).id;
  }

  kill(task: TaskId, reason?: unknown): void {
    this.#scheduler.kill(this.#task(task), reason);
  }

  cancel(task: TaskId, reason?: unknown): void {
    this.#scheduler.cancel(this.#task(task), reason);
  }

  pathOf(task: TaskId): string {
    const found = this.#task(task);
    if (found.state > WAITING) throw new UnknownTaskError(task);
    return found.path();
  }

  exitOf(task: TaskId): Exit | undefined {
    const found = this.#task(task);
    return found.state > WAITING ? (found.value as Exit) : undefined;
  }

  onExit(task: TaskId, listener: (exit: Exit) => void): void {
    const found = this.#task(task);
    if (found.state > WAITING) listener(found.value as Exit);
    else (found.more().exitListeners ??= []).push(listener);
  }

  onFailure(listener: (failure: UnobservedFailure) => void): void {
    this.#scheduler.onFailure = listener;
  }

  // Events from outside

  mailbox<Message = unknown>(options?: MailboxOptions): Handle<Message> {
    const { capabilities, shell } = this.#scheduler;
    return capabilities.mint(shell, mailboxOf(this.#scheduler, options), ALL_RIGHTS) as Handle<Message>;
  }

  channel<Message = unknown>(capacity: number): Handle<Message> {
    const { capabilities, shell } = this.#scheduler;
    return capabilities.mint(shell, new Channel(capacity), ALL_RIGHTS) as Handle<Message>;
  }

  endpoint(): Handle {
    return this.#scheduler.capabilities.mint(this.#scheduler.shell, new Endpoint(), ALL_RIGHTS);
  }

  notification(): Handle {
    return this.#scheduler.capabilities.mint(this.#scheduler.shell, new Notification(), ALL_RIGHTS);
  }

  resource(device: Device): Resource {
    return new KernelResource(this.#scheduler, device);
  }

  open(resource: Resource): Handle {
    const s = this.#scheduler;
    if (!(resource instanceof KernelResource)) throw new WrongObjectError(0, "resource", typeof resource);
    if (resource.error !== null) throw resource.error;
    return s.capabilities.mint(s.shell, resource, resource.rights);
  }

  service<Request>(service: Service<Request>): Handle {
    const offered = new KernelService(service as Service);
    return this.#scheduler.capabilities.mint(this.#scheduler.shell, offered, offered.rights);
  }

  trySend<Message>(target: Handle<Message>, message: Message): Delivery {
    const s = this.#scheduler;
    const object = s.capabilities.find(target, s.shell, RIGHTS.send);
    s.seam.calls[op.TRY_SEND]!++;
    if (object === null || object.kind !== "mailbox")
      return offerTo(s, op.TRY_SEND, s.shell, target, object, message, false) === TAKEN ? "taken" : "full";
    const mailbox = object as Mailbox;
    if (offer(s, mailbox, message, false) === NO_ROOM) return "full";
    return mailbox.pressured ? "pressured" : "taken";
  }

  onRelief(target: Handle, listener: () => void): void {
    const mailbox = this.#mailbox(op.TRY_SEND, target, RIGHTS.send);
    if (!mailbox.pressured) listener();
    else (mailbox.relief ??= []).push(listener);
  }

  tryReceive<Message = unknown>(source: Handle<Message>): Message | undefined {
    const s = this.#scheduler;
    const object = s.capabilities.find(source, s.shell, RIGHTS.receive);
    s.seam.calls[op.TRY_RECEIVE]!++;
    if (object === null || object.kind !== "mailbox") {
      const message = sourceOf(s, op.TRY_RECEIVE, s.shell, source, object).take(s);
      return message === NOTHING ? undefined : (message as Message);
    }
    const mailbox = object as Mailbox;
    return mailbox.size === 0 ? undefined : (take(s, mailbox) as Message);
  }

  signal(target: Handle, bits = 1): void {
    const s = this.#scheduler;
    whole("signal bits", bits, 1, 0x7fffffff);
    const object = s.seam.authorize(op.SIGNAL, s.shell, target, RIGHTS.signal, "notification");
    s.seam.calls[op.SIGNAL]!++;
    raise(s, object as Notification, bits);
  }

  wake(key: unknown, value?: unknown, count: number = Number.POSITIVE_INFINITY): number {
    this.#scheduler.seam.calls[op.WAKE]!++;
    return wakeKey(this.#scheduler, key, value, count);
  }

  // Capabilities of the shell

  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.GRANT, s.shell, source, RIGHTS.grant);
    const target = this.#task(task);
    if (target.state > WAITING) throw new UnknownTaskError(task);
    return s.capabilities.derive(source, target, rights) as Handle<Message>;
  }

  revoke(source: Handle): number {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.REVOKE, s.shell, source, RIGHTS.revoke);
    return s.capabilities.revoke(source);
  }

  drop(handle: Handle): void {
    const s = this.#scheduler;
    s.seam.authorizeHandle(op.DROP, s.shell, handle, 0);
    s.capabilities.drop(handle);
  }

  // Looking inside

  accountOf(task?: TaskId): AccountDump {
    const own = task === undefined ? null : this.#task(task).extra?.account;
    return (own ?? this.#scheduler.setup.account).dump();
  }

  charge(cost: Cost): void {
    const amounts = amountsOf("a charge", cost);
    this.#scheduler.setup.account.spend(amounts, amounts);
  }

  nameOf(id: TaskId): { readonly path: string; readonly name: string } | undefined {
    const task = this.#scheduler.tasks.get(id);
    return task === undefined ? undefined : { path: task.path(), name: task.extra?.name ?? "" };
  }

  dumpState(): KernelDump {
    return dumpState(
      this.#scheduler,
      [...this.#queues].flatMap((describe) => describe()),
    );
  }

  describeQueues(describe: () => readonly QueueDump[]): () => void {
    this.#queues.add(describe);
    return () => {
      this.#queues.delete(describe);
    };
  }

  counters(): Readonly<KernelCounters> {
    return { ...this.#scheduler.seam.counters };
  }

  syscallCounts(): Readonly<Record<string, number>> {
    const { calls } = this.#scheduler.seam;
    return Object.fromEntries(
      Object.entries(op.OPCODE_NAMES).map(([number, name]) => [name, calls[Number(number)]!]),
    );
  }

  trace(): readonly SyscallRecord[] {
    return this.#trace.records();
  }

  traceImage(): Uint8Array {
    return this.#trace.image();
  }

  observe(observer: Partial<TaskObserver>): () => void {
    return this.#observers.add(observer);
  }

  current(): CurrentTask | undefined {
    const { current, outside, spans } = this.#scheduler;
    const task = current ?? outside?.holder ?? null;
    return task === null ? undefined : currentTask(task, spans?.contextOf(task.id));
  }

  spanOf(task: TaskId): SpanContext | undefined {
    return this.#scheduler.spans?.contextOf(task);
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

  /** Whether tasks may end by themselves before they are cancelled. */
  get #draining(): boolean {
    return this.#cancelAtMs !== Number.POSITIVE_INFINITY;
  }

  #cancelAll(now: number): void {
    const s = this.#scheduler;
    s.closing = true;
    this.#cancelAtMs = Number.POSITIVE_INFINITY;
    this.#endAtMs = now + this.#graceMs;
    for (const task of [...s.tasks.values()]) s.cancel(task, "shutdown");
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

function timersOf(kind: "heap" | "wheel", nowMs: number): TimerQueue<Task> {
  if (kind === "heap") return new TimerHeap<Task>();
  if (kind === "wheel") return new TimerWheel<Task>(nowMs);
  throw new BadOptionError("timers", kind, "heap or wheel");
}

/** A new kernel without tasks. Takes no resources of the process: no timer, no thread, no handle. @throws {BadOptionError} */
export function createKernel(options: KernelOptions): Kernel {
  return new LocalKernel(options);
}
