/**
 * Facts that follow from a domain's records and outlive its checkpoints, kept beside its tasks by whoever runs it: such as which messages of
 * which sender came in, and what was replied.
 *
 * LG1. A ledger hears of every message that came into the inbox and of every outcome of its service, in the order of the records, when they
 *      are made and when they are replayed. So a replay leads to the same ledger.
 * LG2. A checkpoint carries what `form` gives; the ledger after it is made from that.
 */

/** Facts beside a domain. */
export interface DomainLedger {
  /** The name of the service whose outcomes it hears of. */
  readonly service: string;
  /** A message was put into the inbox. */
  came(payload: unknown): void;
  /** A call of its service came to this value. Failures are not told. */
  outcome(value: unknown): void;
  /** The facts as plain data, to be carried by a checkpoint. */
  form(): unknown;
}

/** Makes the ledger of a domain: a new one, or the one that a form was made of. @throws for a form that is none of its own */
export type MakeLedger = (form?: unknown) => DomainLedger;
