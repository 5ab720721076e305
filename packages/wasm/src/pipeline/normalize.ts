/**
 * First step: put memory, tables and the start function under the host's control.
 *
 * N1. Afterwards memory 0 is the import `glia.v1 memory` with a maximum; every table's maximum is its initial size; there is no
 *     start function (it is the export `glia.start`, which the engine calls before the entry).
 * N2. No index space is renumbered, so code and data are copied as they are.
 */
import { HOST_MODULE } from "@glia-os/abi/wire";
import { KIND, type Limits, type ModuleOutline, readOutline, type SectionRange } from "../binary/outline.ts";
import { ByteReader } from "../binary/reader.ts";
import { concat, name, section, u32 } from "../binary/writer.ts";
import { UnboundedModuleError, UnsupportedFeatureError } from "../errors.ts";
import { MEMORY_EXPORT, MEMORY_IMPORT, START_EXPORT } from "../layout.ts";

const IMPORTS = 2;
const TABLES = 4;
const MEMORIES = 5;
const EXPORTS = 7;
const START = 8;

/** The module with its memory imported, clamped to `maximumPages`. @throws UnsupportedFeatureError, UnboundedModuleError */
export function normalize(bytes: Uint8Array, maximumPages: number): Uint8Array {
  const outline = readOutline(bytes);
  const memory = clampedMemory(outline, maximumPages);
  const replaced = new Map<number, Uint8Array | undefined>([
    [IMPORTS, importSection(bytes, outline, memory)],
    [TABLES, tableSection(outline)],
    [MEMORIES, undefined],
    [EXPORTS, exportSection(bytes, outline)],
    [START, undefined],
  ]);
  return concat([bytes.subarray(0, 8), ...spliced(bytes, outline.sections, replaced)]);
}

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
    if (id !== 0 && id <= 11) flush(id);
    if (waiting.has(id)) flush(id + 1);
    else if (!replaced.has(id)) parts.push(bytes.subarray(start, end));
  }
  flush(Number.MAX_SAFE_INTEGER);
  return parts;
}

function clampedMemory({ memories }: ModuleOutline, maximumPages: number): Limits {
  if (memories.length > 1) throw new UnsupportedFeatureError("more than one memory", "a guest has one");
  const { minimum, maximum } = memories[0] ?? { minimum: 0, maximum: undefined };
  if (minimum > maximumPages)
    throw new UnboundedModuleError(
      `the module starts with ${minimum} pages of memory; the maximum asked for is ${maximumPages}`,
    );
  return { minimum, maximum: Math.min(maximum ?? maximumPages, maximumPages) };
}

function importSection(bytes: Uint8Array, { imports }: ModuleOutline, memory: Limits): Uint8Array {
  const kept = imports.filter(({ kind }) => kind !== KIND.memory);
  const table = kept.find(({ kind }) => kind === KIND.table || kind === KIND.global);
  if (table !== undefined)
    throw new UnsupportedFeatureError(
      `the imported ${table.kind === KIND.table ? "table" : "global"} ${table.name}`,
      "hosts give functions only",
    );
  const entry = [...name(HOST_MODULE), ...name(MEMORY_IMPORT), KIND.memory, ...limitBytes(memory)];
  return concat([
    Uint8Array.from(u32(kept.length + 1)),
    ...kept.map(({ start, end }) => bytes.subarray(start, end)),
    Uint8Array.from(entry),
  ]);
}

function tableSection({ tables }: ModuleOutline): Uint8Array | undefined {
  if (tables.length === 0) return undefined;
  const entries = tables.map(({ element, minimum }) =>
    Uint8Array.from([element, ...limitBytes({ minimum, maximum: minimum })]),
  );
  return concat([Uint8Array.from(u32(entries.length)), ...entries]);
}

function limitBytes({ minimum, maximum }: Limits): number[] {
  return maximum === undefined ? [0, ...u32(minimum)] : [1, ...u32(minimum), ...u32(maximum)];
}

function exportSection(bytes: Uint8Array, outline: ModuleOutline): Uint8Array | undefined {
  // Exporting memory 0 keeps the optimiser from dropping it, and with it the order of the memories.
  const added = [[...name(MEMORY_EXPORT), KIND.memory, 0]];
  if (outline.start !== undefined) added.push([...name(START_EXPORT), KIND.function, ...u32(outline.start)]);
  return withExports(bytes, outline, added);
}

/** The export section with entries added. */
export function withExports(
  bytes: Uint8Array,
  outline: ModuleOutline,
  added: readonly number[][],
): Uint8Array | undefined {
  const range = outline.sections.find(({ id }) => id === EXPORTS);
  if (range === undefined && added.length === 0) return undefined;
  const reader = range === undefined ? undefined : new ByteReader(bytes, range.body, range.end);
  reader?.u32();
  const old = reader === undefined ? new Uint8Array() : bytes.subarray(reader.at, reader.end);
  const count = outline.exports.length + added.length;
  return concat([Uint8Array.from(u32(count)), old, ...added.map((entry) => Uint8Array.from(entry))]);
}
