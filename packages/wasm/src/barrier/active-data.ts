/** Where the active data segments of a module lie in memory 0: what instantiating it writes. */
import type { ModuleOutline } from "../binary/outline.ts";
import { ByteReader } from "../binary/reader.ts";
import { SECTION } from "../binary/sections.ts";
import { UnsupportedFeatureError } from "../errors.ts";

/** Bytes of linear memory. */
export interface MemoryRange {
  readonly at: number;
  readonly length: number;
}

const PASSIVE = 1;
const EXPLICIT_MEMORY = 2;
const I32_CONST = 0x41;
const END = 0x0b;

/**
 * The ranges in the order of the segments. O(number of segments).
 * @throws UnsupportedFeatureError when an offset is not a plain constant, MalformedModuleError
 */
export function activeData(bytes: Uint8Array, { sections }: ModuleOutline): MemoryRange[] {
  const section = sections.find(({ id }) => id === SECTION.data);
  if (section === undefined) return [];
  const reader = new ByteReader(bytes, section.body, section.end);
  const ranges: MemoryRange[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const flags = reader.u32();
    if (flags === EXPLICIT_MEMORY) reader.u32();
    const at = flags === PASSIVE ? undefined : offsetAt(reader);
    const length = reader.u32();
    reader.skip(length);
    if (at !== undefined && length > 0) ranges.push({ at, length });
  }
  return ranges;
}

function offsetAt(reader: ByteReader): number {
  const opcode = reader.u8();
  const at = opcode === I32_CONST ? reader.s32() >>> 0 : 0;
  if (opcode !== I32_CONST || reader.u8() !== END)
    throw new UnsupportedFeatureError(
      "a data segment at a computed offset",
      "what it overwrites could not be put back",
    );
  return at;
}
