/**
 * A request that waits for one reply. The object is the right to reply: it reaches only who receives the message.
 *
 * P1. Exactly one reply is accepted, and only while the caller waits. A second one, or one after the caller gave up, is refused.
 */
import type { Task, TaskId } from "./task.ts";

/** A call as its receiver sees it. */
export interface Call<Question = unknown> {
  /** What the caller asked. */
  readonly message: Question;
  /** The task that asked. */
  readonly from: TaskId;
  /** Whether a reply would be accepted now. */
  readonly open: boolean;
}

/** A mailbox, as far as a call must know it. */
export interface Served {
  readonly server: Task | null;
}

/** A call in flight. Internal. */
export class PendingReply implements Call {
  readonly message: unknown;
  readonly from: TaskId;
  caller: Task | null;
  replied = false;

  readonly timeoutMs: number;
  /** Where it was sent, if to a mailbox: its server is whom the caller waits for. */
  readonly to: Served | null;

  constructor(caller: Task, message: unknown, timeoutMs: number, to: Served | null = null) {
    this.to = to;
    this.timeoutMs = timeoutMs;
    this.caller = caller;
    this.from = caller.id;
    this.message = message;
  }

  get open(): boolean {
    return this.caller !== null;
  }
}

/** Whether a received message is a call that wants a reply. */
export function isCall<Question = unknown>(message: unknown): message is Call<Question> {
  return message instanceof PendingReply;
}
