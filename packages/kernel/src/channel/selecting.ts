/** Channels, endpoints and mailboxes with leases in `select` (`select.ts` W1, W2). */
import { RIGHTS } from "@glia-os/abi/syscalls";
import type { KernelObject } from "../capability-table.ts";
import type { BadgedEndpoint, Endpoint } from "../endpoint/endpoint.ts";
import { Letter } from "../endpoint/envelope.ts";
import { BadSelectError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { checkLeaseDuration } from "../lease/acknowledge.ts";
import type { Lease } from "../lease/lease.ts";
import type { LeasedMailbox } from "../lease/leased-mailbox.ts";
import { SELECT } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SelectNode, Task } from "../task.ts";
import { LEASE, MESSAGE, SENDING, type Wait } from "../wait.ts";
import type { Channel } from "./channel.ts";
import { ChannelClosedError } from "./errors.ts";
import { offerTo, refuse, sourceOf } from "./port.ts";

interface SendSubject {
  readonly target: Handle;
  readonly message: unknown;
}

interface LeaseSubject {
  readonly source: Handle;
  readonly durationMs: number;
}

/** Time a lease lasts unless told otherwise. */
const LEASE_MS = 30_000;

/** Room in a channel, or a receiver at an endpoint, for this message; gives `undefined` when it was handed over. Needs `send`. */
export function sendTo<Message>(target: Handle<Message>, message: Message): Wait<undefined> {
  return { kind: SENDING, subject: { target, message } satisfies SendSubject };
}

/** The next message of a mailbox with leases, for `durationMs` (1 to 9e12; default 30,000). Needs the right `receive`. */
export function leaseOf<Message>(
  source: Handle<Message>,
  durationMs: number = LEASE_MS,
): Wait<Lease<Message>> {
  return { kind: LEASE, subject: { source, durationMs } satisfies LeaseSubject };
}

/** Whether a wait on one of these objects is ready, a failure included. Refuses what may not be waited for. */
export function portReady(scheduler: Scheduler, task: Task, { kind, subject }: Wait): boolean {
  if (kind === MESSAGE) return sourceAt(scheduler, task, subject as number).readable;
  if (kind === LEASE) {
    checkLeaseDuration((subject as LeaseSubject).durationMs);
    return lenderAt(scheduler, task, subject as LeaseSubject).waiting > 0;
  }
  if (kind !== SENDING) throw new BadSelectError("one of its waits was not made by this package");
  const target = targetAt(scheduler, task, subject as SendSubject);
  return target.kind === "channel" ? target.writable : target.endpoint.closed || !target.endpoint.takers.idle;
}

/** Do what a ready wait waits for. @throws {ChannelClosedError} with the wait's index. */
export function portConsume(
  scheduler: Scheduler,
  task: Task,
  { kind, subject }: Wait,
  index: number,
): unknown {
  if (kind === LEASE) {
    const lease = subject as LeaseSubject;
    return lenderAt(scheduler, task, lease).lend(task, lease.durationMs);
  }
  if (kind === MESSAGE) {
    const source = sourceAt(scheduler, task, subject as number);
    if (source.kind === "channel" && source.closed && source.size === 0) throw new ChannelClosedError(index);
    return source.take(scheduler);
  }
  const { target, message } = subject as SendSubject;
  const object = targetAt(scheduler, task, subject as SendSubject);
  if (object.kind === "channel" && object.closed) throw new ChannelClosedError(index);
  offerTo(scheduler, SELECT, task, target, object, message, true);
  return undefined;
}

/** Let the task stand in the queue of a wait that is not ready. */
export function portJoin(
  scheduler: Scheduler,
  task: Task,
  { kind, subject }: Wait,
  index: number,
): SelectNode {
  if (kind === MESSAGE) return sourceAt(scheduler, task, subject as number).takers.join(task, index);
  if (kind === LEASE)
    return lenderAt(scheduler, task, subject as LeaseSubject).takers.join(task, index, subject);
  const target = targetAt(scheduler, task, subject as SendSubject);
  if (target.kind === "channel") return target.senders.join(task, index, subject);
  const letter = new Letter((subject as SendSubject).message, task.id, target.badge);
  return target.endpoint.senders.join(task, index, { message: letter });
}

function sourceAt(scheduler: Scheduler, task: Task, handle: number): Channel | Endpoint {
  const object = scheduler.capabilities.find(handle, task, RIGHTS.receive);
  return sourceOf(scheduler, SELECT, task, handle, object);
}

function lenderAt(scheduler: Scheduler, task: Task, { source }: LeaseSubject): LeasedMailbox {
  const object: KernelObject = scheduler.seam.authorize(
    SELECT,
    task,
    source,
    RIGHTS.receive,
    "leased-mailbox",
  );
  return object as LeasedMailbox;
}

function targetAt(
  scheduler: Scheduler,
  task: Task,
  { target }: SendSubject,
): Channel | Endpoint | BadgedEndpoint {
  const object = scheduler.capabilities.find(target, task, RIGHTS.send);
  if (object?.kind === "channel" || object?.kind === "endpoint")
    return object as Channel | Endpoint | BadgedEndpoint;
  if (object === null) return refuse(scheduler, SELECT, task, target, RIGHTS.send);
  return scheduler.seam.authorize(SELECT, task, target, RIGHTS.send, "channel") as never;
}
