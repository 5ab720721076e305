/**
 * The domains of a journal, changed by entries only.
 *
 * T1. Applying the same entries to an empty table gives the same table: recovery is `apply` and nothing else.
 */
import { DomainLog, type PlacedBatch } from "./domain-log.ts";
import type { Entry } from "./entry.ts";

/** All domains, by name and by number. */
export class DomainTable {
  readonly byName: Map<string, DomainLog> = new Map();
  readonly byNumber: Map<number, DomainLog> = new Map();
  /** The number the next new domain gets. */
  nextNumber = 1;
  /** Domains of the store that are not in this table, where it holds only those that some requests are about. */
  others = 0;
  /** Bytes of all bodies of all domains. */
  bytes = 0;

  /**
   * Apply one entry. `place` is where its body lies. Returns the batches it made superfluous.
   * An entry of an unknown domain is the caller's fault and has no effect.
   */
  apply(entry: Entry, place: number): readonly PlacedBatch[] {
    if (entry.kind === "domain") {
      this.#register(entry.name, entry.domain);
      return [];
    }
    const log = this.byNumber.get(entry.domain);
    if (log === undefined) return [];
    switch (entry.kind) {
      case "start":
        log.firstSeq = entry.firstSeq;
        log.nextSeq = entry.firstSeq;
        log.anchorHash = entry.hash;
        return [];
      case "batch":
        this.bytes += entry.body.length;
        log.add({ ...position(entry), length: entry.body.length, place });
        return [];
      case "seal":
        log.seal(entry.segment);
        return [];
      case "truncate":
        return this.#freed(log.dropBefore(entry.firstSeq));
      case "remove":
        this.byName.delete(log.name);
        this.byNumber.delete(log.number);
        return this.#freed(log.batches);
    }
  }

  #register(name: string, number: number): void {
    const log = new DomainLog(name, number);
    this.byName.set(name, log);
    this.byNumber.set(number, log);
    this.nextNumber = number + 1;
  }

  #freed(batches: readonly PlacedBatch[]): readonly PlacedBatch[] {
    for (const { length } of batches) this.bytes -= length;
    return batches;
  }
}

function position(entry: Entry & { kind: "batch" }): Pick<PlacedBatch, "epoch" | "firstSeq" | "count"> {
  return { epoch: entry.epoch, firstSeq: entry.firstSeq, count: entry.count };
}
