/** Putting a badge on a capability to an endpoint (`endpoint.ts` EP3). */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { Handle } from "../handle.ts";
import { whole } from "../mailbox.ts";
import { BADGE } from "../opcodes.ts";
import { checkRights } from "../options.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { BadgedEndpoint, type Endpoint } from "./endpoint.ts";
import { AlreadyBadgedError } from "./errors.ts";

/** Derive a badged capability for the same task: at most these rights, and never `receive`. Badges: 1 to 2^53 - 1. */
export function badgeEndpoint(
  scheduler: Scheduler,
  task: Task,
  source: Handle,
  badge: number,
  rights: Rights,
): Handle {
  checkRights(rights);
  whole("badge", badge, 1, Number.MAX_SAFE_INTEGER);
  const object = scheduler.seam.authorize(BADGE, task, source, 0, "endpoint") as Endpoint | BadgedEndpoint;
  if (object.badge !== 0) throw new AlreadyBadgedError(object.badge);
  const named = new BadgedEndpoint(object.endpoint, badge);
  return scheduler.capabilities.deriveAs(source, task, rights & ~RIGHTS.receive, named);
}
