/** The syscalls on services along the road of `seam.ts`: authorize, check, meter, number, start. */
import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { billFor } from "../budget/metered-start.ts";
import type { Start } from "../effect.ts";
import { FILE } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { checkedRequest, writes } from "./requests.ts";
import { type KernelService, SERVICE_KINDS, type ServiceKind } from "./service.ts";

const KIND_OF = new Map<number, ServiceKind>(
  (Object.keys(SERVICE_KINDS) as ServiceKind[]).map((kind) => [SERVICE_KINDS[kind].op, kind]),
);

/** What a call that has to be paid still goes to, by which rights, and its request as its service gets it. */
export interface AllowedCall {
  readonly service: KernelService;
  readonly needed: Rights;
  readonly request: unknown;
}

/** Authorize a call of a service and check its request. @throws what the handle does not allow, and {BadOptionError} for the request. */
export function allowedCall(
  s: Scheduler,
  task: Task,
  op: number,
  handle: number,
  request: unknown,
): AllowedCall {
  const kind = KIND_OF.get(op)!;
  const needed = op === FILE ? (writes(request) ? RIGHTS.write : RIGHTS.read) : SERVICE_KINDS[kind].rights;
  const service = s.seam.authorize(op, task, handle, needed, kind) as KernelService;
  return { service, needed, request: checkedRequest(op, request) };
}

/** Meter and number a call: its start. @throws what its account does not allow */
export function paidStart(
  s: Scheduler,
  task: Task,
  op: number,
  handle: number,
  { service, request }: AllowedCall,
): Start<unknown> {
  const extra = task.more();
  const bill = s.seam.reserve(op, task, handle, () =>
    billFor(extra.account ?? s.setup.account, service.meter, s.setup.clock, request),
  );
  const number = ++extra.serviceCalls;
  const path = (extra.path ??= task.path());
  const call = { task: task.id, path, number, key: `${path}#${number}` };
  return bill.start(service, call);
}
