/** Puts a module together again out of its sections, some of them replaced or longer. */
import type { ModuleOutline, SectionRange } from "./outline.ts";
import { ByteReader } from "./reader.ts";
import { concat, section, u32 } from "./writer.ts";

/** Section ids. */
export const SECTION = {
  custom: 0,
  types: 1,
  imports: 2,
  functions: 3,
  tables: 4,
  memories: 5,
  globals: 6,
  exports: 7,
  start: 8,
  elements: 9,
  code: 10,
  data: 11,
} as const;

/** Sections in order, with some replaced (undefined: left out) and new ones put where the format wants them. */
export function spliced(
  bytes: Uint8Array,
  sections: readonly SectionRange[],
  replaced: ReadonlyMap<number, Uint8Array | undefined>,
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const waiting = new Map(replaced);
  const flush = (before: number): void => {
    for (const [id, content] of [...waiting].sort(([a], [b]) => a - b)) {
      if (id >= before) continue;
      waiting.delete(id);
      if (content !== undefined) parts.push(section(id, content));
    }
  };
  for (const { id, start, end } of sections) {
    // The tag (13) and data count (12) sections stand out of numeric order; neither is ever replaced.
    if (id === 12) flush(SECTION.code);
    else if (id !== 0 && id !== 13) flush(id);
    if (waiting.has(id)) flush(id + 1);
    else if (!replaced.has(id)) parts.push(bytes.subarray(start, end));
  }
  flush(Number.MAX_SAFE_INTEGER);
  return parts;
}

/** The module with sections replaced (undefined: left out). */
export function withSections(
  bytes: Uint8Array,
  { sections }: ModuleOutline,
  replaced: ReadonlyMap<number, Uint8Array | undefined>,
): Uint8Array {
  return concat([bytes.subarray(0, 8), ...spliced(bytes, sections, replaced)]);
}

/** A section's content with entries added at its end. `content` is the section as it would be without them. */
export function withEntries(
  bytes: Uint8Array,
  { sections }: ModuleOutline,
  id: number,
  entries: readonly ArrayLike<number>[],
  content?: Uint8Array,
): Uint8Array {
  const range = sections.find((one) => one.id === id);
  const old = content ?? (range === undefined ? Uint8Array.of(0) : bytes.subarray(range.body, range.end));
  const reader = new ByteReader(old);
  const count = reader.u32() + entries.length;
  return concat([
    Uint8Array.from(u32(count)),
    old.subarray(reader.at),
    ...entries.map((entry) => Uint8Array.from(entry)),
  ]);
}
