/** A message as a durable cell's program receives it and as its journal has it. */
import type { NodeId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { KeptMail } from "../kept-cells.ts";
import type { Asker } from "../runner-port.ts";
import type { CellNote, RestNote } from "./cell-act.ts";

/** Longest payload that a record holds: a record takes 1 MiB, less what stands beside it. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024 - 65_536;

/** One message: what `yield* sys.receive(inbox)` gives. */
export interface CellMessage {
  /** Names the message in a reply; empty for what the node itself tells (`note`). */
  readonly id: string;
  /** Whether the sender waits for a reply. */
  readonly ask: boolean;
  /** The sender's node. */
  readonly from: NodeId;
  /** What was sent; empty for one that was too long to be kept. */
  readonly payload: Uint8Array;
  /** How many bytes one had that was too long (over {@link MESSAGE_BYTES_MAX}). */
  readonly tooLong?: number;
  /** Told by the node to a cell that talks to others: docs/spec/domain-cell.md, "Talking". */
  readonly note?: (CellNote | RestNote) & { readonly serial: number };
  /** For the link table: see links.md. */
  readonly floor: number;
  readonly closed: readonly LinkId[];
}

/** What a program gives the service `cell` to reply, and what is recorded of it. */
export interface Reply {
  readonly reply: string;
  readonly payload: Uint8Array;
}

/** The message as it is recorded. */
export function messageOf({ link, seq, ask, from, floor, closed, payload }: KeptMail): CellMessage {
  const front = { id: `${link}/${seq}/${from}`, ask, from, floor, closed };
  if (payload.length <= MESSAGE_BYTES_MAX) return { ...front, payload };
  return { ...front, payload: new Uint8Array(), tooLong: payload.length };
}

const NO_NODE = "0".repeat(64) as NodeId;

/** What the node tells, as it is recorded. `serial`: which of the calls and notes of its process it is; 0 for a note that nothing leaves for. */
export function noteOf(note: CellNote | RestNote, serial: number): CellMessage {
  const front = { id: "", ask: false, from: NO_NODE, floor: 0, closed: [] };
  return { ...front, payload: new Uint8Array(), note: { ...note, serial } };
}

/** The link and number that an id names, and the node that its sender was on. */
export function askerOf(id: string): Asker {
  const [link = "", seq, from] = id.split("/");
  return { link, seq: Number(seq), from: from as NodeId };
}

/** Whether something is a reply in form. */
export function isReply(value: unknown): value is Reply {
  if (typeof value !== "object" || value === null) return false;
  const { reply, payload } = value as Partial<Reply>;
  return (
    typeof reply === "string" &&
    /^[0-9a-f]{32}\/[1-9]\d{0,15}\/[0-9a-f]{64}$/.test(reply) &&
    payload instanceof Uint8Array
  );
}
