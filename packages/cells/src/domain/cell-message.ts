/** A message as a durable cell's program receives it and as its journal has it. */
import type { NodeId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { KeptMail } from "../kept-cells.ts";

/** Longest payload that a record holds: a record takes 1 MiB, less what stands beside it. */
export const MESSAGE_BYTES_MAX: number = 1024 * 1024 - 65_536;

/** One message: what `yield* sys.receive(inbox)` gives. */
export interface CellMessage {
  /** Names the message in a reply. */
  readonly id: string;
  /** Whether the sender waits for a reply. */
  readonly ask: boolean;
  /** The sender's node. */
  readonly from: NodeId;
  /** What was sent; empty for one that was too long to be kept. */
  readonly payload: Uint8Array;
  /** How many bytes one had that was too long (over {@link MESSAGE_BYTES_MAX}). */
  readonly tooLong?: number;
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
  const front = { id: `${link}/${seq}`, ask, from, floor, closed };
  if (payload.length <= MESSAGE_BYTES_MAX) return { ...front, payload };
  return { ...front, payload: new Uint8Array(), tooLong: payload.length };
}

/** The link and number that an id names. */
export function linkOf(id: string): { readonly link: LinkId; readonly seq: number } {
  const at = id.indexOf("/");
  return { link: id.slice(0, at), seq: Number(id.slice(at + 1)) };
}

/** Whether something is a reply in form. */
export function isReply(value: unknown): value is Reply {
  if (typeof value !== "object" || value === null) return false;
  const { reply, payload } = value as Partial<Reply>;
  return (
    typeof reply === "string" && /^[0-9a-f]{32}\/[1-9]\d{0,15}$/.test(reply) && payload instanceof Uint8Array
  );
}
