/**
 * What a checkpoint has beside the head of a cell image (docs/spec/replica.md): a call that is under way, what the agent asked others
 * for, and the rest of a record that its guest has yet to run.
 *
 * CA1. Nothing at all for an agent that has none of them. `decodeAside(encodeAside(...))` gives back what was written, or refuses with `cells.bad-image`.
 */
import { decode, encode } from "cborg";
import { BadImageError } from "../errors.ts";
import { readItem, type TapeItem } from "./entries.ts";

/** Beside the head. */
export interface CheckpointAside {
  /** A call that is not made twice, was begun and was not answered. */
  readonly begun: string | undefined;
  /** The state of {@link CellOutputs}. */
  readonly outputs: Uint8Array | undefined;
  /** What its guest is given first. */
  readonly rest: readonly TapeItem[];
}

const NOTHING = new Uint8Array();

/** The bytes that follow a head. */
export function encodeAside({ begun, outputs, rest }: CheckpointAside): Uint8Array {
  if (begun === undefined && outputs === undefined && rest.length === 0) return NOTHING;
  const both = [begun ?? null, outputs ?? null];
  return encode(rest.length === 0 ? both : [...both, rest]);
}

/** What is in them. @throws {BadImageError} (CA1) */
export function decodeAside(bytes: Uint8Array): CheckpointAside {
  if (bytes.length === 0) return { begun: undefined, outputs: undefined, rest: [] };
  const [begun, outputs, rest = [], ...more] = listIn(bytes);
  const isKnown = (begun === null || typeof begun === "string") && more.length === 0 && Array.isArray(rest);
  if (!isKnown || (outputs !== null && !(outputs instanceof Uint8Array)))
    throw new BadImageError("what is beside its head is out of shape");
  return { begun: begun ?? undefined, outputs: outputs ?? undefined, rest: rest.map(readItem) };
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
