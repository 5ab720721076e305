/**
 * What was done about what an agent with a replica asked for: entries of its log (docs/spec/replica.md, "Outputs").
 *
 * OE2. An event of {@link ORDINALS_MAX} publications to {@link RECEIVERS_MAX} receivers fits an entry of a log; whoever writes one keeps to that.
 * OE1. `readEvent(eventBytes(...))` gives back what was written, or refuses with `cells.bad-image`.
 */
import { type AgentId, fromHex, toHex } from "@glia-os/abi/ids";
import { BadImageError } from "@glia-os/cells";
import { encode } from "cborg";
import { decoded, nameIn, numberIn } from "./act-codec.ts";

/** Which of the two lines to a receiver: what was sent to it, or what was published. */
export type Queue = "post" | "news";

/** One of them. */
export type OutboxEvent =
  /** A name was looked up: who has it. */
  | { readonly kind: "named"; readonly name: string; readonly agent: AgentId | undefined }
  /** A line ended: nothing was sent for long, or its receiver is gone. */
  | { readonly kind: "closed"; readonly queue: Queue; readonly to: AgentId }
  /** These publications go to these. */
  | { readonly kind: "published"; readonly ordinals: readonly number[]; readonly to: readonly AgentId[] };

const ID_BYTES = 16;
/** Receivers of one publication, and lines that publications go over: half an entry of a log, and half of what an outbox is read with. */
export const RECEIVERS_MAX = 32_768;
/** Publications that are handed over together. */
export const ORDINALS_MAX = 4096;

/** As bytes. */
export function eventBytes(event: OutboxEvent): Uint8Array {
  switch (event.kind) {
    case "named":
      return encode([0, event.name, event.agent === undefined ? null : fromHex(event.agent)]);
    case "closed":
      return encode([1, event.queue === "news", fromHex(event.to)]);
    case "published":
      return encode([2, [...event.ordinals], event.to.map((one) => fromHex(one))]);
  }
}

/** From bytes. @throws {BadImageError} (OE1) */
export function readEvent(bytes: Uint8Array): OutboxEvent {
  const row = decoded(bytes, "what was done for the agent");
  if (Array.isArray(row) && row.length === 3) {
    const [kind, first, second] = row as unknown[];
    if (kind === 0)
      return { kind: "named", name: nameIn(first), agent: second === null ? undefined : idIn(second) };
    if (kind === 1 && typeof first === "boolean")
      return { kind: "closed", queue: first ? "news" : "post", to: idIn(second) };
    if (kind === 2 && Array.isArray(first) && Array.isArray(second) && second.length <= RECEIVERS_MAX)
      return { kind: "published", ordinals: first.map(numberIn), to: second.map(idIn) };
  }
  throw new BadImageError("what was done for the agent is of no known kind");
}

/** An id of 16 bytes. @throws {BadImageError} */
export function idIn(value: unknown): AgentId {
  if (value instanceof Uint8Array && value.length === ID_BYTES) return toHex(value) as AgentId;
  throw new BadImageError("an id of what the agent asked for is not 16 bytes");
}
