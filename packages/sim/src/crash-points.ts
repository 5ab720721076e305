/**
 * Counts the syscalls of each task and ends tasks at chosen ones.
 *
 * CP1. A killed task is killed by the kernel's own `kill`: its `finally` blocks run, and a program that catches the error can neither
 *      wait again nor end in another way than killed.
 * CP2. `before` call k: calls 0 to k-1 were made, call k was not. `inside` call k: it was made; the task dies while it waits in it, or
 *      at its next call when it did not have to wait.
 * CP3. Programs see syscalls that behave as the kernel's; who calls is the task that runs, whichever `sys` object it uses.
 */
import {
  type Kernel,
  type Program,
  type SpawnOptions,
  type Sys,
  type TaskId,
  TaskKilledError,
} from "@glia-os/kernel";
import type { FaultPlan } from "./fault.ts";
import type { Recorder } from "./recorder.ts";

interface Watched {
  readonly path: string;
  calls: number;
  /** Dies as soon as it waits or calls again. */
  doomed: boolean;
  killed: boolean;
}

/** What crash points are made with. */
export interface CrashSetup {
  readonly kernel: Kernel;
  readonly recorder: Recorder;
  readonly plan: FaultPlan;
  /** Events after which every task that makes a call is ended. */
  readonly stepsMax: number;
}

/** The crash points of one kernel. */
export class CrashPoints {
  /** Syscalls made per task path. */
  readonly calls: Map<string, number> = new Map();
  readonly #setup: CrashSetup;
  readonly #watched = new Map<TaskId, Watched>();
  readonly #doomed = new Set<TaskId>();
  #view: Sys | null = null;
  readonly #members = new Map<PropertyKey, unknown>();

  constructor(setup: CrashSetup) {
    this.#setup = setup;
  }

  /** Make a task by `spawn`, and watch it. */
  spawn(
    spawn: (program: Program, options?: SpawnOptions) => TaskId,
    program: Program,
    options?: SpawnOptions,
  ): TaskId {
    // What is no program is the kernel's to refuse.
    const watched: Program =
      typeof program === "function" ? (sys, ...given) => program(this.#viewOf(sys), ...given) : program;
    const id = spawn(watched, options);
    const path = this.#setup.recorder.pathOf(id);
    this.#watched.set(id, { path, calls: 0, doomed: false, killed: false });
    this.calls.set(path, 0);
    return id;
  }

  /** End the doomed tasks that wait. For between two turns. Returns whether there was one. */
  strike(): boolean {
    if (this.#doomed.size === 0) return false;
    for (const id of this.#doomed) {
      const task = this.#watched.get(id);
      if (task !== undefined) task.killed = true;
      this.#setup.kernel.kill(id, "simulated crash");
    }
    this.#doomed.clear();
    return true;
  }

  /** Forget a task that ended. */
  ended(id: TaskId): void {
    this.#watched.delete(id);
    this.#doomed.delete(id);
  }

  #enter(): void {
    const { recorder, plan, stepsMax } = this.#setup;
    const id = recorder.running;
    const task = this.#watched.get(id);
    if (task === undefined) return;
    const call = task.calls++;
    this.calls.set(task.path, task.calls);
    if (task.killed) return;
    if (task.doomed || recorder.steps >= stepsMax) this.#kill(id, task);
    const fault = plan.kill(task.path, call);
    if (fault?.when === "before") this.#kill(id, task);
    if (fault?.when !== "inside") return;
    task.doomed = true;
    this.#doomed.add(id);
  }

  #kill(id: TaskId, task: Watched): never {
    task.killed = true;
    this.#doomed.delete(id);
    this.#setup.kernel.kill(id, "simulated crash");
    throw new TaskKilledError(id);
  }

  /** The syscalls with a crash point before each. One object per kernel, because the kernel has one. */
  #viewOf(sys: Sys): Sys {
    return (this.#view ??= new Proxy(sys, { get: (target, key) => this.#member(target, key) }));
  }

  #member(sys: Sys, key: PropertyKey): unknown {
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const value: unknown = Reflect.get(sys, key, sys);
    if (typeof value !== "function") return value;
    const call = (...args: unknown[]): unknown => {
      this.#enter();
      if (key !== "spawn") return Reflect.apply(value, sys, args);
      const spawn = (program: Program, options?: SpawnOptions): TaskId => sys.spawn(program, options);
      return this.spawn(spawn, args[0] as Program, args[1] as SpawnOptions | undefined);
    };
    this.#members.set(key, call);
    return call;
  }
}
