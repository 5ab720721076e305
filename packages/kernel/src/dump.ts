/** The state of a kernel as plain data, for people and for `--dump-state`. */
import type { AccountDump } from "./budget/account.ts";
import type { CapabilityFacts, KernelObject } from "./capability-table.ts";
import type { Channel } from "./channel/channel.ts";
import type { BadgedEndpoint, Endpoint, EndpointState } from "./endpoint/endpoint.ts";
import type { Handle } from "./handle.ts";
import type { LeasedMailbox } from "./lease/leased-mailbox.ts";
import type { Mailbox } from "./mailbox.ts";
import { OPCODE_NAMES } from "./opcodes.ts";
import { LEVEL_NAMES, type Priority } from "./ready-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { KernelCounters } from "./seam.ts";
import { KILLED, STATE_NAMES, type Task, type TaskId, type TaskState, THROTTLED, WAITING } from "./task.ts";
import { WaitNames } from "./waits-for.ts";

/** Tasks one dump describes; the rest is counted in `omitted`. */
export const DUMP_TASKS = 10_000;

/** One task of a dump. */
export interface TaskDump {
  readonly id: TaskId;
  /** Parent's path and spawn index: the same in every run of the same program. */
  readonly path: string;
  readonly name: string;
  readonly state: TaskState;
  readonly priority: Priority;
  /** The syscall it waits in; empty when it is ready, running or throttled. */
  readonly waitsIn: string;
  /** What it waits for there, for people: `mailbox 3`, `the end of task 7 (worker)`, `key "door"`; empty when there is no more to say. */
  readonly waitsFor: string;
  /** Monotonic time at which its timer fires; for a throttled task, when its budget lets it go on. */
  readonly deadlineMs: number | undefined;
  /** Whether it is being ended. */
  readonly killed: boolean;
  /** The account its calls of services are paid from. */
  readonly account: string;
  /** Its handles, newest first; mailboxes with what they hold. */
  readonly handles: readonly HandleDump[];
}

/** One handle of a dump. */
export interface HandleDump {
  readonly handle: Handle;
  readonly kind: string;
  readonly rights: number;
  /** Messages in the mailbox or channel; of a mailbox with leases, those that wait. Undefined for other objects. */
  readonly messages: number | undefined;
  /** Who waits at an endpoint; undefined for other objects. */
  readonly state: EndpointState | undefined;
}

/** A job queue of a dump (`@glia-os/kernel/jobs`). */
export interface QueueDump {
  readonly name: string;
  readonly priority: Priority;
  readonly weight: number;
  readonly concurrency: number;
  readonly capacity: number;
  /** Jobs that wait for their turn, that run, and that wait for another attempt. */
  readonly queued: number;
  readonly running: number;
  readonly backingOff: number;
  /** Tasks that wait to submit. */
  readonly waitingForRoom: number;
  /** 0 to 1; and whether producers are asked to pause. */
  readonly pressure: number;
  readonly paused: boolean;
  /** Counts since the queue was made. */
  readonly submitted: number;
  readonly finished: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly refused: number;
  readonly retried: number;
}

/** A whole kernel. */
export interface KernelDump {
  readonly monotonicMs: number;
  readonly tasks: readonly TaskDump[];
  /** Live tasks not described. */
  readonly omitted: number;
  /** Ready tasks per priority. */
  readonly ready: Readonly<Record<Priority, number>>;
  /** Keys that tasks wait for. */
  readonly keys: number;
  /** Timers that are set. */
  readonly timers: number;
  /** Handles of the shell. */
  readonly shell: readonly HandleDump[];
  readonly counters: Readonly<KernelCounters>;
  /** The account of the kernel, then those of the tasks described. */
  readonly accounts: readonly AccountDump[];
  /** Job queues of the services on this kernel. */
  readonly queues: readonly QueueDump[];
}

/** Describe everything. O(tasks). */
export function dumpState(scheduler: Scheduler, queues: readonly QueueDump[]): KernelDump {
  const tasks: TaskDump[] = [];
  const waits = new WaitNames(scheduler.tasks.values());
  const accounts = new Set([scheduler.setup.account]);
  for (const task of scheduler.tasks.values()) {
    if (task.state > WAITING) continue;
    if (tasks.length === DUMP_TASKS) break;
    tasks.push(dumpTask(scheduler, task, waits));
    const account = task.extra?.account;
    if (account) accounts.add(account);
  }
  const depths = scheduler.ready.depths();
  const ready = Object.fromEntries(LEVEL_NAMES.map((name, level) => [name, depths[level] ?? 0]));
  return {
    monotonicMs: scheduler.setup.clock.monotonicMs(),
    tasks,
    omitted: scheduler.live - tasks.length,
    ready: ready as Record<Priority, number>,
    keys: scheduler.waits.size,
    timers: scheduler.timers.size + scheduler.alarms.size,
    shell: dumpHandles(scheduler.capabilities.list(scheduler.shell)),
    counters: { ...scheduler.seam.counters },
    accounts: [...accounts].map((account) => account.dump()),
    queues,
  };
}

function dumpTask(scheduler: Scheduler, task: Task, waits: WaitNames): TaskDump {
  const held = scheduler.capabilities.list(task);
  const parked = task.state > THROTTLED && scheduler.current !== task;
  return {
    id: task.id,
    path: task.path(),
    name: task.extra?.name ?? "",
    state: STATE_NAMES[task.state] ?? "ready",
    priority: LEVEL_NAMES[task.level] ?? "normal",
    waitsIn: parked ? (OPCODE_NAMES[task.op] ?? "") : "",
    waitsFor: parked ? waits.of(task, held) : "",
    deadlineMs: scheduler.timers.deadlineOf(task),
    killed: (task.flags & KILLED) !== 0,
    account: (task.extra?.account ?? scheduler.setup.account).name,
    handles: dumpHandles(held),
  };
}

function messagesIn(object: KernelObject): number | undefined {
  if (object.kind === "mailbox" || object.kind === "channel") return (object as Mailbox | Channel).size;
  return object.kind === "leased-mailbox" ? (object as LeasedMailbox).waiting : undefined;
}

function dumpHandles(held: readonly CapabilityFacts[]): readonly HandleDump[] {
  return held.map(({ handle, kind, rights, object }) => ({
    handle: handle as Handle,
    kind,
    rights,
    messages: messagesIn(object),
    state: object.kind === "endpoint" ? (object as Endpoint | BadgedEndpoint).endpoint.state : undefined,
  }));
}
