/**
 * How much what is not done counts against its sender: a message that is not accepted, or a publication, one for itself and one for every 4 KiB;
 * a name that is looked up one; a child that is made as a message of what it begins with.
 */
import type { AgentAct } from "./act.ts";

const BYTES_EACH = 4096;

/** The weight of a message. */
export function weightOf(payload: Uint8Array): number {
  return 1 + Math.floor(payload.length / BYTES_EACH);
}

/** The weight of an act; what is done at once has none. */
export function weightOfAct(act: AgentAct): number {
  switch (act.kind) {
    case "send":
    case "publish":
      return weightOf(act.payload);
    case "find":
      return 1;
    case "spawn":
      return 1 + Math.floor(JSON.stringify(act.spawn).length / BYTES_EACH);
    default:
      return 0;
  }
}

/** The weight of several. */
export function weightOfAll(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, payload) => sum + weightOf(payload), 0);
}
