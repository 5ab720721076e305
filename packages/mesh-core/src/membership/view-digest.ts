/**
 * A view in 2 KiB: one digest per bucket of members, so that two nodes compare tables before they exchange any of them.
 *
 * VD1. Two tables with the same members in the same versions and states, and the same removals, have the same digest in every bucket.
 * VD2. A digest is computed again only after its bucket changed.
 */
import { fromHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import type { Removals } from "../admission/removals.ts";
import { BUCKETS } from "./buckets.ts";
import { type MemberEntry, type MemberTable, STATE_RANK } from "./member-table.ts";

/** Bytes of one bucket's digest. */
export const BUCKET_DIGEST_BYTES = 8;
/** Bytes of a whole view's digest. */
export const VIEW_DIGEST_BYTES: number = BUCKETS * BUCKET_DIGEST_BYTES;
/** Node id, boot epoch, incarnation, state. */
const ROW_BYTES = 32 + 8 + 8 + 1;
/** Node id, time of removal, a mark. */
const REMOVAL_BYTES = 32 + 8 + 1;
const REMOVAL_MARK = 255;
const TWO_TO_32 = 0x1_0000_0000;

/** Digests of one table, kept up to date. */
export class ViewDigest {
  readonly #table: MemberTable;
  readonly #removals: Removals;
  readonly #digests: Digests;
  readonly #bytes = new Uint8Array(VIEW_DIGEST_BYTES);
  readonly #at = new Float64Array(BUCKETS).fill(-1);

  constructor(table: MemberTable, removals: Removals, digests: Digests) {
    this.#table = table;
    this.#removals = removals;
    this.#digests = digests;
  }

  /** The digest of every bucket, one after the other; a copy. */
  bytes(): Uint8Array {
    for (let index = 0; index < BUCKETS; index++) {
      const version = this.#table.version(index);
      if (this.#at[index] === version) continue;
      this.#at[index] = version;
      this.#bytes.set(this.#bucket(index), index * BUCKET_DIGEST_BYTES);
    }
    return this.#bytes.slice();
  }

  /** One bit per bucket that is not the same in `theirs`, the first bucket in the lowest bit of the first byte. */
  difference(theirs: Uint8Array): Uint8Array {
    const ours = this.bytes();
    const bits = new Uint8Array(BUCKETS / 8);
    for (let at = 0; at < VIEW_DIGEST_BYTES; at++) {
      const index = Math.floor(at / BUCKET_DIGEST_BYTES);
      if (ours[at] !== theirs[at]) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
    }
    return bits;
  }

  #bucket(index: number): Uint8Array {
    const nodes = [...this.#table.bucket(index)].sort();
    const removed = this.#removals.ofBucket(index);
    const bytes = new Uint8Array(nodes.length * ROW_BYTES + removed.length * REMOVAL_BYTES);
    let at = 0;
    for (const node of nodes) {
      const entry = this.#table.get(node) as MemberEntry;
      entry.digested ??= rowOf(entry);
      bytes.set(entry.digested, at);
      at += ROW_BYTES;
    }
    for (const { node, removedMs } of removed) {
      bytes.set(fromHex(node), at);
      writeNumber(bytes, at + 32, removedMs);
      bytes[at + 40] = REMOVAL_MARK;
      at += REMOVAL_BYTES;
    }
    if (bytes.length === 0) return new Uint8Array(BUCKET_DIGEST_BYTES);
    return this.#digests.sha256(bytes).subarray(0, BUCKET_DIGEST_BYTES);
  }
}

function rowOf({ node, record, state }: MemberEntry): Uint8Array {
  const bytes = new Uint8Array(ROW_BYTES);
  bytes.set(fromHex(node));
  writeNumber(bytes, 32, record.bootEpoch);
  writeNumber(bytes, 40, record.incarnation);
  bytes[48] = STATE_RANK[state];
  return bytes;
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(at, Math.floor(value / TWO_TO_32));
  view.setUint32(at + 4, value % TWO_TO_32);
}
