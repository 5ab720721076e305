/** One child of a supervisor and what is known of it. */
import type { Handle } from "../handle.ts";
import type { TaskId } from "../task.ts";
import type { ChildSpec, RestartKind, ShutdownTime, SupervisorPlan } from "./child-spec.ts";
import type { ExitNotice } from "./notice.ts";
import { FailureStreak } from "./repeated-failure.ts";
import type { RestartChoice } from "./restart-choice.ts";
import { RestartWindow } from "./restart-window.ts";

/** `running`, waiting to be started again, or not to be started unless somebody asks. */
export type ChildState = "running" | "restarting" | "stopped";

/** A child. */
export class Child {
  readonly spec: ChildSpec;
  /** What `start` gets besides `sys`: of a dynamic child, what its starter gave. */
  readonly args: readonly unknown[];
  readonly restart: RestartKind;
  readonly shutdown: ShutdownTime;
  state: ChildState = "stopped";
  /** The task, while it lives or its end was not dealt with. */
  task: TaskId | undefined = undefined;
  /** The supervisor's handle to it. */
  handle: Handle | undefined = undefined;
  /** Its end, once it was told and until it is dealt with. */
  ended: ExitNotice | undefined = undefined;
  /** When it is to be started again, while `restarting`. */
  dueMs = 0;
  /** Whether those that are restarted with it have been ended, while `restarting`. */
  cleared = false;
  startedMs = 0;
  /** How it is to be started again; undefined for a start like the first. */
  choice: RestartChoice | undefined = undefined;
  /** Failures in a row without a life of a whole period. */
  failures = 0;
  readonly streak: FailureStreak = new FailureStreak();
  /** Its own restarts, when each child's are counted. */
  readonly window: RestartWindow | null;

  constructor(spec: ChildSpec, args: readonly unknown[], plan: SupervisorPlan) {
    this.spec = spec;
    this.args = args;
    this.restart = spec.restart ?? "permanent";
    this.shutdown = spec.shutdown ?? (spec.type === "supervisor" ? "infinity" : 5000);
    this.window = plan.intensityPer === "child" ? new RestartWindow(plan.intensity, plan.periodMs) : null;
  }

  /** For messages: the id, and of a dynamic child the task. */
  get label(): string {
    return this.task === undefined ? this.spec.id : `${this.spec.id} (task ${this.task})`;
  }
}
