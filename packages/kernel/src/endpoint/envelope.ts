/** What a receiver gets from an endpoint: the message, and who it can be sure it came from. */
import { type Call, PendingReply, type Served } from "../call.ts";
import type { Task, TaskId } from "../task.ts";

/** A message as the receiver of an endpoint sees it. `open` tells whether a reply would be accepted now; a plain send has none. */
export interface Envelope<Message = unknown> extends Call<Message> {
  /** The badge of the capability it was sent through; 0 without one. The sender cannot choose it. */
  readonly badge: number;
}

/** A message that wants no reply. Internal. */
export class Letter implements Envelope {
  readonly message: unknown;
  readonly from: TaskId;
  readonly badge: number;
  readonly open = false;

  constructor(message: unknown, from: TaskId, badge: number) {
    this.message = message;
    this.from = from;
    this.badge = badge;
  }
}

/** A call through an endpoint. Internal. */
export class EndpointCall extends PendingReply implements Envelope {
  readonly badge: number;

  constructor(caller: Task, message: unknown, timeoutMs: number, badge: number, to: Served) {
    super(caller, message, timeoutMs, to);
    this.badge = badge;
  }
}
