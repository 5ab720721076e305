/**
 * Asking a named set of voters and counting their answers until enough agree or time is up. It decides nothing by itself: a quorum of
 * answers is a survey, not consensus; what must be true sits on coordination.
 *
 * QU1. Each voter counts once, and only voters that were named count.
 * QU2. The default is a majority of those named, floor(n/2) + 1, not of those that answered.
 * QU3. It ends as soon as enough agree, as soon as that has become impossible, or at the deadline.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Timers } from "@glia-os/abi/ports";
import { InvalidOptionError } from "../errors.ts";
import { NoQuorumError } from "../overlay-errors.ts";

/** Voters of one survey. */
export const VOTERS_MAX = 1024;

/** A survey. */
export interface QuorumOptions<Answer> {
  readonly voters: readonly NodeId[];
  /** Ask one voter. Rejecting counts as no answer. */
  readonly ask: (voter: NodeId) => Promise<Answer>;
  /** Two answers with the same key agree. Default: all answers agree. */
  readonly key?: (answer: Answer) => string;
  /** Voters that must agree: 1 to their number. Default: a majority (QU2). */
  readonly needed?: number;
  readonly timers: Timers;
  /** Until then, in milliseconds: 1 to 600,000. */
  readonly timeoutMs: number;
}

/** What the voters said. */
export interface QuorumResult<Answer> {
  readonly answer: Answer;
  /** Those that agreed. */
  readonly agreed: readonly NodeId[];
  /** All that answered so far. */
  readonly answered: number;
}

/** Ask, and resolve with the first answer that enough voters gave. @throws {NoQuorumError}, {InvalidOptionError}. */
export function quorum<Answer>(options: QuorumOptions<Answer>): Promise<QuorumResult<Answer>> {
  const { ask, key = () => "", timers, timeoutMs } = options;
  const voters = [...new Set(options.voters)];
  const needed = options.needed ?? Math.floor(voters.length / 2) + 1;
  check(voters.length, needed, timeoutMs);
  return new Promise((resolve, reject) => {
    const groups = new Map<string, { answer: Answer; agreed: NodeId[] }>();
    let open = voters.length;
    let answered = 0;
    const fail = (): void => reject(new NoQuorumError(mostAgreed(groups), needed));
    const deadline = timers.schedule(timeoutMs, fail);
    const count = (voter: NodeId, answer: Answer): void => {
      answered++;
      const group = groups.get(key(answer)) ?? { answer, agreed: [] };
      groups.set(key(answer), group);
      group.agreed.push(voter);
      if (group.agreed.length < needed) return;
      deadline.cancel();
      resolve({ answer: group.answer, agreed: group.agreed, answered });
    };
    for (const voter of voters)
      ask(voter)
        .then((answer) => count(voter, answer))
        .catch(() => undefined)
        .finally(() => {
          open--;
          if (mostAgreed(groups) + open >= needed) return;
          deadline.cancel();
          fail();
        });
  });
}

function mostAgreed(groups: ReadonlyMap<string, { readonly agreed: readonly NodeId[] }>): number {
  let most = 0;
  for (const { agreed } of groups.values()) most = Math.max(most, agreed.length);
  return most;
}

function check(voters: number, needed: number, timeoutMs: number): void {
  if (voters < 1 || voters > VOTERS_MAX)
    throw new InvalidOptionError("voters", `there are ${voters}, not 1 to ${VOTERS_MAX}`);
  if (!Number.isInteger(needed) || needed < 1 || needed > voters)
    throw new InvalidOptionError("needed", `${needed} is not an integer from 1 to ${voters}`);
  if (!(timeoutMs >= 1 && timeoutMs <= 600_000))
    throw new InvalidOptionError("timeoutMs", `${timeoutMs} is not from 1 to 600,000`);
}
