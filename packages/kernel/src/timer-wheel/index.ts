/** Timer queues: the exact heap and the wheel. */
export { TimerHeap } from "../timer-heap.ts";
export type { Timed, TimerQueue } from "./timer-queue.ts";
export { TimerWheel } from "./timer-wheel.ts";
