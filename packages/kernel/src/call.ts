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

/** A call in flight. Internal. */
export class PendingReply implements Call {
  readonly message: unknown;
  readonly from: TaskId;
  caller: Task | null;
  replied = false;

  readonly timeoutMs: number;
  /** The task that said it answers the calls of the mailbox, if one did. */
  readonly server: Task | null;

  constructor(caller: Task, message: unknown, timeoutMs: number, server: Task | null = null) {
    this.server = server;
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
