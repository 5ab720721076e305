/** The AssemblyScript face of the embedded runtime as types, for editors. The sources are compiled by `asc` only. */
type i32 = number;
type u32 = number;
type usize = number;

/** Give something to the outside; kinds from 16 on are the cells'. */
export declare function emit(task: i32, kind: i32, value: i32): void;
/** Read a sensor. */
export declare function sense(channel: i32): i32;
/** Why a call was refused: negative results. */
export declare const Refusal: {
  readonly FULL: i32;
  readonly NONE: i32;
  readonly FREED: i32;
  readonly OVERRUN: i32;
  readonly RANGE: i32;
};
/** What happened to a task. */
export declare const Event: {
  readonly START: i32;
  readonly MESSAGE: i32;
  readonly TIMER: i32;
  readonly INTERRUPT: i32;
};
/** Bytes of a message block; how many there are; messages in one mailbox; tasks. */
export declare const BLOCK_BYTES: usize;
export declare const BLOCKS: i32;
export declare const MAILBOX_MAX: i32;
export declare const TASKS: i32;
/** Start from the beginning: no tasks, no messages, time 0. */
export declare function reset(): void;
/** Have the runtime emit what it does. */
export declare function setTraced(on: boolean): void;
/** Make a task of a function, with priority 0 (low) to 3 (critical): its id, or why not. */
export declare function spawn(handler: (self: i32, event: i32, value: i32) => void, priority: i32): i32;
/** Send a value to a task: 0, or why not. */
export declare function send(to: i32, value: i32): i32;
/** Have the running task's timer fire in so many ticks: 0, or why not. */
export declare function sleep(ticks: i32): i32;
/** Have interrupts of a source (0 to 31) given to the running task; -1 for no more. */
export declare function listen(source: i32): i32;
/** End the running task. */
export declare function exit(): void;
/** An interrupt: how many tasks were told. */
export declare function raise(source: i32, value: i32): i32;
/** Go on until nothing can happen without the outside: the tasks that are left. */
export declare function run(): i32;
/** Ticks since the start. */
export declare function ticks(): i32;
/** How often a task was called. */
export declare function calls(): i32;
/** Blocks in use, and the most there were. */
export declare function used(): i32;
export declare function mostUsed(): i32;
