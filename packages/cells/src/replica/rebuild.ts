/**
 * What a cell is at a takeover, from a held copy: the last checkpoint, and the log after it (docs/spec/replica.md, "The takeover").
 *
 * RB1. Messages of the log go through the link table as they did at the owner. One that the table does not accept makes the copy useless, and is refused.
 */

import type { AgentManifest } from "../agent-manifest.ts";
import { decodeManifest } from "../agent-manifest.ts";
import { BadImageError } from "../errors.ts";
import { type CellHead, decodeHead, encodeHead, HEAD_BYTES_MAX } from "../frozen-cell.ts";
import type { MailItem } from "../runner-port.ts";
import { decodeEntry, type TapeItem } from "./entries.ts";
import type { Rebuild } from "./replica-ports.ts";

/** A copy of an agent, as its replica holds it. */
export interface Copy {
  readonly meta: Uint8Array;
  readonly head: Uint8Array;
  readonly pointAtMs: number;
  readonly whole: readonly Uint8Array[];
  readonly increments: readonly (readonly Uint8Array[])[];
  readonly log: readonly { readonly entry: Uint8Array; readonly atMs: number }[];
}

/** What is built, and what its guest is given first. */
export interface Rebuilt {
  readonly manifest: AgentManifest;
  /** The head of the cell's image as it is now, length first. */
  readonly head: Uint8Array;
  readonly from: Rebuild;
}

const LENGTH_BYTES = 4;

/** The cell in a copy. @throws {BadImageError}, {BadManifestError} */
export function rebuilt(copy: Copy, nowMs: number, suspended: boolean): Rebuilt {
  const { meta, whole, increments, log, pointAtMs } = copy;
  const { links, mail } = headOf(copy.head);
  const mailbox: MailItem[] = [...mail.mailbox];
  const items: TapeItem[] = [];
  let sinceMs = pointAtMs;
  for (const { entry, atMs } of log) {
    const read = decodeEntry(entry);
    if (read.kind === "closed") links.close(read.link);
    else if (read.kind === "inputs") {
      items.push(...read.items);
      sinceMs = atMs;
    } else {
      const { item, floor } = read;
      if (floor !== undefined && links.offer(item.link, item.seq, floor, item.ask).kind !== "accepted")
        throw new BadImageError("a message of its log does not follow the one before");
      mailbox.push(item);
    }
  }
  return {
    manifest: decodeManifest(meta),
    head: encodeHead({ links, mail: { ...mail, mailbox }, suspended }),
    from: { whole, increments, items, waitedMs: Math.max(0, nowMs - sinceMs) },
  };
}

function headOf(bytes: Uint8Array): CellHead {
  if (bytes.length < LENGTH_BYTES || bytes.length > HEAD_BYTES_MAX + LENGTH_BYTES)
    throw new BadImageError(`its head has ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (length !== bytes.length - LENGTH_BYTES) throw new BadImageError("its head is cut off");
  return decodeHead(bytes.subarray(LENGTH_BYTES));
}
