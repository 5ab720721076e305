/**
 * What a checkpoint has beside the head of a cell image (docs/spec/replica.md): a call that is under way, and what the agent asked others for.
 *
 * CA1. Nothing at all for an agent that has neither. `decodeAside(encodeAside(...))` gives back what was written, or refuses with `cells.bad-image`.
 */
import { decode, encode } from "cborg";
import { BadImageError } from "../errors.ts";

/** Beside the head. */
export interface CheckpointAside {
  /** A call that is not made twice, was begun and was not answered. */
  readonly begun: string | undefined;
  /** The state of {@link CellOutputs}. */
  readonly outputs: Uint8Array | undefined;
}

const NOTHING = new Uint8Array();

/** The bytes that follow a head. */
export function encodeAside({ begun, outputs }: CheckpointAside): Uint8Array {
  return begun === undefined && outputs === undefined ? NOTHING : encode([begun ?? null, outputs ?? null]);
}

/** What is in them. @throws {BadImageError} (CA1) */
export function decodeAside(bytes: Uint8Array): CheckpointAside {
  if (bytes.length === 0) return { begun: undefined, outputs: undefined };
  const [begun, outputs, ...more] = listIn(bytes);
  const isKnown = (begun === null || typeof begun === "string") && more.length === 0;
  if (!isKnown || (outputs !== null && !(outputs instanceof Uint8Array)))
    throw new BadImageError("what is beside its head is out of shape");
  return { begun: begun ?? undefined, outputs: outputs ?? undefined };
}

function listIn(bytes: Uint8Array): readonly unknown[] {
  try {
    const value: unknown = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
    if (Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new BadImageError("what is beside its head is no list");
}
