/**
 * The receiver's side of request credit (docs/spec/frame.md section 5).
 *
 * Q1. The peer never has more than the window outstanding; more is a violation.
 * Q2. Credit for a message returns when the receiver is done with it. Credit for a message still arriving returns at once
 *     while the receiver is idle, so a message larger than the window gets through, and not otherwise.
 */
import { ProtocolViolationError } from "./errors.ts";
import { CREDIT_PORTION_BYTES, REQUEST_WINDOW_BYTES } from "./limits.ts";

/** Counts what the peer may still send. */
export class RequestWindow {
  readonly #grant: (bytes: number) => void;
  #outstanding = 0;
  #arriving = 0;
  #owed = 0;

  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** A frame of this cost arrives. @throws {ProtocolViolationError} (Q1) */
  arrive(cost: number): void {
    this.#outstanding += cost;
    this.#arriving += cost;
    if (this.#outstanding > REQUEST_WINDOW_BYTES) {
      throw new ProtocolViolationError("it sent more request bytes than it was granted");
    }
  }

  /** The message is complete: the cost that its settling will return. */
  complete(): number {
    const cost = this.#arriving;
    this.#arriving = 0;
    return cost;
  }

  /** The receiver is done with a message of this cost (Q2). */
  settle(cost: number): void {
    this.#owed += cost;
    if (this.#owed < CREDIT_PORTION_BYTES) return;
    this.#outstanding -= this.#owed;
    this.#grant(this.#owed);
    this.#owed = 0;
  }

  /** The receiver is idle: what has arrived of the next message need not be held back (Q2). */
  idle(): void {
    this.settle(this.complete());
  }
}
