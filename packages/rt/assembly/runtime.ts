/**
 * The core of an image: tasks by priority, their timers and mailboxes, waiting in the right mode. No heap: every table is static.
 *
 * A task is a function that is called with what happened to it. It runs to its end before another one does.
 *
 * IM1. Of the tasks that have something to do the one of the highest priority is called; among equals, in turn.
 * IM2. A message is delivered once, in the order it was sent in; what does not fit is refused to its sender.
 * IM3. A timer fires no earlier than it was set to. When nothing is to be done the core waits until the earliest one, in one wait.
 * IM4. Nothing depends on anything but the answers of `wait` and `sense`: same answers, same calls.
 */
import { emit, Kind, Refusal, wait } from "./device";
import { drop, first, put, resetMailboxes, TASKS } from "./mailbox";
import { blocksPeak, blocksUsed, resetPool } from "./pool";
import { modeFor } from "./power";

/** What happened to a task. */
export namespace Event {
  export const START: i32 = 0;
  export const MESSAGE: i32 = 1;
  export const TIMER: i32 = 2;
  export const INTERRUPT: i32 = 3;
}

/** Priorities: 0 low to 3 critical. */
const PRIORITIES: i32 = 4;
const FOREVER: i64 = i64.MAX_VALUE;
/** A wait that only an interrupt ends. */
const NO_LIMIT: i32 = i32.MAX_VALUE;
/** Bytes of a task: when its timer fires (i64), its function, priority, the interrupt it listens for, whether it is alive and started. */
const TASK_BYTES: usize = 32;
const FUNCTION: usize = 8;
const PRIORITY: usize = 12;
const LISTENS: usize = 16;
const ALIVE: usize = 20;
const STARTED: usize = 24;

const tasks: usize = memory.data(1024, 8);
let now: i64 = 0;
let alive: i32 = 0;
let current: i32 = -1;
let last: i32 = 0;
let turns: i32 = 0;
let traced: bool = false;

@inline
function task(id: i32): usize {
  return tasks + <usize>id * TASK_BYTES;
}

@inline
function isAlive(id: i32): bool {
  return id >= 0 && id < TASKS && load<i32>(task(id) + ALIVE) != 0;
}

function trace(id: i32, kind: i32, value: i32): void {
  if (traced) emit(id, kind, value);
}

/** Start from the beginning: no tasks, no messages, time 0. */
export function reset(): void {
  resetPool();
  resetMailboxes();
  for (let id = 0; id < TASKS; id++) store<i32>(task(id) + ALIVE, 0);
  now = 0;
  alive = 0;
  turns = 0;
  current = -1;
  last = TASKS - 1;
}

/** Have the runtime emit what it does. */
export function setTraced(on: bool): void {
  traced = on;
}

/** Make a task of a function: its id, or why not. */
export function spawn(handler: (self: i32, event: i32, value: i32) => void, priority: i32): i32 {
  if (priority < 0 || priority >= PRIORITIES) return Refusal.RANGE;
  for (let id = 0; id < TASKS; id++) {
    const at = task(id);
    if (load<i32>(at + ALIVE) != 0) continue;
    store<i64>(at, FOREVER);
    store<u32>(at + FUNCTION, handler.index);
    store<i32>(at + PRIORITY, priority);
    store<i32>(at + LISTENS, -1);
    store<i32>(at + ALIVE, 1);
    store<i32>(at + STARTED, 0);
    alive++;
    trace(id, Kind.SPAWNED, priority);
    return id;
  }
  return Refusal.FULL;
}

/** Send a value to a task: 0, or why not. */
export function send(to: i32, value: i32): i32 {
  const result = isAlive(to) ? put(to, current, Event.MESSAGE, value) : Refusal.NONE;
  if (result != 0) trace(current, Kind.REFUSED, result);
  return result;
}

/** Have the running task's timer fire in so many ticks (0 or more); it has one. */
export function sleep(ticks: i32): i32 {
  if (ticks < 0 || current < 0) return Refusal.RANGE;
  store<i64>(task(current), now + <i64>ticks);
  return 0;
}

/** Have interrupts of a source (0 to 31) given to the running task; -1 for no more. */
export function listen(source: i32): i32 {
  if (source < -1 || source > 31 || current < 0) return Refusal.RANGE;
  store<i32>(task(current) + LISTENS, source);
  return 0;
}

/** End the running task. Its mailbox is emptied. */
export function exit(): void {
  if (current < 0 || !isAlive(current)) return;
  while (first(current) != 0) drop(current);
  store<i32>(task(current) + ALIVE, 0);
  alive--;
  trace(current, Kind.ENDED, 0);
}

/** An interrupt: how many tasks were told. The outside calls it, also while the core waits. */
export function raise(source: i32, value: i32): i32 {
  let told = 0;
  for (let id = 0; id < TASKS; id++) {
    if (!isAlive(id) || load<i32>(task(id) + LISTENS) != source) continue;
    if (put(id, -1, Event.INTERRUPT, value) == 0) told++;
    else trace(id, Kind.REFUSED, Refusal.FULL);
  }
  return told;
}

/** Whether a task has something to do. */
function isReady(id: i32): bool {
  if (!isAlive(id)) return false;
  const at = task(id);
  return load<i32>(at + STARTED) == 0 || load<i64>(at) <= now || first(id) != 0;
}

/** The task to call next, or -1: the highest priority, the one after the last called first (IM1). */
function choose(): i32 {
  let best = -1;
  let highest = -1;
  for (let i = 1; i <= TASKS; i++) {
    const id = (last + i) & (TASKS - 1);
    if (!isReady(id)) continue;
    const priority = load<i32>(task(id) + PRIORITY);
    if (priority <= highest) continue;
    highest = priority;
    best = id;
  }
  return best;
}

/** Call a task with what happened to it: that it begins, then its timer, then its oldest message. */
function call(id: i32): void {
  const at = task(id);
  const handler = load<u32>(at + FUNCTION);
  current = id;
  last = id;
  turns++;
  if (load<i32>(at + STARTED) == 0) {
    store<i32>(at + STARTED, 1);
    call_indirect<void>(handler, id, Event.START, 0);
  } else if (load<i64>(at) <= now) {
    store<i64>(at, FOREVER);
    trace(id, Kind.TIMER, <i32>now);
    call_indirect<void>(handler, id, Event.TIMER, <i32>now);
  } else {
    const block = first(id);
    const event = load<i32>(block + 8);
    const value = load<i32>(block + 12);
    drop(id);
    trace(id, event == Event.INTERRUPT ? Kind.INTERRUPT : Kind.MESSAGE, value);
    call_indirect<void>(handler, id, event, value);
  }
  current = -1;
}

/** Wait for the earliest timer, or an interrupt. False when neither can come. */
function idle(): bool {
  let earliest = FOREVER;
  let listens = false;
  for (let id = 0; id < TASKS; id++) {
    if (!isAlive(id)) continue;
    const at = task(id);
    if (load<i64>(at) < earliest) earliest = load<i64>(at);
    if (load<i32>(at + LISTENS) >= 0) listens = true;
  }
  if (earliest == FOREVER && !listens) return false;
  const pause = earliest - now;
  const ticks = pause > <i64>NO_LIMIT ? NO_LIMIT : <i32>pause;
  const mode = modeFor(ticks, listens);
  trace(mode, Kind.WAITS, ticks);
  const left = wait(mode, ticks);
  // What the outside says is not trusted: time never goes back, and never past the wait.
  const passed = left < 0 || left > ticks ? ticks : ticks - left;
  if (earliest == FOREVER && passed == ticks) return choose() >= 0;
  now += <i64>passed;
  return true;
}

/** Go on until nothing can happen without the outside. Returns the tasks that are left. */
export function run(): i32 {
  while (alive > 0) {
    const id = choose();
    if (id >= 0) call(id);
    else if (!idle()) break;
  }
  return alive;
}

/** Ticks since the start, to 2^31 and then from there again. */
export function ticks(): i32 {
  return <i32>now;
}

/** How often a task was called. */
export function calls(): i32 {
  return turns;
}

/** Blocks in use, and the most there were. */
export function used(): i32 {
  return blocksUsed();
}
export function mostUsed(): i32 {
  return blocksPeak();
}
