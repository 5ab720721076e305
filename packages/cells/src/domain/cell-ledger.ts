/**
 * The links of a durable cell, as they follow from its journal: what came in of each sender, what was replied, and what is on its way to others.
 *
 * CL1. A message is in the table from its record on, and a reply from the record of its call on; so the table of a recovered or moved cell is the
 *      one that its senders were answered by.
 * CL2. A reply that the sender has (`floor`) is forgotten with the next message of that sender.
 * CL3. What leaves is known from the record of its call or of its note on, and is done when that is durable (cell-talk.ts).
 */

import type { DomainLedger } from "@glia-os/durable";
import { type LinkId, LinkTable } from "@glia-os/mesh-core";
import { BadImageError } from "../errors.ts";
import { type Acted, type CellEffect, isRestNote } from "./cell-act.ts";
import { askerOf, type CellMessage, type Reply } from "./cell-message.ts";
import { CELL_SERVICE } from "./cell-service.ts";
import { Outbox } from "./outbox.ts";

type Form = readonly [table: Uint8Array, received: number, outbox?: unknown];

/** What a ledger works with. */
export interface CellLedgerParts {
  /** The id of the cell's nth link to another. */
  linkOf(number: number): LinkId;
  /** Hears what a call or a note leads to, by its serial number. */
  step(serial: number, effects: readonly CellEffect[]): void;
}

/** The ledger of one cell. */
export class CellLedger implements DomainLedger {
  readonly service: string = CELL_SERVICE;
  readonly outbox: Outbox;
  readonly #table: LinkTable;
  #received: number;
  readonly #parts: CellLedgerParts;
  #hasActed = false;
  #rests = false;

  constructor(parts: CellLedgerParts, form?: unknown) {
    const linkOf = (number: number): LinkId => parts.linkOf(number);
    this.#parts = parts;
    if (form === undefined) {
      this.#table = new LinkTable();
      this.#received = 0;
      this.outbox = new Outbox(linkOf);
      return;
    }
    if (!isForm(form)) throw new BadImageError("a checkpoint has no link table");
    const [table, received, outbox] = form;
    this.#table = LinkTable.restore(table);
    this.#received = received;
    this.#hasActed = outbox !== undefined;
    this.outbox = new Outbox(linkOf, outbox);
  }

  /** Messages that came in its life. */
  get received(): number {
    return this.#received;
  }

  /** Whether the cell was told to rest, and had no checkpoint since. */
  get rests(): boolean {
    return this.#rests;
  }

  /** The link table. */
  serialize(): Uint8Array {
    return this.#table.serialize();
  }

  came(payload: unknown): void {
    const { id, ask, floor, closed, note } = payload as CellMessage;
    if (note !== undefined) {
      if (isRestNote(note)) this.#rests = note.note === "rest";
      else {
        this.outbox.noted(note);
        this.#step(note.serial);
      }
      return;
    }
    this.#received += 1;
    for (const link of closed) this.#table.close(link);
    const { link, seq } = askerOf(id);
    this.#table.offer(link, seq, floor, ask);
  }

  outcome(value: unknown): void {
    if ("acts" in (value as Acted)) {
      this.#acted(value as Acted);
      return;
    }
    const { reply, payload } = value as Reply;
    const { link, seq } = askerOf(reply);
    this.#table.reply(link, seq, payload);
  }

  form(): unknown {
    const facts = [this.serialize(), this.#received] as const;
    return (this.#hasActed ? [...facts, this.outbox.form()] : facts) satisfies Form;
  }

  #acted({ acts, settled, serial }: Acted): void {
    this.#hasActed = true;
    for (const [link, upTo] of settled) this.outbox.settle(link, upTo);
    for (const act of acts) this.outbox.act(act);
    this.#step(serial);
  }

  #step(serial: number): void {
    this.#parts.step(serial, this.outbox.takeEffects());
  }
}

function isForm(form: unknown): form is Form {
  return Array.isArray(form) && form[0] instanceof Uint8Array && Number.isSafeInteger(form[1]);
}
