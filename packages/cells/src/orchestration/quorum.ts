/**
 * The primitive `quorum`: ask a named set of voters the same question and count until enough agree.
 *
 * QR1. It ends when enough agree, when that has become impossible, or when time is up; what is under way then is abandoned.
 * QR2. With `asks` above 1 every voter is asked that often, and counts only when it said the same each time; one that did not is named.
 * QR3. The result names the set and its version, every vote that counted, every voter that did not answer, and every contradiction.
 *
 * It is a survey, not consensus. Promised: at the moment of its answer each voter counted had given that answer once. Not promised: that
 * a voter keeps to it, that another survey at the same time finds the same, or that anything was decided. What must be decided once is a
 * compare-and-swap on an engine. Votes are as true as the links they came by; they are not signed, so a contradiction convinces the node
 * that saw it and nobody else.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { toHex } from "@glia-os/abi/ids";
import type {
  AgentContext,
  AgentRoutine,
  InputOf,
  MessageName,
  ReplyOf,
  Settled,
  Ticket,
} from "../agent/index.ts";
import { type Abstention, Ballot, type Equivocation, type Vote } from "./ballot.ts";
import { canonicalText } from "./canonical.ts";
import { checkWhole } from "./check-option.ts";
import type { Threshold, VoterSet } from "./voter-set.ts";

/** How often one voter is asked at most. */
export const ASKS_PER_VOTER_MAX = 3;

/** How a quorum is gathered. */
export interface QuorumOptions<Answer> {
  /** Default `majority`. */
  readonly threshold?: Threshold;
  /** Until then, in milliseconds: 1 to 600,000, default 5000. */
  readonly timeoutMs?: number;
  /** How often every voter is asked: 1 to 3, default 1 (QR2). */
  readonly asks?: number;
  /** Two answers with the same key agree. Default: answers that are equal as data. */
  readonly key?: (answer: Answer) => string;
  /** The name of the request in the result, to compare surveys by. Default: 32 random hexadecimal characters. */
  readonly request?: string;
}

/** What the voters said. */
export interface QuorumResult<Answer> {
  readonly request: string;
  readonly set: { readonly name: string; readonly version: number; readonly voters: number };
  /** `impossible`: those left could not have changed it. `timed-out`: they could have. */
  readonly outcome: "reached" | "impossible" | "timed-out";
  /** What enough agreed on; present exactly when the outcome is `reached`. */
  readonly answer?: Answer;
  /** What the threshold asked for and what the best answer got, in votes or in weight. */
  readonly needed: number;
  readonly got: number;
  readonly votes: readonly Vote<Answer>[];
  readonly equivocations: readonly Equivocation<Answer>[];
  /** Voters whose answer failed or did not come in time, and why. */
  readonly abstentions: readonly Abstention[];
  /** Voters that had not answered when it ended early. */
  readonly silent: readonly string[];
}

/** What one voter was asked and said so far. */
interface Poll<Answer> {
  readonly voter: string;
  left: number;
  readonly answers: Answer[];
  readonly keys: Set<string>;
}

/**
 * Ask every voter of a set and count. Never throws for what voters do. @throws {BadOptionError}, `agent.too-many` when more asks are
 * under way than an agent may have
 */
export function* quorum<Def = unknown, Name extends MessageName<Def> = MessageName<Def>>(
  ctx: AgentContext,
  set: VoterSet<Def>,
  message: Name,
  input: InputOf<Def, Name>,
  options: QuorumOptions<ReplyOf<Def, Name>> = {},
): AgentRoutine<QuorumResult<ReplyOf<Def, Name>>> {
  type Answer = ReplyOf<Def, Name>;
  const timeoutMs = checkWhole("timeoutMs", options.timeoutMs ?? 5000, 1, 600_000);
  const asks = checkWhole("asks", options.asks ?? 1, 1, ASKS_PER_VOTER_MAX);
  const ballot = new Ballot<Answer>(set, options.threshold, options.key);
  const polls = new Map<number, Poll<Answer>>();
  let open: Ticket<Answer>[] = [];
  for (const { ref } of set.voters) {
    const poll: Poll<Answer> = { voter: ref.id, left: asks, answers: [], keys: new Set() };
    for (let ask = 0; ask < asks; ask++) {
      const ticket = ctx.begin<Def, Name>(ref, message, input, { timeoutMs });
      polls.set(ticket.id, poll);
      open.push(ticket);
    }
  }
  let late = false;
  while (open.length > 0 && ballot.outcome() === "open") {
    const settled: readonly Settled<Answer>[] = yield* ctx.settled(open);
    for (const one of settled) {
      const poll = polls.get(one.ticket.id) as Poll<Answer>;
      polls.delete(one.ticket.id);
      if (!one.ok && errorCodeOf(one.error) === "agent.ask-timeout") late = true;
      hear(ballot, poll, one, options.key ?? canonicalText);
    }
    open = open.filter(({ id }) => polls.has(id));
  }
  ctx.abandon(open);
  return resultOf(set, options.request ?? requestId(ctx), ballot, late);
}

/** One answer of a voter. It counts when its last one is in (QR2); a contradiction is told to the ballot at once. */
function hear<Answer>(
  ballot: Ballot<Answer>,
  poll: Poll<Answer>,
  one: Settled<Answer>,
  keyOf: (answer: Answer) => string,
): void {
  poll.left--;
  if (!one.ok) {
    ballot.abstain(poll.voter, `${errorCodeOf(one.error) ?? "error"}: ${messageOf(one.error)}`);
    poll.left = Number.POSITIVE_INFINITY;
    return;
  }
  poll.answers.push(one.value);
  poll.keys.add(keyOf(one.value));
  if (poll.left === 0 || poll.keys.size > 1)
    for (const answer of poll.answers) ballot.count(poll.voter, answer);
}

function resultOf<Answer>(
  set: VoterSet,
  request: string,
  ballot: Ballot<Answer>,
  late: boolean,
): QuorumResult<Answer> {
  const best = ballot.best();
  const reached = ballot.outcome() === "reached";
  return {
    request,
    set: { name: set.name, version: set.version, voters: set.voters.length },
    outcome: reached ? "reached" : late ? "timed-out" : "impossible",
    ...(reached && best !== undefined ? { answer: best.answer } : {}),
    needed: ballot.needed,
    got: best?.amount ?? 0,
    votes: ballot.votes(),
    equivocations: ballot.equivocations(),
    abstentions: ballot.abstentions(),
    silent: ballot.silent(),
  };
}

/**
 * Voters that told different surveys of one request different things. Surveys of another set, version or request than the first are left
 * out: their votes say nothing about it. O(votes).
 */
export function crossCheck<Answer>(
  results: readonly QuorumResult<Answer>[],
  key: (answer: Answer) => string = canonicalText,
): readonly Equivocation<Answer>[] {
  const [first] = results;
  if (first === undefined) return [];
  const said = new Map<string, Map<string, Answer>>();
  const hears = (voter: string, answer: Answer): void => {
    const answers = said.get(voter) ?? new Map<string, Answer>();
    said.set(voter, answers.set(key(answer), answers.get(key(answer)) ?? answer));
  };
  for (const { request, set, votes, equivocations } of results) {
    if (request !== first.request || set.name !== first.set.name || set.version !== first.set.version)
      continue;
    for (const { voter, answer } of votes) hears(voter, answer);
    for (const { voter, answers } of equivocations) for (const answer of answers) hears(voter, answer);
  }
  return [...said]
    .filter(([, answers]) => answers.size > 1)
    .map(([voter, answers]) => ({ voter, answers: [...answers.values()] }));
}

function requestId(ctx: AgentContext): string {
  const bytes = new Uint8Array(16);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(ctx.random() * 256);
  return toHex(bytes);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
