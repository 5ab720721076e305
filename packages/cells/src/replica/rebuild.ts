/**
 * What a cell is at a takeover, from a held copy: the last checkpoint, and the log after it (docs/spec/replica.md, "The takeover").
 *
 * RB2. What a checkpoint has beside its head, and what the log says of what the agent asked for, becomes its baggage.
 * RB1. Messages of the log go through the link table as they did at the owner. One that the table does not accept makes the copy useless, and is refused.
 */

import type { AgentId } from "@glia-os/abi/ids";
import type { AgentManifest } from "../agent-manifest.ts";
import { decodeManifest } from "../agent-manifest.ts";
import { BadImageError } from "../errors.ts";
import { type CellHead, decodeHead, encodeHead, HEAD_BYTES_MAX } from "../frozen-cell.ts";
import type { MailItem } from "../runner-port.ts";
import { type CheckpointAside, decodeAside } from "./checkpoint-aside.ts";
import { decodeEntry, type Entry, type TapeItem } from "./entries.ts";
import { holdsCapabilities } from "./grants.ts";
import type { CellOutputs, ResumedOutputs } from "./outputs.ts";
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

/** What of a takeover is not in the copy. */
export interface Terms {
  readonly nowMs: number;
  readonly suspended: boolean;
  readonly outputs: CellOutputs | undefined;
}

const LENGTH_BYTES = 4;

/** The cell in a copy; `outputs` is who does what it asks for. @throws {BadImageError}, {BadManifestError} */
export function rebuilt(agent: AgentId, copy: Copy, { nowMs, suspended, outputs }: Terms): Rebuilt {
  const { meta, whole, increments, log, pointAtMs } = copy;
  const manifest = decodeManifest(meta);
  const { links, mail, aside } = headOf(copy.head);
  const asks = holdsCapabilities(manifest) || aside.outputs !== undefined;
  const resumed = asks ? outputs?.resume(agent, aside.outputs) : undefined;
  const built = new Built(links, [...mail.mailbox], resumed);
  if (aside.begun !== undefined) built.items.push([6, aside.begun]);
  for (const item of aside.rest) built.items.push(item);
  let sinceMs = pointAtMs;
  for (const { entry, atMs } of log) {
    const read = decodeEntry(entry);
    built.add(read);
    if (read.kind === "inputs") sinceMs = atMs;
  }
  const { items, mailbox } = built;
  return {
    manifest,
    head: encodeHead({ links, mail: { ...mail, mailbox }, suspended, baggage: resumed?.baggage() }),
    from: { whole, increments, items, waitedMs: Math.max(0, nowMs - sinceMs) },
  };
}

class Built {
  readonly items: TapeItem[] = [];
  readonly mailbox: MailItem[];
  readonly #links: CellHead["links"];
  readonly #outputs: ResumedOutputs | undefined;

  constructor(links: CellHead["links"], mailbox: MailItem[], outputs: ResumedOutputs | undefined) {
    this.#links = links;
    this.mailbox = mailbox;
    this.#outputs = outputs;
  }

  add(entry: Entry): void {
    if (entry.kind === "closed") this.#links.close(entry.link);
    else if (entry.kind === "did") this.#outputs?.did(entry.event);
    else if (entry.kind === "message") this.#message(entry);
    else
      for (const item of entry.items) {
        this.items.push(item);
        if (item[0] === 5 && item[4] !== null) this.#outputs?.said(item[4]);
      }
  }

  /** RB1. */
  #message({ item, floor }: Extract<Entry, { kind: "message" }>): void {
    if (floor !== undefined && this.#links.offer(item.link, item.seq, floor, item.ask).kind !== "accepted")
      throw new BadImageError("a message of its log does not follow the one before");
    this.mailbox.push(item);
    this.#outputs?.accepted(item.payload);
  }
}

function headOf(bytes: Uint8Array): CellHead & { readonly aside: CheckpointAside } {
  if (bytes.length < LENGTH_BYTES) throw new BadImageError(`its head has ${bytes.length} bytes`);
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (end > bytes.length || end > HEAD_BYTES_MAX + LENGTH_BYTES)
    throw new BadImageError("its head is cut off");
  return { ...decodeHead(bytes.subarray(LENGTH_BYTES, end)), aside: decodeAside(bytes.subarray(end)) };
}
