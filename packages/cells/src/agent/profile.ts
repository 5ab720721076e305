/**
 * What an agent uses, as moving averages that placement and its own forecast read.
 *
 * PF1. Averages are exponential, the newest sample weighing 0.1: `next = old + 0.1 * (sample - old)`.
 */

/** What an agent used lately. */
export interface AgentProfile {
  /** Messages handled since it was made. */
  readonly messages: number;
  /** Milliseconds of computing per message. */
  readonly executionMs: number;
  /** Messages per second. */
  readonly messageRate: number;
  /** The part of one core it computes: 0 to 1. */
  readonly cpuIntensity: number;
  /** What it expects of the near future, 0 to 1: its definition's `forecast`, or `cpuIntensity`. */
  readonly forecast: number;
}
