/** What a supervisor can be asked, and what it answers. */
import type { Handle } from "../handle.ts";
import type { TaskId } from "../task.ts";
import type { ChildState } from "./child.ts";
import type { ChildSpec } from "./child-spec.ts";

/** A child by its id, or a dynamic one by its task. */
export type ChildKey = string | TaskId;

/** One child in the answer of `whichChildren`. */
export interface ChildFacts {
  readonly id: string;
  /** Undefined while it does not run. */
  readonly task: TaskId | undefined;
  readonly state: ChildState;
  readonly type: "worker" | "supervisor";
}

/** The answer of `countChildren`. */
export interface ChildCounts {
  /** Specifications: every child, running or not; 1 for simple_one_for_one. */
  readonly specs: number;
  /** Children that run. */
  readonly active: number;
  /** Children that are supervisors, running or not. */
  readonly supervisors: number;
  /** Children that are workers, running or not. */
  readonly workers: number;
}

/** A child that was started. The handle is valid in the task that asked. */
export interface StartedChild {
  readonly task: TaskId | undefined;
  readonly handle: Handle | undefined;
}

/** A request on its way to a supervisor. */
export class SupervisorRequest {
  readonly kind: "start" | "terminate" | "restart" | "delete" | "which" | "count" | "handle";
  readonly key: ChildKey;
  readonly spec: ChildSpec | undefined;
  readonly args: readonly unknown[];

  constructor(
    kind: SupervisorRequest["kind"],
    key: ChildKey = "",
    spec: ChildSpec | undefined = undefined,
    args: readonly unknown[] = [],
  ) {
    this.kind = kind;
    this.key = key;
    this.spec = spec;
    this.args = args;
  }
}
