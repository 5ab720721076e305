/**
 * What a parked task waits for, in words for people: the object by kind and handle, the task, or the key.
 *
 * WF1. Only what the dump needs is looked at, and nothing is kept while tasks run: the queues a task stands in are matched with the
 *      objects it holds and with the tasks that are waited for.
 */
import type { PendingReply } from "./call.ts";
import type { CapabilityFacts, KernelObject } from "./capability-table.ts";
import { External } from "./external.ts";
import * as op from "./opcodes.ts";
import type { KernelService } from "./services/service.ts";
import { shown } from "./shown.ts";
import type { Task, TaskList } from "./task.ts";

/** Waits of one select that are named; the others are counted. */
const NAMED_WAITS = 4;
/** Characters of a key that are shown. */
const KEY_LENGTH = 40;

interface Queues {
  readonly takers: TaskList;
  readonly senders?: TaskList;
  readonly writers?: TaskList;
  readonly endpoint?: { readonly senders: TaskList } | undefined;
}

/** Names what tasks wait for; made anew for each dump. */
export class WaitNames {
  readonly #ends = new Map<TaskList, string>();

  /** O(tasks). */
  constructor(tasks: Iterable<Task>) {
    for (const task of tasks) {
      const { waiters, extra } = task;
      if (waiters !== null) this.#ends.set(waiters, `the end of task ${task.id}${named(extra?.name)}`);
    }
  }

  /** What `task` waits for; empty when its syscall says it all. `held`: its capabilities. */
  of(task: Task, held: readonly CapabilityFacts[]): string {
    if (task.arg instanceof External) return serviceText(task.arg.service);
    if (task.op === op.WAIT_ON) return `key ${keyText(task.arg)}`;
    if (task.list !== null) return this.#name(task.list, held);
    if (task.op === op.CALL) return replyThrough((task.arg as PendingReply).to, held);
    const nodes = task.extra?.nodes ?? [];
    const names = nodes.slice(0, NAMED_WAITS).map(({ queue }) => this.#name(queue, held) || "a key");
    if (nodes.length > NAMED_WAITS) names.push(`${nodes.length - NAMED_WAITS} more`);
    return names.join(" or ");
  }

  #name(queue: TaskList, held: readonly CapabilityFacts[]): string {
    const end = this.#ends.get(queue);
    if (end !== undefined) return end;
    const found = held.find(({ object }) => standsAt(object as Queues, queue));
    return found === undefined ? "" : `${found.kind} ${found.handle}`;
  }
}

/** A call that was received waits for its reply only. */
function replyThrough(target: unknown, held: readonly CapabilityFacts[]): string {
  const found = held.find(({ object }) => object === target || (object as Queues).endpoint === target);
  return found === undefined ? "a reply" : `a reply through ${found.kind} ${found.handle}`;
}

function serviceText(service: KernelObject | null): string {
  return service === null ? "" : `${service.kind} ${JSON.stringify((service as KernelService).name)}`;
}

function standsAt({ takers, senders, writers, endpoint }: Queues, queue: TaskList): boolean {
  return takers === queue || (senders ?? endpoint?.senders) === queue || writers === queue;
}

function named(name: string | undefined): string {
  return name === undefined || name === "" ? "" : ` (${name})`;
}

function keyText(key: unknown): string {
  if (typeof key === "object" && key !== null) return "(an object)";
  const text = typeof key === "string" ? JSON.stringify(key) : shown(key);
  return text.length > KEY_LENGTH ? `${text.slice(0, KEY_LENGTH)}...` : text;
}
