/**
 * One mailbox per task: a bounded queue of blocks, in order. A block holds `next, from, event, value`.
 */
import { Refusal } from "./device";
import { allocate, release } from "./pool";

/** Messages that one mailbox holds. */
export const MAILBOX_MAX: i32 = 16;
/** Tasks, and so mailboxes. */
export const TASKS: i32 = 32;

/** Per task: the first block, the last one, how many. */
const boxes: usize = memory.data(384, 8);

@inline
function box(task: i32): usize {
  return boxes + <usize>task * 12;
}

/** Make every mailbox empty, without giving blocks back: for a start from the beginning. */
export function resetMailboxes(): void {
  for (let at: usize = 0; at < <usize>TASKS * 12; at += 4) store<u32>(boxes + at, 0);
}

/** Put a message in: 0, or why not. */
export function put(task: i32, from: i32, event: i32, value: i32): i32 {
  const at = box(task);
  const count = load<i32>(at + 8);
  if (count >= MAILBOX_MAX) return Refusal.FULL;
  const block = allocate();
  if (block == 0) return Refusal.FULL;
  store<u32>(block, 0);
  store<i32>(block + 4, from);
  store<i32>(block + 8, event);
  store<i32>(block + 12, value);
  const last = <usize>load<u32>(at + 4);
  if (last != 0) store<u32>(last, <u32>block);
  else store<u32>(at, <u32>block);
  store<u32>(at + 4, <u32>block);
  store<i32>(at + 8, count + 1);
  return 0;
}

/** The oldest message, or 0. It stays until `drop`. */
export function first(task: i32): usize {
  return load<u32>(box(task));
}

/** Take the oldest message out and give its block back: 0, or why not. */
export function drop(task: i32): i32 {
  const at = box(task);
  const block = <usize>load<u32>(at);
  if (block == 0) return Refusal.NONE;
  const next = load<u32>(block);
  store<u32>(at, next);
  if (next == 0) store<u32>(at + 4, 0);
  store<i32>(at + 8, load<i32>(at + 8) - 1);
  return release(block);
}
