/**
 * Last step: make the rest of the state reachable from outside and label the module.
 *
 * X1. Afterwards every mutable global is exported as `glia.global.N`, every table that code changes as `glia.table.N`, and the
 *     memory of suspended calls as `glia.stack`; with memory 0 they are the whole state of an instance (see code-scan.ts, C2).
 * X2. When a table changes, `glia.functions` is a table of its own that holds every function a table can come to hold.
 */
import { scanCode } from "../binary/code-scan.ts";
import { functionReferences, tabledFunctions } from "../binary/function-references.ts";
import { OP } from "../binary/instruction.ts";
import { KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { concat, customSection, name, u32 } from "../binary/writer.ts";
import { UnsupportedFeatureError } from "../errors.ts";
import { FUNCTIONS_EXPORT, GLOBAL_EXPORT, STACK_EXPORT, TABLE_EXPORT } from "../layout.ts";
import { encodeProfile, PROFILE_SECTION, type ProfileRecord } from "../profile.ts";

const NUMERIC = new Set([0x7f, 0x7e, 0x7d, 0x7c]);
const FUNCREF = 0x70;
/** Flags of a segment that names its table. */
const EXPLICIT = 2;

/** The asyncified module with its state exported and its profile attached. @throws UnsupportedFeatureError */
export function exportState(bytes: Uint8Array, profile: ProfileRecord): Uint8Array {
  const outline = readOutline(bytes);
  const { changed, referred } = scanCode(bytes, outline);
  const functions = tabledFunctions(functionReferences(bytes, outline), referred);
  const stack = [...name(STACK_EXPORT), KIND.memory, ...u32(outline.memories.length - 1)];
  const exported = [
    ...globalExports(outline),
    ...(profile.profile === "none" ? [] : [stack]),
    ...tableExports(outline, changed),
  ];
  const replaced = new Map([
    [SECTION.exports as number, withEntries(bytes, outline, SECTION.exports, exported)],
  ]);
  if (changed.length > 0) {
    const table = outline.tables.length;
    replaced.set(SECTION.tables, withEntries(bytes, outline, SECTION.tables, [tableOf(functions)]));
    replaced.set(
      SECTION.elements,
      withEntries(bytes, outline, SECTION.elements, [elementsOf(functions, table)]),
    );
  }
  const sections = outline.sections.filter(({ id }) => id !== SECTION.custom);
  return concat([
    withSections(bytes, { ...outline, sections }, replaced),
    customSection(PROFILE_SECTION, encodeProfile(profile)),
  ]);
}

function globalExports({ globals }: ModuleOutline): number[][] {
  return globals.flatMap(({ type, mutable }, index) => {
    if (!mutable) return [];
    if (!NUMERIC.has(type))
      throw new UnsupportedFeatureError(
        "a mutable vector or reference global",
        "it cannot be taken as bytes",
      );
    return [[...name(`${GLOBAL_EXPORT}${index}`), KIND.global, ...u32(index)]];
  });
}

function tableExports({ tables }: ModuleOutline, changed: readonly number[]): number[][] {
  if (changed.length === 0) return [];
  const own = changed.map((index) => [...name(`${TABLE_EXPORT}${index}`), KIND.table, ...u32(index)]);
  return [...own, [...name(FUNCTIONS_EXPORT), KIND.table, ...u32(tables.length)]];
}

function tableOf(functions: readonly number[]): number[] {
  return [FUNCREF, 1, ...u32(functions.length), ...u32(functions.length)];
}

function elementsOf(functions: readonly number[], table: number): number[] {
  const place = [EXPLICIT, ...u32(table), OP.i32Const, 0, OP.end, 0];
  return [...place, ...u32(functions.length), ...functions.flatMap(u32)];
}
