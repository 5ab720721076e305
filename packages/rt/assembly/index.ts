/** What a cell of an image uses. */
export { emit, Refusal, sense } from "./device";
export { BLOCK_BYTES, BLOCKS } from "./pool";
export { MAILBOX_MAX, TASKS } from "./mailbox";
export { calls, Event, exit, listen, mostUsed, raise, reset, run, send, setTraced, sleep, spawn, ticks, used } from "./runtime";
