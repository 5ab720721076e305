/** What `select` can wait for. Make the list once, outside the loop, and use it again and again: nothing in it is used up. */
import type { Handle } from "./handle.ts";
import type { Exit, TaskId } from "./task.ts";

export const MESSAGE = 0;
export const SIGNALS = 1;
export const END = 2;
export const KEY = 3;
export const AFTER = 4;
export const READABLE = 5;
export const WRITABLE = 6;
export const SENDING = 7;
export const LEASE = 8;

/** One thing a task can wait for. `Result` is what the wait gives. */
export interface Wait<Result = unknown> {
  /** One of the kinds above. */
  readonly kind: number;
  /** The handle, task id, key or milliseconds. */
  readonly subject: unknown;
  /** Never set: carries the type of the result. */
  readonly result?: Result;
}

function wait<Result>(kind: number, subject: unknown): Wait<Result> {
  return { kind, subject };
}

/** The next message of a mailbox, channel or endpoint. Needs the right `receive`. */
export function receiveFrom<Message>(source: Handle<Message>): Wait<Message> {
  return wait(MESSAGE, source);
}

/** The bits of a notification, which are cleared. Needs the right `receive`. */
export function signalOf(source: Handle): Wait<number> {
  return wait(SIGNALS, source);
}

/** The end of a task. */
export function endOf(task: TaskId): Wait<Exit> {
  return wait(END, task);
}

/** A `wake` of a key. */
export function keyOf(key: unknown): Wait<unknown> {
  return wait(KEY, key);
}

/** A resource that can be read. Needs the right `read`. */
export function readableOf(source: Handle): Wait<undefined> {
  return wait(READABLE, source);
}

/** A resource that can be written. Needs the right `write`. */
export function writableOf(target: Handle): Wait<undefined> {
  return wait(WRITABLE, target);
}

/** A time limit in milliseconds, from the moment the select starts. Gives `undefined`. */
export function after(durationMs: number): Wait<undefined> {
  return wait(AFTER, durationMs);
}
