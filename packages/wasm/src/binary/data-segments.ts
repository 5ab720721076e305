/** Data segments of a module: how long each is, and whether code can read it. */
import { MalformedModuleError } from "../errors.ts";
import { type ModuleOutline, skipConstant } from "./outline.ts";
import { ByteReader } from "./reader.ts";
import { SECTION } from "./sections.ts";

/** One segment. */
export interface DataSegment {
  /** Passive segments can be read by `memory.init`; active ones are as good as empty once the instance has started. */
  readonly passive: boolean;
  readonly bytes: number;
}

/** All segments, in order. @throws MalformedModuleError, UnsupportedFeatureError */
export function dataSegments(bytes: Uint8Array, { sections }: ModuleOutline): DataSegment[] {
  const range = sections.find(({ id }) => id === SECTION.data);
  if (range === undefined) return [];
  const reader = new ByteReader(bytes, range.body, range.end);
  return Array.from({ length: reader.count() }, () => {
    const flags = reader.u32();
    if (flags > 2) throw new MalformedModuleError(`a data segment has the flags ${flags}`);
    if (flags === 2) reader.u32();
    if (flags !== 1) skipConstant(reader);
    const length = reader.count();
    reader.skip(length);
    return { passive: flags === 1, bytes: length };
  });
}
