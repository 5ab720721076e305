/** Limits of agents, with their reasons. */

/** Messages an agent holds at most. Where senders should hold back, and where they may go on (as kernel mailboxes: 1000, 800, 200). */
export const MAILBOX_CAPACITY = 1000;
export const MAILBOX_HIGH = 800;
export const MAILBOX_LOW = 200;

/** How long an ask waits unless it says otherwise. */
export const ASK_TIMEOUT_MS = 5000;
/** The longest time an ask or a sleep may take: 2^31 - 1 ms, what timers of every host can hold. */
export const DURATION_MS_MAX = 2_147_483_647;

/** Chunks a stream may be ahead of its reader. */
export const STREAM_CREDIT = 16;
/** A reader gives credit back in lots of this size, so that not every chunk costs a message. */
export const STREAM_CREDIT_LOT = 8;

/** Characters of the name of a kind of agent, a message, a topic or an agent. */
export const NAME_CHARS_MAX = 64;
/** Message names of one definition. */
export const MESSAGES_MAX = 256;
/** Asks, streams and requests an agent has under way. */
export const TICKETS_MAX = 4096;
/** Timers an agent has set. */
export const TIMERS_MAX = 1024;
/** Children of one agent. */
export const CHILDREN_MAX = 1_048_576;
/** Topics an agent subscribes to. */
export const TOPICS_MAX = 256;
/** Streams of which an agent is the source. The one it works for, and those that wait in its mailbox, are counted by that. */
export const ISSUES_MAX = 16;
/** Bytes of an encoded envelope: what a message of the mesh may hold (16 MiB), less a page for what surrounds it. */
export const ENVELOPE_BYTES_MAX: number = 16 * 1024 * 1024 - 4096;
/** Levels of objects and lists within each other that the codec follows. */
export const VALUE_DEPTH_MAX = 64;

/** Messages an agent handles in one turn of its task, then others have theirs. */
export const TURN_STEPS = 64;
/** The same for an agent that is expected to compute more than 70 % of a core: others wait a quarter of the time for it. */
export const TURN_STEPS_BUSY = 16;
/** From which part of a core on an agent counts as computing much (lean-agentic's `is_cpu_intensive`). */
export const BUSY_FORECAST = 0.7;
/** Weight of the newest sample in the averages of a profile. */
export const PROFILE_ALPHA = 0.1;
/** Entries of a message log unless it says otherwise, and at most. */
export const LOG_ENTRIES = 256;
export const LOG_ENTRIES_MAX = 65_536;
