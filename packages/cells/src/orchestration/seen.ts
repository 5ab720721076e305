/**
 * Which messages of which origins were seen, as plain data of bounded size.
 *
 * SN1. `admit` answers true once per (origin, number), as long as no more than {@link WINDOW} numbers of an origin are between the oldest that is
 *      missing and the newest that came. Older ones count as seen: a late message is dropped rather than taken twice.
 * SN2. At most {@link ORIGINS_MAX} origins are kept; the one that was heard of least lately is forgotten first.
 */

import { isAgentId } from "../agent/index.ts";

/** Numbers above the first missing one that are kept of an origin. */
export const WINDOW = 256;
/** Origins. */
export const ORIGINS_MAX = 1024;

/** What was seen of one origin. */
interface SeenOf {
  /** Every number up to this one counts as seen. */
  upTo: number;
  /** Numbers above it that were seen, ascending. */
  above: number[];
}

/** What was seen. Part of an agent's state. */
export interface Seen {
  /** The last number this agent gave to a message of its own. */
  last: number;
  of: Record<string, SeenOf>;
}

/** Nothing seen. */
export function nothingSeen(): Seen {
  return { last: 0, of: {} };
}

/** The number of the next own message, which counts as seen. */
export function nextNumber(seen: Seen, self: string): number {
  seen.last++;
  admit(seen, self, seen.last);
  return seen.last;
}

/** Whether a message is new; it counts as seen from now on (SN1). Origins are ids of agents: of others nothing is new. O(WINDOW). */
export function admit(seen: Seen, origin: string, number: number): boolean {
  if (!isAgentId(origin) || !Number.isSafeInteger(number) || number < 1) return false;
  const of = touch(seen, origin);
  if (number <= of.upTo || of.above.includes(number)) return false;
  const at = of.above.findIndex((other) => other > number);
  of.above.splice(at === -1 ? of.above.length : at, 0, number);
  while (of.above.length > WINDOW) of.upTo = of.above.shift() as number;
  while (of.above[0] === of.upTo + 1) of.upTo = of.above.shift() as number;
  return true;
}

/** The entry of an origin, as the one that was heard of last (SN2). */
function touch(seen: Seen, origin: string): SeenOf {
  const known = Object.hasOwn(seen.of, origin) ? seen.of[origin] : undefined;
  const of = known ?? { upTo: 0, above: [] };
  delete seen.of[origin];
  seen.of[origin] = of;
  if (known !== undefined) return of;
  const origins = Object.keys(seen.of);
  if (origins.length > ORIGINS_MAX) delete seen.of[origins[0] as string];
  return of;
}
