/** The names of monitors. */

/** Names a monitor within one kernel; never used again. */
export type MonitorId = number;
