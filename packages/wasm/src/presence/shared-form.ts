/**
 * What makes a module one for a guest whose memory two threads share: one of them runs it, the other puts pages there.
 *
 * SF1. The memory is imported as a shared one of the same bounds.
 * SF2. No segment is active on memory: making an instance writes nothing there, so it cannot overwrite a page that comes meanwhile.
 *      An active segment becomes an empty passive one, which is what it is to `memory.init` once an instance has started.
 */
import type { ModuleOutline } from "../binary/outline.ts";
import { KIND, readOutline, skipConstant } from "../binary/outline.ts";
import { ByteReader } from "../binary/reader.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { concat, u32 } from "../binary/writer.ts";

/** Has a maximum, is shared. */
const SHARED = 3;
const PASSIVE = 1;
const EXPLICIT_MEMORY = 2;

/** The sections that differ, by id. The memory has a maximum (admission). @throws MalformedModuleError, UnsupportedFeatureError */
export function sharedSections(bytes: Uint8Array, outline: ModuleOutline): Map<number, Uint8Array> {
  const changed = new Map<number, Uint8Array>();
  for (const { id, body, end } of outline.sections) {
    if (id === SECTION.imports) changed.set(id, sharedImports(bytes, outline, body, end));
    if (id === SECTION.data) changed.set(id, passiveData(bytes, body, end));
  }
  return changed;
}

/** The module with shared memory and nothing else changed. @throws MalformedModuleError, UnsupportedFeatureError */
export function sharedForm(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  return withSections(bytes, outline, sharedSections(bytes, outline));
}

function sharedImports(bytes: Uint8Array, { imports }: ModuleOutline, body: number, end: number): Uint8Array {
  const content: Uint8Array = new Uint8Array(bytes.subarray(body, end));
  for (const { kind, start } of imports) {
    if (kind !== KIND.memory) continue;
    const reader = new ByteReader(bytes, start, end);
    reader.name();
    reader.name();
    reader.u8();
    content[reader.at - body] = SHARED;
  }
  return content;
}

function passiveData(bytes: Uint8Array, body: number, end: number): Uint8Array {
  const reader = new ByteReader(bytes, body, end);
  const count = reader.count();
  const parts: Uint8Array[] = [Uint8Array.from(u32(count))];
  for (let left = count; left > 0; left--) {
    const start = reader.at;
    const flags = reader.u32();
    if (flags === EXPLICIT_MEMORY) reader.u32();
    if (flags !== PASSIVE) skipConstant(reader);
    reader.skip(reader.u32());
    parts.push(flags === PASSIVE ? bytes.subarray(start, reader.at) : Uint8Array.of(PASSIVE, 0));
  }
  return concat(parts);
}
