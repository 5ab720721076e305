/** Names and sizes the pipeline gives a module and the engine looks for (docs/guests.md, "What the pipeline does"). */

/** The exported function a guest starts in: no parameters, an i32 status. */
export const ENTRY_EXPORT = "glia_main";
/** The entry of a WASI command, taken when there is no {@link ENTRY_EXPORT}: no parameters, no result; the status is 0. */
export const WASI_ENTRY_EXPORT = "_start";
/** The module's former start function, run before the entry. */
export const START_EXPORT = "glia.start";
/** The second memory, which holds suspended calls. */
export const STACK_EXPORT = "glia.stack";
/** Prefix of the exports of mutable globals; the index follows. */
export const GLOBAL_EXPORT = "glia.global.";
/** Prefix of the exports of tables that code changes; the index follows. */
export const TABLE_EXPORT = "glia.table.";
/** The export of a table of every function a table may hold, which code does not touch: how a restore gets at functions. */
export const FUNCTIONS_EXPORT = "glia.functions";
/** Most elements of all tables of a guest together, also after they have grown. */
export const MOST_TABLE_ELEMENTS = 65_536;
/** Name of the imported memory, in the module `glia.v1`. */
export const MEMORY_IMPORT = "memory";
/** The pipeline's export of memory 0. */
export const MEMORY_EXPORT = "glia.memory";
/**
 * Size of the memory for suspended calls, in 64 KiB pages: 512 KiB, some ten thousand frames of typical code. It is about half
 * of what the native stack of a thread holds, because a suspended guest needs as much native stack again where it continues,
 * and there its code may not be optimised yet and need larger frames.
 */
export const STACK_PAGES = 8;
/** Where the asyncify record lies in that memory: two u32, the current end of the frames and their limit. Frames follow. */
export const STACK_RECORD = 0;
/** First byte of the frames. */
export const STACK_FRAMES = 16;
/** Bytes of a page of linear memory. */
export const PAGE_BYTES = 65_536;
/** The functions asyncify adds. */
export const ASYNCIFY_EXPORTS = [
  "asyncify_start_unwind",
  "asyncify_stop_unwind",
  "asyncify_start_rewind",
  "asyncify_stop_rewind",
  "asyncify_get_state",
] as const;
/** The fuel counter, a mutable i64 global (docs/spec/fuel.md). */
export const FUEL_EXPORT = "glia.fuel";
/** Module and name of the import a pre-emptive guest calls when its slice is used up. */
export const FUEL_MODULE = "glia.fuel";
export const FUEL_YIELD = "yield";
/**
 * Fuel between the end of a slice and the trap: a pre-emptive guest stops at the first check below it. No honest guest charges
 * so much between two checks (docs/spec/fuel.md, "Bounds").
 */
export const FUEL_GRACE = 1_048_576;
/** The memory in which a tracked module marks the pages it writes, a byte each (docs/guests.md, "Pre-copy"). */
export const DIRTY_EXPORT = "glia.dirty";
/** The memory in which a module with presence checks looks whether a page is there, a byte each (docs/spec/postcopy.md). */
export const ABSENT_EXPORT = "glia.absent";
/** The table of the two functions such a module calls when one is not. */
export const PRESENCE_EXPORT = "glia.presence";
