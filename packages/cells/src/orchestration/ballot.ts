/**
 * Counting votes on one request. Pure: whoever hears of a vote, by whatever way, counts it here.
 *
 * BA1. A voter counts once per request. Saying the same again changes nothing.
 * BA2. A voter that said two different things counts for nothing from then on, and both things are kept as evidence.
 * BA3. Only voters of the set count.
 * BA4. `impossible` is said as soon as those that have not voted cannot make any answer reach the threshold any more.
 */
import { canonicalText } from "./canonical.ts";
import { neededOf, type Threshold, type VoterSet } from "./voter-set.ts";

/** One vote that counts. */
export interface Vote<Answer> {
  readonly voter: string;
  readonly answer: Answer;
  readonly weight: number;
}

/** A voter that said different things about one request. */
export interface Equivocation<Answer> {
  readonly voter: string;
  /** What it said, each once, in the order heard. */
  readonly answers: readonly Answer[];
}

/** A voter whose vote will not come. */
export interface Abstention {
  readonly voter: string;
  readonly why: string;
}

/** How a count stands. */
export type BallotOutcome = "open" | "reached" | "impossible";

interface Group<Answer> {
  readonly answer: Answer;
  amount: number;
}

interface Said<Answer> {
  readonly key: string;
  readonly answers: Answer[];
  readonly keys: Set<string>;
}

/** The count of one request. */
export class Ballot<Answer = unknown> {
  readonly needed: number;
  readonly #by: "votes" | "weight";
  readonly #weights: ReadonlyMap<string, number>;
  readonly #keyOf: (answer: Answer) => string;
  readonly #said = new Map<string, Said<Answer>>();
  readonly #groups = new Map<string, Group<Answer>>();
  readonly #absent = new Map<string, string>();
  #open: number;

  /** Two answers with the same key agree; by default those that are equal as data. @throws {BadOptionError} */
  constructor(
    set: VoterSet,
    threshold: Threshold = "majority",
    keyOf: (answer: Answer) => string = canonicalText,
  ) {
    const { needed, in: by } = neededOf(set, threshold);
    this.needed = needed;
    this.#by = by;
    this.#keyOf = keyOf;
    this.#weights = new Map(set.voters.map(({ ref, weight }) => [ref.id, weight]));
    this.#open = [...this.#weights.keys()].reduce((sum, voter) => sum + this.#amountOf(voter), 0);
  }

  /** Hear a vote. O(1) beside the key. */
  count(voter: string, answer: Answer): "counted" | "repeated" | "equivocation" | "stranger" {
    if (!this.#weights.has(voter)) return "stranger";
    const key = this.#keyOf(answer);
    const said = this.#said.get(voter);
    if (said === undefined) {
      this.#said.set(voter, { key, answers: [answer], keys: new Set([key]) });
      if (!this.#absent.delete(voter)) this.#open -= this.#amountOf(voter);
      const group = this.#groups.get(key) ?? { answer, amount: 0 };
      group.amount += this.#amountOf(voter);
      this.#groups.set(key, group);
      return "counted";
    }
    if (said.keys.has(key)) return "repeated";
    const first = this.#groups.get(said.key);
    if (said.keys.size === 1 && first !== undefined) first.amount -= this.#amountOf(voter);
    said.keys.add(key);
    said.answers.push(answer);
    return "equivocation";
  }

  /** Give up on a voter that has not voted. A vote that comes all the same still counts. */
  abstain(voter: string, why: string): void {
    if (!this.#weights.has(voter) || this.#said.has(voter) || this.#absent.has(voter)) return;
    this.#absent.set(voter, why);
    this.#open -= this.#amountOf(voter);
  }

  /** How the count stands (BA4). O(different answers). */
  outcome(): BallotOutcome {
    const most = this.best()?.amount ?? 0;
    if (most >= this.needed) return "reached";
    return most + this.#open < this.needed ? "impossible" : "open";
  }

  /** The answer with most behind it, and how much that is in votes or weight; undefined before the first vote. */
  best(): { readonly answer: Answer; readonly amount: number } | undefined {
    let best: Group<Answer> | undefined;
    for (const group of this.#groups.values()) if (group.amount > (best?.amount ?? 0)) best = group;
    return best;
  }

  /** Votes that count, in the order heard. */
  votes(): readonly Vote<Answer>[] {
    return [...this.#said]
      .filter(([, { keys }]) => keys.size === 1)
      .map(([voter, { answers }]) => ({
        voter,
        answer: answers[0] as Answer,
        weight: this.#weights.get(voter) ?? 0,
      }));
  }

  /** Voters that contradicted themselves (BA2). */
  equivocations(): readonly Equivocation<Answer>[] {
    return [...this.#said]
      .filter(([, { keys }]) => keys.size > 1)
      .map(([voter, { answers }]) => ({ voter, answers: [...answers] }));
  }

  /** Voters that were given up on. */
  abstentions(): readonly Abstention[] {
    return [...this.#absent].map(([voter, why]) => ({ voter, why }));
  }

  /** Voters of whom nothing was heard. */
  silent(): readonly string[] {
    return [...this.#weights.keys()].filter((voter) => !this.#said.has(voter) && !this.#absent.has(voter));
  }

  #amountOf(voter: string): number {
    return this.#by === "votes" ? 1 : (this.#weights.get(voter) ?? 0);
  }
}
