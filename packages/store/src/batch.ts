/**
 * Several requests in one transaction, so that they share one flush (group commit).
 *
 * G1. No answer leaves before the commit of its batch returned.
 * G2. When a write fails, the whole batch is rolled back and every request of it is refused.
 * G3. When a commit fails, nobody can say what reached the disk: the store refuses everything from then on.
 */
import type { DatabaseSync } from "node:sqlite";
import { type ErrorRecord, type GliaError, isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import { WriteFailedError } from "./errors.ts";
import type { Answer } from "./serve.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** The state machine whose requests are performed. */
export interface Performs<Request, Reply> {
  /** Perform one request. A typed error is its refusal, which changed nothing or what it should; any other error fails the batch. */
  perform(request: Request): Reply;
  /** Bring what is held in memory in line with the database after a rollback. */
  reconcile(): void;
}

/** A transaction of the database under the rules. */
export interface Transaction {
  begin(): void;
  /** Make everything since `begin` durable. */
  commit(): void;
  rollback(): void;
  /** The typed refusal for what the database threw. */
  failure(error: unknown): GliaError;
}

/** The transactions of a SQLite file. */
export function sqliteTransaction(db: DatabaseSync, path: string): Transaction {
  return {
    begin: () => db.exec("BEGIN"),
    commit: () => db.exec("COMMIT"),
    rollback: () => {
      if (db.isTransaction) db.exec("ROLLBACK");
    },
    failure: (error) => sqliteFailure(error, path) ?? new WriteFailedError(toErrorRecord(error).message),
  };
}

/** Performs batches on one store. */
export class Batches<Request, Reply> {
  readonly #rules: Performs<Request, Reply>;
  readonly #transaction: Transaction;
  #broken: ErrorRecord | undefined;

  constructor(rules: Performs<Request, Reply>, transaction: Transaction) {
    this.#rules = rules;
    this.#transaction = transaction;
  }

  /** The answers to some requests, in order. */
  perform(requests: readonly Request[]): readonly Answer<Reply>[] {
    if (this.#broken !== undefined) return refuseAll(requests, this.#broken);
    let answers: readonly Answer<Reply>[];
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

  #answer(request: Request): Answer<Reply> {
    try {
      return { reply: this.#rules.perform(request) };
    } catch (error) {
      if (isGliaError(error)) return { refused: error.toRecord() };
      throw error;
    }
  }

  #rollBack(requests: readonly Request[], error: unknown): readonly Answer<Reply>[] {
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

function refuseAll(
  requests: readonly unknown[],
  refused: ErrorRecord,
): readonly { readonly refused: ErrorRecord }[] {
  return requests.map(() => ({ refused }));
}
