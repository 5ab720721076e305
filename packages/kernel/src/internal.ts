/** The second door: parts that this package's own tests look at directly. Not exported by the package. */
export { CapabilityTable, type KernelObject } from "./capability-table.ts";
export { OPCODE_NAMES } from "./opcodes.ts";
export { GENERATION_LIMIT, generationOf, INDEX_LIMIT, SlotTable } from "./slot-table.ts";
export { STATE_NAMES, Task, TaskList, TRANSITIONS } from "./task.ts";
