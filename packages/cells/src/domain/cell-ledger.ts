/**
 * The links of a durable cell, as they follow from its journal: what came in of each sender, and what was replied.
 *
 * CL1. A message is in the table from its record on, and a reply from the record of its call on; so the table of a recovered or moved cell is the
 *      one that its senders were answered by.
 * CL2. A reply that the sender has (`floor`) is forgotten with the next message of that sender.
 */

import type { DomainLedger } from "@glia-os/durable";
import { LinkTable } from "@glia-os/mesh-core";
import { BadImageError } from "../errors.ts";
import { askerOf, type CellMessage, type Reply } from "./cell-message.ts";
import { CELL_SERVICE } from "./cell-service.ts";

type Form = readonly [table: Uint8Array, received: number];

/** The ledger of one cell. */
export class CellLedger implements DomainLedger {
  readonly service: string = CELL_SERVICE;
  readonly #table: LinkTable;
  #received: number;

  constructor(form?: unknown) {
    if (form === undefined) {
      this.#table = new LinkTable();
      this.#received = 0;
      return;
    }
    if (!isForm(form)) throw new BadImageError("a checkpoint has no link table");
    this.#table = LinkTable.restore(form[0]);
    this.#received = form[1];
  }

  /** Messages that came in its life. */
  get received(): number {
    return this.#received;
  }

  /** The link table. */
  serialize(): Uint8Array {
    return this.#table.serialize();
  }

  came(payload: unknown): void {
    const { id, ask, floor, closed } = payload as CellMessage;
    this.#received += 1;
    for (const link of closed) this.#table.close(link);
    const { link, seq } = askerOf(id);
    this.#table.offer(link, seq, floor, ask);
  }

  outcome(value: unknown): void {
    const { reply, payload } = value as Reply;
    const { link, seq } = askerOf(reply);
    this.#table.reply(link, seq, payload);
  }

  form(): unknown {
    return [this.serialize(), this.#received] satisfies Form;
  }
}

function isForm(form: unknown): form is Form {
  return Array.isArray(form) && form[0] instanceof Uint8Array && Number.isSafeInteger(form[1]);
}
