/** The syscalls on services along the road of `seam.ts`: authorize, check, number, start. */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { Start } from "../effect.ts";
import { FILE } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { checkedRequest, writes } from "./requests.ts";
import { type KernelService, SERVICE_KINDS, type ServiceKind } from "./service.ts";

const KIND_OF = new Map<number, ServiceKind>(
  (Object.keys(SERVICE_KINDS) as ServiceKind[]).map((kind) => [SERVICE_KINDS[kind].op, kind]),
);

/** A call that may begin: what it goes to, by which rights, and its start. */
export interface ServiceStart {
  readonly service: KernelService;
  readonly needed: Rights;
  readonly start: Start<unknown>;
}

/** Authorize a call of a service and check its request. @throws what the handle does not allow, and {BadOptionError} for the request. */
export function serviceCall(
  s: Scheduler,
  task: Task,
  op: number,
  handle: number,
  request: unknown,
): ServiceStart {
  const kind = KIND_OF.get(op)!;
  const needed = op === FILE ? (writes(request) ? RIGHTS.write : RIGHTS.read) : SERVICE_KINDS[kind].rights;
  const service = s.seam.authorize(op, task, handle, needed, kind) as KernelService;
  const checked = checkedRequest(op, request);
  const number = ++task.more().serviceCalls;
  const path = task.path();
  const call = { task: task.id, path, number, key: `${path}#${number}` };
  return { service, needed, start: service.start(checked, call) };
}
