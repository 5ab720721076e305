/**
 * Nodes that were removed from the cluster (docs/spec/join.md).
 *
 * RM1. A removal is signed by a cluster key and makes every certificate of that node issued up to then worthless, everywhere it is known.
 * RM2. Of two removals of one node the later holds. A certificate issued after it is valid again.
 * RM3. A removal is forgotten when the longest certificate it is about has ended; at most {@link REMOVALS_MAX} are kept, and making one
 *      more is refused.
 * RM4. When the cluster's key is replaced, its holder signs every removal again: one that rests on a retired key is worth nothing to whoever
 *      hears it, and is no violation of whoever keeps it. What was believed before stays believed.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { sameBytes } from "../codec/ascii.ts";
import { bucketOf } from "../membership/buckets.ts";
import type { Certificate } from "./certificate.ts";

/** Removals one node keeps. */
export const REMOVALS_MAX = 4096;

/** One removal. */
export interface Removal {
  readonly node: NodeId;
  /** Certificates issued up to this time are worthless; milliseconds since the Unix epoch. */
  readonly removedMs: number;
  /** The removal may be forgotten then. */
  readonly untilMs: number;
}

/** What one node knows of removals. */
export class Removals {
  readonly #removed = new Map<NodeId, Removal & { readonly bytes: Uint8Array }>();

  /** Whether a removal says anything new (RM2, RM3); `restated` is its statement when the newest key signed it (RM4). */
  wants({ node, removedMs, untilMs }: Removal, wallMs: number, restated?: Uint8Array): boolean {
    const known = this.#removed.get(node);
    if (untilMs <= wallMs) return false;
    if (known !== undefined && removedMs === known.removedMs)
      return restated !== undefined && !sameBytes(restated, known.bytes);
    if (known !== undefined) return removedMs > known.removedMs;
    this.#forgetEnded(wallMs);
    return this.#removed.size < REMOVALS_MAX;
  }

  /** Keep a verified removal. */
  put(removal: Removal, bytes: Uint8Array): void {
    this.#removed.set(removal.node, { ...removal, bytes });
  }

  /** Whether a certificate is worthless (RM1). */
  covers({ node, issuedMs }: Pick<Certificate, "node" | "issuedMs">): boolean {
    const removal = this.#removed.get(node);
    return removal !== undefined && issuedMs <= removal.removedMs;
  }

  /** When a node was removed, if it was. */
  removedMs(node: NodeId): number | undefined {
    return this.#removed.get(node)?.removedMs;
  }

  /** Every removal that has not ended. */
  ongoing(wallMs: number): Removal[] {
    return [...this.#removed.values()].filter(({ untilMs }) => untilMs > wallMs);
  }

  /** Statements of every removal, to keep or to pass on. */
  statements(): Uint8Array[] {
    return [...this.#removed.values()].map(({ bytes }) => bytes);
  }

  /** The statement about one node. */
  statement(node: NodeId): Uint8Array | undefined {
    return this.#removed.get(node)?.bytes;
  }

  /** Removals of a bucket, by node id. */
  ofBucket(index: number): readonly (Removal & { readonly bytes: Uint8Array })[] {
    if (this.#removed.size === 0) return [];
    return [...this.#removed.values()]
      .filter(({ node }) => bucketOf(node) === index)
      .sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  #forgetEnded(wallMs: number): void {
    if (this.#removed.size < REMOVALS_MAX) return;
    for (const { node, untilMs } of [...this.#removed.values()])
      if (untilMs <= wallMs) this.#removed.delete(node);
  }
}
