/**
 * `Journal` in the memory of one process: for tests and simulations.
 *
 * M1. Nothing survives the process: an append is acknowledged as if it were durable, which it is not.
 */
import type { Journal } from "@glia-os/abi/ports";
import { StoreClosedError } from "../errors.ts";
import { CheckedJournal } from "./checked-journal.ts";
import { type JournalLimits, journalLimits } from "./limits.ts";
import { MemoryLog } from "./memory-log.ts";
import { JournalRules } from "./rules.ts";

/** What a journal in memory is made from. */
export interface MemoryJournalOptions {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<JournalLimits>;
}

/** A journal in memory. @throws `abi.malformed` for a bad limit. */
export function createMemoryJournal(options: MemoryJournalOptions = {}): Journal {
  const rules = new JournalRules(new MemoryLog(), journalLimits(options.limits));
  let closed = false;
  return new CheckedJournal({
    async ask(request) {
      if (closed) throw new StoreClosedError();
      return rules.perform(request);
    },
    async end() {
      closed = true;
    },
  });
}
