/** What a coordination store may hold. Every limit has a test that reaches it. */
import { MalformedError } from "@glia-os/abi/errors";

/** The shortest lease: a renewal every third of it must survive ordinary pauses of a process. */
export const TTL_MIN_MS = 1_000;
/** The longest lease: the longest time a dead node can keep its agents. */
export const TTL_MAX_MS = 600_000;
/** The longest agent name, in bytes of UTF-8. */
export const NAME_LIMIT_BYTES = 256;
/** The longest request id, in characters of printable ASCII (docs/spec/ids.md). */
export const REQUEST_ID_LIMIT = 64;
/** The most changes one `changesSince` returns. */
export const CHANGES_LIMIT = 1_000;

/** Limits of one store. */
export interface CoordinationLimits {
  /** Agents that are not terminated. */
  readonly liveAgents: number;
  /** Agent rows in all. Rows of terminated agents stay, so that an epoch never repeats. */
  readonly agentRows: number;
  /** Nodes with a session. */
  readonly sessions: number;
  /** Outcomes kept for repeated requests; the oldest goes first. */
  readonly requests: number;
  /** Changes kept for `changesSince`; the oldest goes first. */
  readonly changes: number;
}

/** The limits a store has when none are given. */
export const DEFAULT_LIMITS: CoordinationLimits = Object.freeze({
  liveAgents: 10_000,
  agentRows: 1_000_000,
  sessions: 10_000,
  requests: 65_536,
  changes: 65_536,
});

/**
 * The default limits with some of them replaced.
 * @throws `abi.malformed` unless each is a whole number from 1 to 16 times its default (`liveAgents`: to its default,
 * because one listing returns them all).
 */
export function limitsOf(given: Partial<CoordinationLimits> = {}): CoordinationLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const key of Object.keys(DEFAULT_LIMITS) as (keyof CoordinationLimits)[]) {
    const most = key === "liveAgents" ? DEFAULT_LIMITS[key] : DEFAULT_LIMITS[key] * 16;
    if (!Number.isInteger(limits[key]) || limits[key] < 1 || limits[key] > most) {
      throw new MalformedError(
        `limit ${key}`,
        `${String(limits[key])} is not a whole number from 1 to ${most}`,
      );
    }
  }
  return limits;
}
