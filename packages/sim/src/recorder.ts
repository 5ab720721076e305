/**
 * Listens to a kernel at its ports and hashes what happens.
 *
 * RE1. The hash covers every event in order: virtual time, kind, task path, what, detail, argument. Tasks are named by path, so no
 *      number of the run's own goes in except handles, which are the same in every equal run.
 * RE2. Listening changes nothing: what the kernel does is the same with and without it.
 */
import { type SyscallRow, syscallByNumber } from "@glia-os/abi/syscalls";
import type { Exit, OutcomeJournal, SyscallTracer, TaskId, TaskObserver, TaskState } from "@glia-os/kernel";
import { Fnv1a64 } from "./fnv1a64.ts";
import type { TaskLogs } from "./task-logs.ts";
import type { TraceEvent } from "./trace-event.ts";
import { digestOf } from "./value-digest.ts";
import type { VirtualTime } from "./virtual-time.ts";

const names: string[] = [];

/** The name of a syscall by its number. */
export function syscallName(op: number): string {
  const row: SyscallRow | undefined = names[op] === undefined ? syscallByNumber(op) : undefined;
  return (names[op] ??= row?.name ?? `#${op}`);
}

/** What a recorder is made with. */
export interface RecorderSetup {
  readonly time: VirtualTime;
  /** The path of a live task that the recorder has not met. */
  readonly pathOf: (task: TaskId) => string;
  /** Events to keep. */
  readonly keep: number;
  readonly logs: TaskLogs | null;
}

/** The listener on all ports of one kernel. */
export class Recorder implements SyscallTracer, TaskObserver, OutcomeJournal {
  /** Events so far. */
  steps = 0;
  /** The task whose code runs. */
  running: TaskId = 0 as TaskId;
  readonly events: TraceEvent[] = [];
  /** Tasks that ended and whose exit was not recorded. */
  readonly #ended: TaskId[] = [];
  readonly #paths = new Map<TaskId, string>([[0 as TaskId, "shell"]]);
  readonly #hash: Fnv1a64 = new Fnv1a64();
  readonly #setup: RecorderSetup;

  constructor(setup: RecorderSetup) {
    this.#setup = setup;
  }

  /** The hash of all events so far. */
  get traceHash(): string {
    return this.#hash.hex();
  }

  /** The path of a task, once it has been seen alive. */
  pathOf(task: TaskId): string {
    let path = this.#paths.get(task);
    if (path === undefined) {
      path = this.#setup.pathOf(task);
      this.#paths.set(task, path);
    }
    return path;
  }

  syscall(task: TaskId, op: number, outcome: "done" | "parked" | "refused", argument: number): void {
    const path = this.pathOf(task);
    this.#setup.logs?.call(path, syscallName(op), outcome === "refused", argument, this.#paths);
    this.#add("call", path, syscallName(op), outcome, argument);
  }

  transition(task: TaskId, from: TaskState, to: TaskState): void {
    const path = this.pathOf(task);
    if (to === "running") this.running = task;
    else if (from === "running") this.running = 0 as TaskId;
    if (to === "finished" || to === "failed" || to === "cancelled") this.#ended.push(task);
    this.#add("state", path, `${from}>${to}`, "", 0);
  }

  intent(task: TaskId, op: number): void {
    this.#add("intent", this.pathOf(task), syscallName(op), "", 0);
  }

  outcome(task: TaskId, op: number, value: unknown, failed: boolean): void {
    const path = this.pathOf(task);
    const digest = digestOf(value);
    this.#setup.logs?.outcome(path, syscallName(op), failed, digest);
    this.#add(failed ? "failure" : "outcome", path, syscallName(op), digest, 0);
  }

  /** Record the ends since the last time. Returns their tasks and exits by path. */
  ends(exitOf: (task: TaskId) => Exit | undefined): readonly (readonly [TaskId, string, Exit])[] {
    if (this.#ended.length === 0) return [];
    return this.#ended.splice(0).map((task) => {
      const path = this.pathOf(task);
      const exit = exitOf(task)!;
      const digest = digestOf(contentOf(exit));
      this.#setup.logs?.end(path, exit.kind, digest);
      this.#add("end", path, exit.kind, digest, 0);
      return [task, path, exit] as const;
    });
  }

  #add(kind: TraceEvent["kind"], task: string, what: string, detail: string, argument: number): void {
    const step = ++this.steps;
    const atMs = this.#setup.time.nowMs;
    const hash = this.#hash;
    hash.number(atMs);
    hash.text(kind);
    hash.text(task);
    hash.text(what);
    hash.text(detail);
    hash.number(argument);
    if (this.events.length < this.#setup.keep)
      this.events.push({ step, atMs, kind, task, what, detail, argument });
  }
}

function contentOf(exit: Exit): unknown {
  if (exit.kind === "ok") return exit.value;
  return exit.kind === "failed" ? exit.error : exit.reason;
}
