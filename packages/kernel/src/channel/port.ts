/**
 * What `send`, `receive` and `call` do on objects other than mailboxes: channels, endpoints and, for sending, mailboxes with leases.
 * Each function gets the object that authorization found, or null, and raises the refusal that belongs to what it got.
 */

import { RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import type { KernelObject } from "../capability-table.ts";
import { deadlineAfter } from "../duration.ts";
import type { BadgedEndpoint, Endpoint } from "../endpoint/endpoint.ts";
import { EndpointCall, Letter } from "../endpoint/envelope.ts";
import { EndpointClosedError } from "../endpoint/errors.ts";
import { MailboxFullError } from "../errors.ts";
import { MUST_WAIT, NO_ROOM, TAKEN } from "../ipc.ts";
import type { LeasedMailbox } from "../lease/leased-mailbox.ts";
import { CALL } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import { refuseCycle } from "../supervision/deadlock.ts";
import type { Task } from "../task.ts";
import type { Channel } from "./channel.ts";
import { ChannelClosedError } from "./errors.ts";
import { failAll, NOTHING } from "./waiting.ts";

/** What messages can be taken from, besides mailboxes. */
export type Source = Channel | Endpoint;

/** Throw what authorization has to say about a handle that names nothing a message can go through. */
export function refuse(scheduler: Scheduler, op: number, task: Task, handle: number, rights: Rights): never {
  return scheduler.seam.authorize(op, task, handle, rights, "mailbox") as never;
}

/** The object as a source, or its refusal. */
export function sourceOf(
  scheduler: Scheduler,
  op: number,
  task: Task,
  handle: number,
  object: KernelObject | null,
): Source {
  if (object !== null && (object.kind === "channel" || object.kind === "endpoint")) return object as Source;
  return refuse(scheduler, op, task, handle, RIGHTS.receive);
}

/** Take the next message, or let the task wait and give {@link NOTHING}. */
export function receiveFromPort(
  scheduler: Scheduler,
  op: number,
  task: Task,
  handle: number,
  object: KernelObject | null,
): unknown {
  const source = sourceOf(scheduler, op, task, handle, object);
  const message = source.take(scheduler);
  if (message === NOTHING) source.takers.push(task);
  return message;
}

/** Hand a message over, or let the task wait with it. Returns whether it was handed over. */
export function sendToPort(
  scheduler: Scheduler,
  op: number,
  task: Task,
  handle: number,
  object: KernelObject | null,
  message: unknown,
): boolean {
  const outcome = offerTo(scheduler, op, task, handle, object, message, true);
  if (outcome === TAKEN) return true;
  if (outcome === NO_ROOM) throw new MailboxFullError((object as LeasedMailbox).capacity);
  if (object!.kind === "endpoint") {
    const { badge, endpoint } = object as Endpoint | BadgedEndpoint;
    task.arg = new Letter(message, task.id, badge);
    endpoint.senders.push(task);
    return false;
  }
  scheduler.seam.counters.pauses++;
  task.arg = message;
  (object as Channel | LeasedMailbox).senders.push(task);
  return false;
}

/** Hand a message over if that can be done now. `patient` is whether the sender holds back under pressure. */
export function offerTo(
  scheduler: Scheduler,
  op: number,
  task: Task,
  handle: number,
  object: KernelObject | null,
  message: unknown,
  patient: boolean,
): number {
  if (object !== null) {
    if (object.kind === "channel") return (object as Channel).offer(scheduler, message);
    if (object.kind === "leased-mailbox") return (object as LeasedMailbox).offer(message, patient);
    if (object.kind === "endpoint") {
      const { badge, endpoint } = object as Endpoint | BadgedEndpoint;
      // A closed endpoint, or a receiver that waits: only then is an envelope needed.
      if (!endpoint.closed && endpoint.takers.idle) return MUST_WAIT;
      return endpoint.offer(scheduler, new Letter(message, task.id, badge));
    }
  }
  return refuse(scheduler, op, task, handle, RIGHTS.send);
}

/** Begin a call through an endpoint: afterwards the task waits, for a receiver or for the reply. */
export function callPort(
  scheduler: Scheduler,
  task: Task,
  handle: number,
  object: KernelObject | null,
  message: unknown,
  timeoutMs: number,
): void {
  if (object === null || object.kind !== "endpoint") refuse(scheduler, CALL, task, handle, RIGHTS.call);
  const deadline = deadlineAfter(scheduler.setup.clock, timeoutMs, "a call's time limit");
  const { badge, endpoint } = object as Endpoint | BadgedEndpoint;
  if (endpoint.server !== null) refuseCycle(scheduler, task, endpoint.server);
  const request = new EndpointCall(task, message, timeoutMs, badge, endpoint);
  const outcome = endpoint.offer(scheduler, request);
  task.arg = request;
  if (outcome === MUST_WAIT) endpoint.senders.push(task);
  scheduler.timers.set(task, deadline);
}

/** End a channel (`channel.ts` CH4). @throws {ChannelClosedError} when it was closed before. */
export function closeChannel(scheduler: Scheduler, channel: Channel): void {
  if (channel.closed) throw new ChannelClosedError();
  channel.closed = true;
  failAll(scheduler, channel.senders, (index) => new ChannelClosedError(index));
  failAll(scheduler, channel.takers, (index) => new ChannelClosedError(index));
}

/** Nobody can receive from an object any more: tell who waits to send. */
export function closeOrphan(scheduler: Scheduler, object: KernelObject): void {
  if (object.kind === "channel") {
    const channel = object as Channel;
    if (!channel.closed) closeChannel(scheduler, channel);
    channel.forget();
  } else if (object.kind === "endpoint") {
    const { endpoint } = object as Endpoint;
    endpoint.closed = true;
    failAll(scheduler, endpoint.senders, () => new EndpointClosedError());
  } else if (object.kind === "leased-mailbox") (object as LeasedMailbox).close();
}
