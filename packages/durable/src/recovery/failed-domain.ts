/**
 * A failed domain as its journal has it: where it failed, what was decided before, and where it could go on.
 *
 * FD1. The failure is the effect of the last thing that came in: between two records everything that is ready runs.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { Journal } from "@glia-os/abi/ports";
import { type LoggedRecord, liveRecords } from "../logged-record.ts";
import { decodeRecord, KIND, type Outcome, outcomeOf, type TaskPath } from "../record.ts";
import type { RestartFacts } from "./restart-facts.ts";

/** How a journal ends whose root task ended. */
export interface JournalEnd {
  /** The number of the record of the end. */
  readonly seq: number;
  readonly outcome: Outcome;
  /** The number of the last record before it that counts. */
  readonly lastSeq: number;
  /** The last thing that came in. */
  readonly cause: Cause;
  /** The restart that counts last; with `escalate`, what came of this end. */
  readonly last: RestartFacts | undefined;
}

/** The record whose effect an end is. */
export interface Cause {
  readonly seq: number;
  /** What it is called where it is no outcome of a call. */
  readonly name: string;
  /** The task whose call came to its outcome. */
  readonly path: TaskPath | undefined;
  /** That outcome was a failure. */
  readonly failed: boolean;
}

/** How a domain ended; undefined for one that did not. O(records). */
export async function endOf(journal: Journal, domain: string): Promise<JournalEnd | undefined> {
  const inputs = new Inputs();
  let last: RestartFacts | undefined;
  let end: { readonly seq: number; readonly outcome: Outcome } | undefined;
  let lastSeq = 0;
  for await (const logged of liveRecords(journal, domain)) {
    const { seq, row } = logged;
    if (row.kind === KIND.exit) end = { seq, outcome: outcomeOf(row.outcome) };
    else if (end === undefined) lastSeq = seq;
    if (row.kind === KIND.restart) last = factsIn(logged);
    inputs.take(logged, last);
  }
  return end === undefined ? undefined : { ...end, lastSeq, cause: inputs.cause, last };
}

function factsIn({ bytes }: LoggedRecord): RestartFacts | undefined {
  const { record } = decodeRecord(bytes);
  return record.kind === KIND.restart ? record.facts : undefined;
}

/** Counts what came in since the beginning, the last checkpoint or the last fresh beginning. */
class Inputs {
  cause: Cause = { seq: 0, name: "beginning", path: undefined, failed: false };
  #outcomes = 0;
  #messages = 0;
  #cancels = 0;

  take({ seq, row }: LoggedRecord, last: RestartFacts | undefined): void {
    const { kind } = row;
    const begins = kind === KIND.restart ? last?.renewal !== undefined : BEGINNINGS.includes(kind);
    if (begins) [this.#outcomes, this.#messages, this.#cancels] = [0, 0, 0];
    else if (kind === KIND.resume) this.#outcomes += 1;
    else if (kind === KIND.message || kind === KIND.mail) this.#messages += 1;
    else if (kind === KIND.cancel) this.#cancels += 1;
    else if (kind !== KIND.time) return;
    const path = kind === KIND.resume ? row.path : undefined;
    const failed = path !== undefined && outcomeOf(row.outcome).failed;
    this.cause = { seq, name: this.#nameOf(kind, begins), path, failed };
  }

  /** Timing may put more or fewer records of time between the others: they are named by what came before them. */
  #nameOf(kind: number, begins: boolean): string {
    if (kind === KIND.message || kind === KIND.mail) return `message ${this.#messages}`;
    if (kind === KIND.cancel) return `cancel ${this.#cancels}`;
    const before = this.#outcomes + this.#messages + this.#cancels;
    return begins || before === 0 ? "beginning" : `time after ${before}`;
  }
}

const BEGINNINGS: readonly number[] = [KIND.spawn, KIND.checkpoint, KIND.upgraded];

/** Codes of ends that were asked for, and are no failures. */
const ASKED_FOR: readonly string[] = ["kernel.cancelled", "kernel.killed"];

/** What a domain failed with; undefined when it ended as it should or was asked to. */
export function failureOf(outcome: Outcome): ErrorRecord | undefined {
  return outcome.failed && !ASKED_FOR.includes(outcome.error.code) ? outcome.error : undefined;
}
