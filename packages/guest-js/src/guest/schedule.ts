/**
 * Decides what the guest does next. The engine calls {@link turn} whenever no promise job is left, and waits as it says.
 *
 * SC1. A message is taken from the host only when somebody waits for one, so that it can be replied to while it is handled and the
 *      sender is held back by the host's bounds.
 * SC2. Timers that are due and messages that wait take turns: neither keeps the other from running.
 * SC3. A promise that is rejected and not handled by the time nothing else is left to run fails the agent with its reason.
 * SC4. Requests to the outside are made when nothing else is left to run but waiting for a message, one after the other.
 * SC5. An agent with no timer and nobody waiting for a message has ended, with status 0.
 */
import { refusal } from "./errors.ts";
import { arrived, leaveBuffer, type Message } from "./message.ts";
import { fireTimer, untilNextTimer } from "./timers.ts";

/** What the engine passes when it only wants to know whether the agent has failed. */
const ONLY_CHECK = -101;
/** What it passes when nothing came. */
const NOTHING = -100;
/** Answers: call again at once; the agent has ended. An answer from 0 is how long to wait for a message, below 0 how long to sleep. */
const AGAIN = -1e300;
const ENDED = -Infinity;

type Resolve = (value: Message | IteratorResult<Message>) => void;

/** Somebody who waits for a message, as itself or as the result of an iterator. */
interface Waiter {
  readonly iterates: boolean;
  readonly resolve: Resolve;
  readonly reject: (error: unknown) => void;
}

/** Those who wait behind the first. */
const waiters: Waiter[] = [];
/** The first, who is alone nearly always: in variables, because an interpreter makes no object for them. */
let waits = false;
let firstIterates = false;
let firstResolve: Resolve | undefined;
let firstReject: ((error: unknown) => void) | undefined;
const rejections = new Map<unknown, unknown>();
/** Whether there are any: reading this costs an interpreter less than asking the map at every turn. */
let anyRejected = false;
let timerRanLast = false;
const whenIdle: (() => boolean)[] = [];

function standInLine(resolve: Resolve, reject: (error: unknown) => void): void {
  if (waits) waiters.push({ iterates: false, resolve, reject });
  else isFirst(false, resolve, reject);
}

function iterateInLine(resolve: Resolve, reject: (error: unknown) => void): void {
  if (waits) waiters.push({ iterates: true, resolve, reject });
  else isFirst(true, resolve, reject);
}

function isFirst(iterates: boolean, resolve: Resolve, reject: (error: unknown) => void): void {
  waits = true;
  firstIterates = iterates;
  firstResolve = resolve;
  firstReject = reject;
}

/** The next message, for whoever asked first. */
export function nextMessage(): Promise<Message> {
  return new Promise(standInLine as (resolve: (message: Message) => void) => void);
}

/** The same as an async iterator gives it. */
export function nextResult(): Promise<IteratorResult<Message>> {
  return new Promise(iterateInLine as (resolve: (result: IteratorResult<Message>) => void) => void);
}

/** Call a function before the agent waits, each time; it says whether it did anything (SC4). A function that is known is not added again. */
export function doWhenIdle(run: () => boolean): void {
  if (!whenIdle.includes(run)) whenIdle.push(run);
}

/** Keep account of rejections nobody handles (SC3). */
export function rejected(promise: unknown, reason: unknown, handled: number): void {
  if (handled === 0) rejections.set(promise, reason);
  else rejections.delete(promise);
  anyRejected = rejections.size > 0;
}

/** One step; see the answers above. @throws what a promise was rejected with (SC3), or what a timer threw */
export function turn(came: number): number {
  if (came !== NOTHING && came !== ONLY_CHECK) return deliver(came);
  if (anyRejected) for (const reason of rejections.values()) throw reason;
  if (came === ONLY_CHECK) return 0;
  const dueMs = untilNextTimer();
  if (dueMs === 0 && !(timerRanLast && waits)) {
    timerRanLast = true;
    fireTimer();
    return AGAIN;
  }
  for (const run of whenIdle) if (run()) return AGAIN;
  // What a timer set in motion is done: before the next one fires there is a look for a message, however long that took.
  timerRanLast = false;
  if (waits) {
    leaveBuffer();
    return dueMs;
  }
  return dueMs === Infinity ? ENDED : -dueMs - 1;
}

function deliver(came: number): number {
  const iterates = firstIterates;
  const resolve = firstResolve;
  const reject = firstReject;
  waits = false;
  const next = waiters.length > 0 ? waiters.shift() : undefined;
  if (next !== undefined) isFirst(next.iterates, next.resolve, next.reject);
  if (came >= 0) {
    const value = arrived(came);
    resolve?.(iterates ? { value, done: false } : value);
  } else reject?.(refusal("give the next message", came));
  return 0;
}
