/** The kernel's limits and periods. Each is a default; `createKernel` takes other values for most. */

/** Tasks that may live at once. A parked task with one handle takes about 530 bytes of resident memory (a million of them, Node 26). */
export const TASK_LIMIT = 1_048_576;

/** Ended tasks whose exit is kept for late waiters, oldest forgotten first. */
export const ENDED_LIMIT = 131_072;

/** Handles one task may hold. */
export const HANDLE_LIMIT = 65_536;

/** Syscalls a task may make in one turn before it goes to the end of its ready list. Chosen so that a switch (tens of ns) is noise. */
export const TURN_SYSCALLS = 256;

/** Every so many switches one waiting task per priority level moves up a level (aging). */
export const AGING_SWITCHES = 64;

/** Messages a mailbox holds (the seeds' figure), and where back-pressure starts and ends. */
export const MAILBOX_CAPACITY = 1000;
export const MAILBOX_HIGH = 800;
export const MAILBOX_LOW = 200;
export const MAILBOX_CAPACITY_MAX = 16_777_216;

/** Waits one `select` may name. */
export const SELECT_LIMIT = 64;

/** Time a call waits for its reply unless told otherwise: OTP's default. */
export const CALL_TIMEOUT_MS = 5000;

/** Longest duration a task may ask for: about 285 years, far below where milliseconds lose whole numbers. */
export const DURATION_LIMIT_MS = 9_000_000_000_000;

/** Records of the trace ring, a power of two: 16 bytes each. */
export const TRACE_RECORDS = 4096;

/** Outcomes the memory journal keeps. Each holds on to one value, so the bound is small. */
export const JOURNAL_RECORDS = 64;

/** Times a generator that keeps yielding while it is unwound is asked again before it is dropped. */
export const UNWIND_ATTEMPTS = 100;

/** Random bytes one syscall may ask for (the bound of the Web Crypto API). */
export const RANDOM_BYTES_LIMIT = 65_536;

/** Units one read of a resource may ask for. */
export const READ_LIMIT = 16_777_216;

/** What a kernel may spend on services unless it is told. No currency is known here, so money has no limit. */
export const ACCOUNT = { name: "kernel", calls: 100_000_000, tokens: 1_000_000_000 } as const;
