/** The children of one supervisor, in the order of their start. */
import type { TaskId } from "../task.ts";
import type { Child } from "./child.ts";
import type { SupervisorPlan } from "./child-spec.ts";
import { UnknownChildError } from "./errors.ts";
import type { ChildCounts, ChildFacts, ChildKey } from "./supervisor-request.ts";

/** Children by id, by task and in order. */
export class ChildList {
  readonly #plan: SupervisorPlan;
  readonly #all: Set<Child> = new Set();
  readonly #byTask: Map<TaskId, Child> = new Map();

  constructor(plan: SupervisorPlan) {
    this.#plan = plan;
  }

  get simple(): boolean {
    return this.#plan.strategy === "simple_one_for_one";
  }

  get size(): number {
    return this.#all.size;
  }

  add(child: Child): void {
    this.#all.add(child);
  }

  has(child: Child): boolean {
    return this.#all.has(child);
  }

  remove(child: Child): void {
    this.#all.delete(child);
  }

  /** All, in the order of their start. */
  inOrder(): readonly Child[] {
    return [...this.#all];
  }

  /** The child that runs as a task. */
  ofTask(task: TaskId): Child | undefined {
    return this.#byTask.get(task);
  }

  /** A child runs as a task from now on. */
  runs(child: Child, task: TaskId): void {
    child.task = task;
    child.state = "running";
    this.#byTask.set(task, child);
  }

  /** Its task ended and that was dealt with. */
  rests(child: Child): void {
    if (child.task !== undefined) this.#byTask.delete(child.task);
    child.task = undefined;
    child.ended = undefined;
    child.state = "stopped";
  }

  /** The child with an id; of a simple_one_for_one the one that runs as a task. @throws {UnknownChildError} */
  find(key: ChildKey): Child {
    const child = this.simple ? this.#byTask.get(key as TaskId) : this.byId(key);
    if (child === undefined) throw new UnknownChildError(key);
    return child;
  }

  /** The child with an id. */
  byId(id: ChildKey): Child | undefined {
    for (const child of this.#all) if (child.spec.id === id) return child;
    return undefined;
  }

  /** Whom a failure of this child concerns, in the order of their start. */
  groupOf(child: Child): readonly Child[] {
    const { strategy } = this.#plan;
    if (strategy === "one_for_all") return this.inOrder();
    if (strategy !== "rest_for_one") return [child];
    const all = this.inOrder();
    return all.slice(all.indexOf(child));
  }

  /** For `whichChildren`. */
  facts(): readonly ChildFacts[] {
    return this.inOrder().map(({ spec, task, state }) => ({
      id: spec.id,
      task,
      state,
      type: spec.type ?? "worker",
    }));
  }

  /** For `countChildren`. */
  counts(): ChildCounts {
    let active = 0;
    let supervisors = 0;
    for (const child of this.#all) {
      if (child.state === "running") active++;
      if (child.spec.type === "supervisor") supervisors++;
    }
    const specs = this.simple ? 1 : this.size;
    return { specs, active, supervisors, workers: this.size - supervisors };
  }
}
