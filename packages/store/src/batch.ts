/**
 * Several requests in one transaction, so that they share one flush (group commit).
 *
 * G1. No answer leaves before the commit of its batch returned.
 * G2. When a write fails, the whole batch is rolled back and every request of it is refused.
 * G3. When a commit fails, nobody can say what reached the disk: the store refuses everything from then on.
 */
import { type ErrorRecord, type GliaError, isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import { WriteFailedError } from "./errors.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import type { CoordinationRules } from "./rules.ts";
import type { Answer as AnswerOf } from "./serve.ts";

type Answer = AnswerOf<CoordinationReply>;

/** A transaction of the database under the rules. */
export interface Transaction {
  begin(): void;
  /** Make everything since `begin` durable. */
  commit(): void;
  rollback(): void;
  /** The typed refusal for what the database threw. */
  failure(error: unknown): GliaError;
}

/** Performs batches on one store. */
export class Batches {
  readonly #rules: CoordinationRules;
  readonly #transaction: Transaction;
  #broken: ErrorRecord | undefined;

  constructor(rules: CoordinationRules, transaction: Transaction) {
    this.#rules = rules;
    this.#transaction = transaction;
  }

  /** The answers to some requests, in order. */
  perform(requests: readonly CoordinationRequest[]): readonly Answer[] {
    if (this.#broken !== undefined) return refuseAll(requests, this.#broken);
    let answers: readonly Answer[];
    try {
      this.#transaction.begin();
      answers = requests.map((request) => this.#answer(request));
    } catch (error) {
      return this.#rollBack(requests, error);
    }
    try {
      this.#transaction.commit();
      return answers;
    } catch (error) {
      this.#broken = new WriteFailedError(this.#transaction.failure(error).message).toRecord();
      return refuseAll(requests, this.#broken);
    }
  }

  #answer(request: CoordinationRequest): Answer {
    try {
      return { reply: this.#rules.perform(request) };
    } catch (error) {
      if (isGliaError(error)) return { refused: error.toRecord() };
      throw error;
    }
  }

  #rollBack(requests: readonly CoordinationRequest[], error: unknown): readonly Answer[] {
    const refusal = this.#transaction.failure(error).toRecord();
    try {
      this.#transaction.rollback();
      this.#rules.reconcile();
    } catch (second) {
      this.#broken = new WriteFailedError(toErrorRecord(second).message).toRecord();
    }
    return refuseAll(requests, refusal);
  }
}

function refuseAll(requests: readonly CoordinationRequest[], refused: ErrorRecord): readonly Answer[] {
  return requests.map(() => ({ refused }));
}
