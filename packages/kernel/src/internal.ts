/** The second door: parts that this package's own tests look at directly. Not exported by the package. */
export { CapabilityTable, type KernelObject } from "./capability-table.ts";
export { OPCODE_NAMES, RECORDED } from "./opcodes.ts";
export { ReadyQueue } from "./ready-queue.ts";
export { GENERATION_LIMIT, generationOf, INDEX_LIMIT } from "./slot-id.ts";
export { backoffMs } from "./supervision/backoff.ts";
export { LEAST_ROOM, OpenCalls } from "./supervision/open-calls.ts";
export { RestartWindow } from "./supervision/restart-window.ts";
export { FINISHED, READY, STATE_NAMES, Task, type TaskId, TaskList, TRANSITIONS } from "./task.ts";
export { TaskTable } from "./task-table.ts";
