/**
 * The catalogue, seen from the demo: one message for each file, and what came of them.
 *
 * CL1. At most {@link AHEAD_MAX} messages are under way, so that a node that is away costs no memory.
 */
import type { NodeApi } from "@glia-os/daemon";
import { type CatalogueReport, ExpectedCatalogue } from "./report.ts";

/** Its name. */
export const CATALOGUE = "catalogue";
const AHEAD_MAX = 256;
const FLUSH_MS = 60_000;

/** What the catalogue came to. */
export interface CatalogueFindings {
  readonly report: CatalogueReport;
  readonly sent: number;
  readonly differences: readonly string[];
}

/** Sends to the catalogue. */
export class Catalogue {
  readonly #node: NodeApi;
  readonly #expected = new ExpectedCatalogue();
  readonly #underWay = new Set<Promise<void>>();
  #sent = 0;

  constructor(node: NodeApi) {
    this.#node = node;
  }

  /** Messages so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Resolves when it has a replica: it acknowledges nothing before. */
  async ready(): Promise<void> {
    await this.pad();
    await this.#node.flush(CATALOGUE, FLUSH_MS);
  }

  /** A file was read whole. */
  file(path: Buffer, bytes: number): Promise<void> {
    return this.#send({ kind: this.#expected.take(path, bytes), bytes });
  }

  /** A message that changes no count. */
  pad(): Promise<void> {
    return this.#send({});
  }

  /** What it has now; waits for whichever node runs it. */
  async report(timeoutMs: number): Promise<CatalogueReport> {
    const reply = await this.#node.ask(CATALOGUE, new TextEncoder().encode("report"), timeoutMs);
    return JSON.parse(new TextDecoder().decode(reply)) as CatalogueReport;
  }

  /** Its report when everything is applied, judged. */
  async finish(): Promise<CatalogueFindings> {
    await Promise.all(this.#underWay);
    await this.#node.flush(CATALOGUE, FLUSH_MS);
    const report = await this.report(FLUSH_MS);
    return { report, sent: this.#sent, differences: this.#expected.differences(report, this.#sent) };
  }

  /** (CL1) */
  async #send(entry: { readonly kind?: string; readonly bytes?: number }): Promise<void> {
    while (this.#underWay.size >= AHEAD_MAX) await Promise.race(this.#underWay);
    this.#sent += 1;
    const bytes = new TextEncoder().encode(JSON.stringify({ number: this.#sent, ...entry }));
    const sending = this.#node.send(CATALOGUE, bytes).finally(() => this.#underWay.delete(sending));
    sending.catch(() => undefined);
    this.#underWay.add(sending);
  }
}
