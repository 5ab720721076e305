/**
 * A capability to a task: the right to end it, signal it or link to it, for tasks that did not spawn it.
 *
 * TC1. A task makes capabilities to itself and to its own children only; everybody else must be given one.
 * TC2. A task is named by its id, or by `{ by: handle }`. By id only a parent and the task itself have authority over it.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { KernelObject } from "../capability-table.ts";
import type { Handle } from "../handle.ts";
import { type TaskId, TaskList } from "../task.ts";

/** A task, named by a capability to it. */
export interface TaskByHandle {
  readonly by: Handle;
}

/** A task: by id for one's own children and oneself, by capability for others (TC2). */
export type TaskTarget = TaskId | TaskByHandle;

/** Rights a new capability to a task has. */
export const TASK_RIGHTS: Rights =
  RIGHTS.signal | RIGHTS.wait | RIGHTS.kill | RIGHTS.grant | RIGHTS.revoke | RIGHTS.name;

/** What such a capability names. Internal. */
export class TaskObject implements KernelObject {
  readonly kind = "task";
  receivers = 0;
  readonly takers: TaskList = new TaskList();
  readonly id: TaskId;

  constructor(id: TaskId) {
    this.id = id;
  }
}
