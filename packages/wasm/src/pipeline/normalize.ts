/**
 * First step: put memory, tables and the start function under the host's control.
 *
 * N1. Afterwards memory 0 is the import `glia.v1 memory` with a maximum; every table's maximum is its initial size, or for one
 *     that code grows its share of what a guest may have; there is no start function (it is the export `glia.start`, which the
 *     engine calls before the entry).
 * N2. No index space is renumbered, so code and data are copied as they are.
 */
import { HOST_MODULE } from "@glia-os/abi/wire";
import { KIND, type Limits, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { concat, name, u32 } from "../binary/writer.ts";
import { UnboundedModuleError, UnsupportedFeatureError } from "../errors.ts";
import { MEMORY_EXPORT, MEMORY_IMPORT, MOST_TABLE_ELEMENTS, START_EXPORT } from "../layout.ts";

/**
 * The module with its memory imported, clamped to `maximumPages`. `grown` are the tables that code grows.
 * @throws UnsupportedFeatureError, UnboundedModuleError
 */
export function normalize(
  bytes: Uint8Array,
  maximumPages: number,
  grown: readonly number[] = [],
): Uint8Array {
  const outline = readOutline(bytes);
  const memory = clampedMemory(outline, maximumPages);
  const replaced = new Map<number, Uint8Array | undefined>([
    [SECTION.imports, importSection(bytes, outline, memory)],
    [SECTION.tables, tableSection(outline, grown)],
    [SECTION.memories, undefined],
    [SECTION.exports, exportSection(bytes, outline)],
    [SECTION.start, undefined],
  ]);
  return withSections(bytes, outline, replaced);
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

function tableSection({ tables }: ModuleOutline, grown: readonly number[]): Uint8Array | undefined {
  if (tables.length === 0) return undefined;
  const left = MOST_TABLE_ELEMENTS - tables.reduce((sum, { minimum }) => sum + minimum, 0);
  const share = Math.max(0, Math.floor(left / grown.length));
  const entries = tables.map(({ element, minimum, maximum: own = MOST_TABLE_ELEMENTS }, index) => {
    const maximum = grown.includes(index) ? Math.min(own, minimum + share) : minimum;
    return Uint8Array.from([element, ...limitBytes({ minimum, maximum })]);
  });
  return concat([Uint8Array.from(u32(entries.length)), ...entries]);
}

function limitBytes({ minimum, maximum }: Limits): number[] {
  return maximum === undefined ? [0, ...u32(minimum)] : [1, ...u32(minimum), ...u32(maximum)];
}

function exportSection(bytes: Uint8Array, outline: ModuleOutline): Uint8Array | undefined {
  // Exporting memory 0 keeps the optimiser from dropping it, and with it the order of the memories.
  const added = [[...name(MEMORY_EXPORT), KIND.memory, 0]];
  if (outline.start !== undefined) added.push([...name(START_EXPORT), KIND.function, ...u32(outline.start)]);
  return withEntries(bytes, outline, SECTION.exports, added);
}
