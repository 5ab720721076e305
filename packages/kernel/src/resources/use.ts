/** What tasks do with resources (`resource.ts`): the wait, the read, the write. */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { READ_FROM, WRITE_TO, WRITE_WAIT } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { KernelResource } from "./resource.ts";

/** The resource a task wants to wait for. @throws what it was closed with, and when the handle does not allow the wait. */
export function waitable(scheduler: Scheduler, opcode: number, task: Task, handle: number): KernelResource {
  const right = opcode === WRITE_WAIT ? RIGHTS.write : RIGHTS.read;
  const resource = scheduler.seam.authorize(opcode, task, handle, right, "resource") as KernelResource;
  if (resource.error !== null) throw resource.error;
  return resource;
}

/** Read for a task. What was read is journaled; a resource becomes a handle of the task. */
export function readDevice(s: Scheduler, task: Task, resource: KernelResource, limit: number): unknown {
  if (resource.error !== null) throw resource.error;
  const value = resource.device.read?.(limit);
  const given = value instanceof KernelResource ? s.capabilities.mint(task, value, value.rights) : value;
  s.seam.journal.outcome(task.id, READ_FROM, given, false);
  return given;
}

/** Write for a task. */
export function writeDevice(s: Scheduler, task: Task, resource: KernelResource, data: unknown): number {
  if (resource.error !== null) throw resource.error;
  s.seam.journal.intent(task.id, WRITE_TO);
  const taken = resource.device.write?.(data) ?? 0;
  s.seam.journal.outcome(task.id, WRITE_TO, taken, false);
  return taken;
}
