/**
 * Keeps the journal of a domain that has checkpoints short.
 *
 * HL1. Records are removed only when a checkpoint after them is durable.
 * HL2. A removal that fails leaves more records than needed and nothing else: the next checkpoint tries again.
 */
import type { Journal } from "@glia-os/abi/ports";

/** What the records of one domain may come to before a checkpoint removes those before it. */
export class HistoryLimit {
  readonly #journal: Journal;
  readonly #domain: string;
  readonly #limit: number;
  /** Bytes of records that are not removed. */
  #bytes: number;
  /** Settles when what is being removed is gone. */
  #removing: Promise<unknown> = Promise.resolve();

  constructor(
    setup: { readonly journal: Journal; readonly historyBytes: number },
    domain: string,
    bytes: number,
  ) {
    this.#journal = setup.journal;
    this.#domain = domain;
    this.#limit = setup.historyBytes;
    this.#bytes = bytes;
  }

  /** Records of these bytes are added. */
  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Whether what is there is to be removed at this checkpoint. */
  isLong(): boolean {
    return this.#bytes > this.#limit;
  }

  /** Close the open segment, so that the checkpoint begins one. */
  async seal(): Promise<void> {
    this.#bytes = 0;
    await this.#journal.seal(this.#domain);
  }

  /** Remove what is before a checkpoint that is durable (HL1). */
  removeBefore(seq: number): void {
    this.#removing = this.#journal.truncate(this.#domain, seq).catch(() => undefined);
  }

  /** Resolves when nothing is being removed: who reads the journal next finds it as its head says. */
  async settled(): Promise<void> {
    await this.#removing;
  }
}
