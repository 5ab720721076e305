/**
 * A synchronous rendezvous, in the shape of seL4's endpoints: nothing is stored, a message goes from a task that sends to one that
 * receives at the moment both are there.
 *
 * EP1. It is `idle`, or tasks wait to send, or tasks wait to receive; never both.
 * EP2. First come, first served, on either side; plain waits before selects.
 * EP3. A capability can carry a badge: a number that its holder can neither choose, change nor remove, and that the receiver sees.
 *      What is derived from a badged capability has the same badge. A badged capability cannot receive.
 * EP4. When no task can receive any more, who waits to send and who sends later is told.
 * EP5. A call that closes a circle of servers that wait for each other is refused, once the servers said that they serve
 *      (`supervision/deadlock.ts` DL1).
 *
 * Source: seL4 Reference Manual, chapter "Message Passing (IPC)".
 */
import type { KernelObject } from "../capability-table.ts";
import { nextSent } from "../channel/waiting.ts";
import { MUST_WAIT, TAKEN } from "../ipc.ts";
import { type Task, TaskList } from "../task.ts";
import type { Waker } from "../waker.ts";
import type { Envelope } from "./envelope.ts";
import { EndpointClosedError } from "./errors.ts";

/** Who waits at an endpoint (EP1). */
export type EndpointState = "idle" | "sending" | "receiving";

/** An endpoint. Internal: programs hold handles. */
export class Endpoint implements KernelObject {
  readonly kind = "endpoint";
  readonly badge: number = 0;
  /** The task that said that it answers the calls (`sys.serve`). */
  server: Task | null = null;
  receivers = 0;
  /** Set when nobody can receive any more. */
  closed = false;
  readonly takers: TaskList = new TaskList();
  readonly senders: TaskList = new TaskList();

  /** Itself: what a badged capability stands for. */
  get endpoint(): Endpoint {
    return this;
  }

  /** Who waits here. */
  get state(): EndpointState {
    if (!this.senders.idle) return "sending";
    return this.takers.idle ? "idle" : "receiving";
  }

  /** Hand an envelope to a receiver that waits. O(1). @throws {EndpointClosedError} */
  offer(waker: Waker, envelope: Envelope): number {
    if (this.closed) throw new EndpointClosedError();
    return waker.wakeOne(this.takers, envelope) ? TAKEN : MUST_WAIT;
  }

  /** Whether `take` would give something at once. */
  get readable(): boolean {
    return !this.senders.idle;
  }

  /** Take from the first sender that waits, or nothing. O(1). */
  take(waker: Waker): unknown {
    return nextSent(waker, this.senders);
  }
}

/** What a badged capability names (EP3). Internal. */
export class BadgedEndpoint implements KernelObject {
  readonly kind = "endpoint";
  receivers = 0;
  readonly badge: number;
  readonly endpoint: Endpoint;
  /** Nobody receives through it. */
  readonly takers: TaskList;

  constructor(endpoint: Endpoint, badge: number) {
    this.endpoint = endpoint;
    this.badge = badge;
    this.takers = endpoint.takers;
  }
}
