/**
 * The pass that makes a module ask for a page of memory 0 before it touches one that is not there yet: the presence checks of post-copy.
 *
 * CP1. Before every load and store the flag of the page of its first byte is read, before every operation in bulk a function is called
 *      that looks at the flags of all its pages. A flag that is set calls the host, which comes back when it is not set any more.
 * CP2. The flag of a page is set while that page or the next one is missing (residence.ts): an access that goes on into the next page
 *      is covered by the one flag, because none is longer than 16 bytes.
 * CP3. Flags are read as atomics, and cleared as atomics after the page was written: what is read of memory after the flag is the
 *      page that came, also on machines that order plain reads as they like.
 * CP4. An access outside memory traps as it would without a check: there are flags up to the maximum of memory, beyond them reading one
 *      traps, too, and those of pages past the end are clear. One whose address wraps may first wait for a page it would not touch.
 * CP5. Functions are called through a table of its own, so no index changes. It runs after asyncify and after fuel, so frames, globals
 *      and fuel are those of the module it was given; what it keeps in locals lives within one access.
 * CP6. The same bytes for the same module. O(code size), no recursion.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { ScratchLocals } from "../barrier/scratch-locals.ts";
import { bodyHead, writeBody } from "../binary/body.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { ByteWriter, name, signed, u32 } from "../binary/writer.ts";
import { UnsupportedFeatureError } from "../errors.ts";
import { ABSENT_EXPORT, PAGE_BYTES, PRESENCE_EXPORT } from "../layout.ts";
import { importedFunctions } from "../metering/call-graph.ts";
import { accessAt, type MemoryAccess } from "./memory-accesses.ts";
import { sharedSections } from "./shared-form.ts";

const I32 = 0x7f;
const VOID = 0x40;
const FUNCTION = 0x60;
const FUNCREF = 0x70;
const I32_ADD = 0x6a;
const I32_SHR_U = 0x76;
/** `i32.atomic.load8_u` of the threads proposal. */
const ATOMIC_LOAD8 = [0xfe, 0x12];
/** Alignment 1, with a memory index to follow. */
const INDEXED = 0x40;
/** Has a maximum; the same and shared. */
const [BOUNDED, SHARED] = [1, 3];
const PAGE_SHIFT = Math.log2(SNAPSHOT_PAGE_BYTES);
const FLAGS_PER_MEMORY_PAGE = PAGE_BYTES / SNAPSHOT_PAGE_BYTES;
/** Places in the table. */
const [ONE, RANGE] = [0, 1];
const same = (index: number): number => index;

/** Indices of what the pass adds. */
interface Added {
  readonly flags: number;
  readonly table: number;
  /** Type of a function of one parameter; that of two parameters follows. */
  readonly type: number;
}

/** The module, of shared memory, with its accesses checked. @throws UnsupportedFeatureError, MalformedModuleError */
export function checkAccesses(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  requireFreeNames(outline);
  const imported = importedFunctions(outline);
  const added: Added = {
    flags: outline.memories.length,
    table: outline.tables.length,
    type: outline.types.length,
  };
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const head = bodyHead(bytes, body, outline.functions[imported + at] as FunctionType);
    const scratch = new ScratchLocals(head.locals);
    const edits = checkedAccesses(new Instructions(bytes, head.code, body.end), scratch, added);
    writeBody(out, bytes, head, scratch.types, rewriteCode(bytes, head.code, body.end, edits, same));
  }
  const sections = sharedSections(bytes, outline);
  for (const [id, content] of addedSections(bytes, outline, added)) sections.set(id, content);
  return withSections(bytes, outline, sections.set(SECTION.code, out.done()));
}

function requireFreeNames({ exports }: ModuleOutline): void {
  for (const taken of [ABSENT_EXPORT, PRESENCE_EXPORT])
    if (exports.some((one) => one.name === taken))
      throw new UnsupportedFeatureError(`the export ${taken}`, "it is a name of the checks of presence");
}

function addedSections(
  bytes: Uint8Array,
  outline: ModuleOutline,
  { flags, table }: Added,
): [id: number, content: Uint8Array][] {
  const most = (outline.memories[0]?.maximum ?? 0) * FLAGS_PER_MEMORY_PAGE;
  const pages = u32(Math.max(1, Math.ceil(most / PAGE_BYTES)));
  const entries: readonly [id: number, entries: readonly number[][]][] = [
    [
      SECTION.types,
      [
        [FUNCTION, 1, I32, 0],
        [FUNCTION, 2, I32, I32, 0],
      ],
    ],
    [SECTION.tables, [[FUNCREF, BOUNDED, 2, 2]]],
    [SECTION.memories, [[SHARED, ...pages, ...pages]]],
    [
      SECTION.exports,
      [
        [...name(ABSENT_EXPORT), KIND.memory, ...u32(flags)],
        [...name(PRESENCE_EXPORT), KIND.table, ...u32(table)],
      ],
    ],
  ];
  return entries.map(([id, more]) => [id, withEntries(bytes, outline, id, more)]);
}

function checkedAccesses(code: Instructions, scratch: ScratchLocals, added: Added): Edit[] {
  const edits: Edit[] = [];
  while (code.next()) {
    const access = accessAt(code);
    if (access === undefined) continue;
    const { start } = code;
    const bytes =
      access.kind === "single" ? checkedSingle(access, scratch, added) : checkedBulk(access, scratch, added);
    edits.push({ start, end: start, bytes });
  }
  return edits;
}

/** The address, and a value above it or none, on the stack before and after. */
function checkedSingle(
  { offset, above }: Extract<MemoryAccess, { kind: "single" }>,
  scratch: ScratchLocals,
  { flags, table, type }: Added,
): number[] {
  const address = scratch.of("address", I32);
  const value = above === undefined ? undefined : scratch.of(`value ${above}`, above);
  const first = [OP.localGet, ...address, ...(offset === 0 ? [] : [...constant(offset), I32_ADD])];
  const flag = [...first, ...constant(PAGE_SHIFT), I32_SHR_U, ...ATOMIC_LOAD8, INDEXED, ...u32(flags), 0];
  const ask = [...first, ...constant(ONE), OP.callIndirect, ...u32(type), ...u32(table)];
  return [
    ...(value === undefined ? [] : [OP.localSet, ...value]),
    ...[OP.localTee, ...address],
    ...[...flag, OP.if, VOID, ...ask, OP.end],
    ...(value === undefined ? [] : [OP.localGet, ...value]),
  ];
}

/** Destination, source or value, and length on the stack before and after. */
function checkedBulk(
  { writes, reads }: Extract<MemoryAccess, { kind: "bulk" }>,
  scratch: ScratchLocals,
  { table, type }: Added,
): number[] {
  const [to, from, length] = ["address", `value ${I32}`, "length"].map((role) => scratch.of(role, I32)) as [
    number[],
    number[],
    number[],
  ];
  const range = (start: readonly number[]): number[] => [
    ...[OP.localGet, ...start, OP.localGet, ...length],
    ...[...constant(RANGE), OP.callIndirect, ...u32(type + 1), ...u32(table)],
  ];
  return [
    ...[OP.localSet, ...length, OP.localSet, ...from, OP.localSet, ...to],
    ...(writes ? range(to) : []),
    ...(reads ? range(from) : []),
    ...[OP.localGet, ...to, OP.localGet, ...from, OP.localGet, ...length],
  ];
}

/** `i32.const`; offsets are unsigned and take the same 32 bits. */
function constant(value: number): number[] {
  return [OP.i32Const, ...signed(value | 0)];
}
