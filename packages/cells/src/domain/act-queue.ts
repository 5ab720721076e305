/**
 * What an agent's program asks of its node, on its way to the service `cell`.
 *
 * AQ1. Acts are made in the order in which they were asked for, when the agent has nothing else to do.
 * AQ2. At most {@link OUTBOX_MESSAGES} messages and {@link OUTBOX_BYTES} of them are on their way, what waits here included: one more is refused. So
 *      what is sent again after a crash is within what receivers know of a link.
 * AQ3. How much is on its way is known from the answers of the calls, so a replay decides alike.
 */
import type { Handle, Routine, Sys } from "@glia-os/kernel";
import type { Sent } from "../agent/outside.ts";
import { ACTS_MAX, type Acted, type CellAct } from "./cell-act.ts";

/** Messages of one agent on their way. Less than the 1,024 that receivers look back (links.md). */
export const OUTBOX_MESSAGES = 1000;
/** Bytes of them. */
export const OUTBOX_BYTES: number = 4 * 1024 * 1024;
/** Above this a sender is asked to hold back, and what is on its way is asked for before more is handled. */
const HIGH = 256;
/** Bytes of one call: its record takes 1 MiB with all else. */
const CALL_BYTES = 983_040;

/** The acts of one agent. */
export class ActQueue {
  readonly #sys: Sys;
  readonly #cell: Handle;
  #acts: CellAct[] = [];
  #queued: Acted["held"] = NOTHING;
  #held: Acted["held"] = NOTHING;

  constructor(sys: Sys, cell: Handle) {
    this.#sys = sys;
    this.#cell = cell;
  }

  /** Bytes on their way, as far as is known. */
  get heldBytes(): number {
    return this.#held.bytes;
  }

  /** Whether much was on its way when it was last known. */
  get isPressed(): boolean {
    return this.#held.messages >= HIGH;
  }

  /** Have something done that is no message. */
  push(act: CellAct): void {
    this.#acts.push(act);
    if ("payload" in act) this.#count(act.payload.length);
  }

  /** Have a message sent, if there is room (AQ2). */
  send(to: string, payload: Uint8Array): Sent {
    const messages = this.#held.messages + this.#queued.messages + 1;
    const bytes = this.#held.bytes + this.#queued.bytes + payload.length;
    if (messages > OUTBOX_MESSAGES || (bytes > OUTBOX_BYTES && messages > 1)) return "full";
    this.push({ act: "send", to, payload });
    return messages >= HIGH ? "pressured" : "taken";
  }

  /** Make all that waits here (AQ1). */
  *flush(): Routine<void> {
    while (this.#acts.length > 0) yield* this.#call(this.#batch());
  }

  /** Learn how much is on its way; waits a little while that is much. */
  *refresh(): Routine<void> {
    yield* this.#call([]);
  }

  *#call(acts: readonly CellAct[]): Routine<void> {
    const { held } = yield* this.#sys.exec<Acted>(this.#cell, { acts });
    this.#held = held;
  }

  #batch(): readonly CellAct[] {
    let bytes = 0;
    let count = 0;
    for (const act of this.#acts) {
      bytes += "payload" in act ? act.payload.length : JSON.stringify(act).length;
      if (count > 0 && (bytes > CALL_BYTES || count >= ACTS_MAX)) break;
      count++;
    }
    const batch = this.#acts.splice(0, count);
    if (this.#acts.length === 0) this.#queued = NOTHING;
    return batch;
  }

  #count(bytes: number): void {
    this.#queued = { messages: this.#queued.messages + 1, bytes: this.#queued.bytes + bytes };
  }
}

const NOTHING: Acted["held"] = { messages: 0, bytes: 0 };
