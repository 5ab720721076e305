/**
 * What the loss of a capability does to a task that waits because of it.
 *
 * LC1. A task that waits to receive, send, call, read, write or for a service, and holds no other capability that allows it, goes on
 *      with an error: it must not be handed anything.
 */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { CapabilityTable, KernelObject } from "./capability-table.ts";
import { DeadHandleError } from "./errors.ts";
import { External } from "./external.ts";
import { CALL } from "./opcodes.ts";
import type { KernelResource } from "./resources/resource.ts";
import { type Task, type TaskList, WAITING } from "./task.ts";
import type { Waker } from "./waker.ts";

/** A task lost a capability to an object (LC1). */
export function lostCapability(
  waker: Waker,
  capabilities: CapabilityTable,
  owner: Task,
  object: KernelObject,
): void {
  if (object.abandoned !== undefined && !capabilities.holds(owner, object, RIGHTS.receive))
    object.abandoned(owner);
  if (owner.state !== WAITING) return;
  for (const needed of rightsWaitedFor(owner, object)) {
    if (capabilities.holds(owner, object, needed)) continue;
    waker.detach(owner);
    waker.resumeFailing(owner, new DeadHandleError("the handle it waits on", owner.id));
    return;
  }
}

/** The rights to an object without which a task could not wait as it does. */
function rightsWaitedFor(owner: Task, object: KernelObject): readonly Rights[] {
  if (object.kind === "resource") {
    const { takers, writers } = object as KernelResource;
    const reading = waitsIn(owner, takers) ? [RIGHTS.read] : [];
    return waitsIn(owner, writers) ? [...reading, RIGHTS.write] : reading;
  }
  if (owner.arg instanceof External) return owner.arg.service === object ? [owner.arg.needed] : [];
  const { senders } = object as { readonly senders?: TaskList };
  if (waitsIn(owner, object.takers)) return [RIGHTS.receive];
  if (!waitsIn(owner, senders)) return [];
  return [owner.op === CALL ? RIGHTS.call : RIGHTS.send];
}

/** Whether a parked task stands in a queue, alone or with a select. */
function waitsIn(task: Task, queue: TaskList | undefined): boolean {
  if (queue === undefined) return false;
  return task.list === queue || task.extra?.nodes?.some((node) => node.queue === queue) === true;
}
