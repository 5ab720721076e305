/**
 * What a domain remembers of those who send it messages (docs/spec/mail.md).
 *
 * ML1. A message at or below the number that was accepted last from its sender was accepted before.
 * ML3. Only a row whose last message is settled is forgotten. With {@link ROWS_MOST} rows and none to forget, new senders are refused.
 * ML4. Without a row, a delivery is accepted when its token is not older than the last time a row was forgotten.
 *
 * The rows follow from the records alone; what is settled since the last of them is kept beside.
 */

/** What became of a sender's messages: the number of the last one, and whether the sender has that on its disk. */
export type LinkRow = readonly [from: string, number: number, settled: boolean];

/** The rows in the order of their last use, and the number of the record that last forgot one. */
export interface LinksForm {
  readonly rows: readonly LinkRow[];
  readonly forgottenAt: number;
}

/** What is to be done with a message. `known`: it was accepted before. */
export type Judgement = "new" | "known" | "stale" | "full";

/** Rows that are kept although they could be forgotten. */
export const ROWS_KEPT = 1_024;
/** Rows there are at most. */
export const ROWS_MOST = 4_096;
/** Senders named in one record, settled or forgotten. */
export const NAMED = 64;

interface Row {
  readonly number: number;
  readonly settled: boolean;
}

/** A domain's rows. */
export class MailboxLinks {
  /** In the order of their last use. */
  readonly #rows: Map<string, Row>;
  #forgottenAt: number;
  /** Senders whose last message is settled, and whose row does not say so yet. */
  readonly #settled = new Set<string>();

  constructor({ rows, forgottenAt }: LinksForm = { rows: [], forgottenAt: 0 }) {
    this.#rows = new Map(rows.map(([from, number, settled]) => [from, { number, settled }]));
    this.#forgottenAt = forgottenAt;
  }

  /** Rows there are. */
  get size(): number {
    return this.#rows.size;
  }

  /** Whether there is anything to remember. */
  get isEmpty(): boolean {
    return this.#rows.size === 0 && this.#forgottenAt === 0;
  }

  /** For a record. O(rows). */
  get form(): LinksForm {
    const rows = [...this.#rows].map(([from, { number, settled }]): LinkRow => [from, number, settled]);
    return { rows, forgottenAt: this.#forgottenAt };
  }

  /** The number of the last message that was accepted from a sender; 0 for none. */
  lastOf(from: string): number {
    return this.#rows.get(from)?.number ?? 0;
  }

  /** What is to be done with a message. Changes nothing. */
  judge(from: string, number: number, token: number): Judgement {
    const row = this.#rows.get(from);
    if (row !== undefined) return number <= row.number ? "known" : "new";
    if (token < this.#forgottenAt) return "stale";
    return this.#rows.size < ROWS_MOST || this.toForget(from).length > 0 ? "new" : "full";
  }

  /** A sender has the outcome of this message on its disk. What is not its last one, or is known, changes nothing. */
  settle(from: string, number: number): void {
    const row = this.#rows.get(from);
    if (row?.number === number && !row.settled) this.#settled.add(from);
  }

  /** Senders that the next record is to call settled. Changes nothing. */
  toSettle(): readonly string[] {
    return firstOf(this.#settled, () => true);
  }

  /** Senders that the next record is to forget when it accepts a message of this one. Changes nothing. */
  toForget(from: string): readonly string[] {
    const surplus = this.#rows.has(from) ? 0 : this.#rows.size + 1 - ROWS_KEPT;
    if (surplus <= 0) return [];
    const called = new Set(this.toSettle());
    const old = firstOf(
      this.#rows.keys(),
      (each) => this.#rows.get(each)?.settled === true || called.has(each),
    );
    return old.slice(0, surplus);
  }

  /** Take over what is settled from the table this one was made from. */
  goOnFrom(earlier: MailboxLinks): void {
    for (const each of earlier.#settled) if (this.#rows.get(each)?.settled === false) this.#settled.add(each);
  }

  /** A record accepted a message. */
  accept(
    from: string,
    number: number,
    settled: readonly string[],
    forgotten: readonly string[],
    record: number,
  ): void {
    for (const each of settled) {
      this.#settled.delete(each);
      const row = this.#rows.get(each);
      if (row !== undefined) this.#rows.set(each, { ...row, settled: true });
    }
    for (const each of forgotten) this.#rows.delete(each);
    if (forgotten.length > 0) this.#forgottenAt = record;
    // Behind all others: it was used last.
    this.#rows.delete(from);
    this.#settled.delete(from);
    this.#rows.set(from, { number, settled: false });
  }
}

function firstOf(names: Iterable<string>, wanted: (name: string) => boolean): readonly string[] {
  const found: string[] = [];
  for (const name of names) {
    if (found.length === NAMED) break;
    if (wanted(name)) found.push(name);
  }
  return found;
}
