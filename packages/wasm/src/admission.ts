/**
 * Decides whether a module may run, before anything of it runs.
 *
 * A1. Everything the module can reach is an import it was granted, its own memories, and its own tables, which are bounded.
 * A2. Its whole state can be taken: memory 0 is imported and bounded, the stack memory, every mutable global and every table
 *     that changes are exported, and its code has passed the scan of code-scan.ts.
 * A3. Nothing is trusted because the module says so: each property is read from the module's own sections.
 */

import type { HostModule } from "@glia-os/abi/ports";
import { HOST_IMPORTS, HOST_MODULE } from "@glia-os/abi/wire";
import { scanCode } from "./binary/code-scan.ts";
import { describeType, describeTypes } from "./binary/describe-type.ts";
import {
  type FunctionType,
  KIND,
  type ModuleImport,
  type ModuleOutline,
  readOutline,
} from "./binary/outline.ts";
import {
  ImportMismatchError,
  ImportNotGrantedError,
  NotAModuleError,
  NotInstrumentedError,
  UnboundedModuleError,
  UnsupportedFeatureError,
} from "./errors.ts";
import {
  ASYNCIFY_EXPORTS,
  ENTRY_EXPORT,
  FUEL_EXPORT,
  FUEL_MODULE,
  FUEL_YIELD,
  GLOBAL_EXPORT,
  MEMORY_IMPORT,
  STACK_EXPORT,
  START_EXPORT,
  WASI_ENTRY_EXPORT,
} from "./layout.ts";
import { checkMetering } from "./metering/validate.ts";
import { decodeProfile, isMetered, PROFILE_SECTION, type Profile, type ProfileRecord } from "./profile.ts";
import { type ChangedTable, changedTables, checkTables } from "./table-shape.ts";
import { webAssembly } from "./web-assembly.ts";

/** Most pages the memory of suspended calls may have: 4 MiB. */
const MOST_STACK_PAGES = 64;

/** What the engine needs to know of an admitted module. */
export interface GuestShape {
  readonly profile: ProfileRecord;
  /** Pages memory 0 starts with, and the most it may have. */
  readonly memory: { readonly minimum: number; readonly maximum: number };
  readonly stackPages: number;
  /** Mutable globals: their exports and value types, in index order. */
  readonly globals: readonly { readonly exportName: string; readonly type: number }[];
  /** Tables that code changes, in index order. */
  readonly tables: readonly ChangedTable[];
  readonly imports: readonly ModuleImport[];
  /** Names of what it exports. */
  readonly exports: readonly string[];
  readonly hasStart: boolean;
  /** The export a guest starts in. */
  readonly entry: string;
}

/** Check that bytes are a module the engine can run and move. Grants are checked by {@link checkGrants}. */
export function checkGuest(bytes: Uint8Array): GuestShape {
  const outline = readOutline(bytes);
  if (!webAssembly.validate(bytes)) throw new NotAModuleError("its content is not valid");
  const profile = profileOf(outline);
  checkTables(outline);
  const entry = checkEntry(outline);
  const hasStart = checkStart(outline);
  const tables = changedTables(bytes, outline, scanCode(bytes, outline));
  if (isMetered(profile.profile)) checkMetering(bytes, outline);
  const suspends = profile.profile !== "none";
  return {
    profile,
    memory: guestMemory(outline),
    stackPages: suspends ? stackPages(outline) : 0,
    globals: mutableGlobals(outline, isMetered(profile.profile)),
    tables,
    imports: suspends ? importsOf(outline, profile.profile) : importsThatReturn(outline),
    exports: outline.exports.map(({ name }) => name),
    hasStart,
    entry,
  };
}

function profileOf({ customs, exports }: ModuleOutline): ProfileRecord {
  const found = customs.filter(({ name }) => name === PROFILE_SECTION);
  if (found.length !== 1)
    throw new NotInstrumentedError(
      `the module has ${found.length} sections ${PROFILE_SECTION}; it needs one`,
    );
  const profile = decodeProfile(found[0]?.content ?? new Uint8Array());
  if (profile.profile === "none") return profile;
  const missing = ASYNCIFY_EXPORTS.filter(
    (wanted) => !exports.some(({ name, kind }) => name === wanted && kind === KIND.function),
  );
  if (missing.length > 0) throw new NotInstrumentedError(`the module lacks ${missing.join(", ")}`);
  return profile;
}

/** The export the guest starts in: `glia_main` when there is one, else the `_start` of a WASI command. */
function checkEntry(outline: ModuleOutline): string {
  for (const [name, type] of ENTRIES) {
    const entry = exportedFunction(outline, name);
    if (entry === undefined) continue;
    if (describeType(entry) !== type) throw new ImportMismatchError(name, describeType(entry), type);
    return name;
  }
  throw new NotInstrumentedError(`the module exports neither ${ENTRY_EXPORT} nor ${WASI_ENTRY_EXPORT}`);
}

const ENTRIES = [
  [ENTRY_EXPORT, "() -> i32"],
  [WASI_ENTRY_EXPORT, "() -> ()"],
] as const;

/** Whether the module has a former start function. */
function checkStart(outline: ModuleOutline): boolean {
  if (outline.start !== undefined)
    throw new UnboundedModuleError("the module has a start function, which would run while it is loaded");
  const start = exportedFunction(outline, START_EXPORT);
  if (start !== undefined && describeType(start) !== "() -> ()")
    throw new ImportMismatchError(START_EXPORT, describeType(start), "() -> ()");
  return start !== undefined;
}

function exportedFunction({ exports, functions }: ModuleOutline, wanted: string): FunctionType | undefined {
  const found = exports.find(({ name, kind }) => name === wanted && kind === KIND.function);
  return found === undefined ? undefined : functions[found.index];
}

/** Imports a host is asked for: the one by which a pre-emptive guest yields is the engine's own. */
function importsOf({ imports }: ModuleOutline, profile: Profile): readonly ModuleImport[] {
  return imports.filter(({ module, name, kind, type }) => {
    if (profile !== "preemptive" || module !== FUEL_MODULE || name !== FUEL_YIELD) return true;
    if (kind === KIND.function && type !== undefined && describeType(type) === "(i32) -> ()") return false;
    throw new ImportMismatchError(
      `${module}/${name}`,
      type === undefined ? "?" : describeType(type),
      "(i32) -> ()",
    );
  });
}

/** A module that cannot be suspended may import nothing that waits. */
function importsThatReturn({ imports, memories }: ModuleOutline): readonly ModuleImport[] {
  if (memories.length > 1) throw new UnsupportedFeatureError("more than one memory", "a guest has one");
  for (const { module, name } of imports)
    if (module === HOST_MODULE && HOST_IMPORTS.some((one) => one.name === name && one.blocking))
      throw new NotInstrumentedError(`the module imports ${name}, which waits, and has the profile none`);
  return imports;
}

function guestMemory({ imports }: ModuleOutline): GuestShape["memory"] {
  const memories = imports.filter(({ kind }) => kind === KIND.memory);
  const memory = memories[0];
  if (memories.length !== 1 || memory?.module !== HOST_MODULE || memory.name !== MEMORY_IMPORT)
    throw new UnboundedModuleError(
      `the module must import its one memory as ${HOST_MODULE} ${MEMORY_IMPORT}`,
    );
  const { minimum, maximum } = memory.limits ?? { minimum: 0, maximum: undefined };
  if (maximum === undefined) throw new UnboundedModuleError("the module's memory has no maximum");
  return { minimum, maximum };
}

function stackPages({ memories, exports }: ModuleOutline): number {
  const exported = exports.find(({ name, kind }) => name === STACK_EXPORT && kind === KIND.memory);
  const stack = memories[1];
  if (memories.length !== 2 || exported?.index !== 1 || stack === undefined)
    throw new NotInstrumentedError(`the module does not export ${STACK_EXPORT} as its second memory`);
  if (stack.minimum !== stack.maximum || stack.minimum < 1 || stack.minimum > MOST_STACK_PAGES)
    throw new UnboundedModuleError(
      `the memory of suspended calls must have a fixed size of 1 to ${MOST_STACK_PAGES} pages`,
    );
  return stack.minimum;
}

function mutableGlobals(
  { globals, exports, imports }: ModuleOutline,
  metered: boolean,
): GuestShape["globals"] {
  if (imports.some(({ kind }) => kind === KIND.global))
    throw new UnsupportedFeatureError("an imported global", "hosts give functions only");
  return globals.flatMap(({ type, mutable }, index) => {
    if (!mutable) return [];
    if (type < 0x7c || type > 0x7f)
      throw new UnsupportedFeatureError(
        "a mutable vector or reference global",
        "it cannot be taken as bytes",
      );
    // The engine fills the fuel counter at every step; its value is no state.
    if (
      metered &&
      exports.some((one) => one.name === FUEL_EXPORT && one.kind === KIND.global && one.index === index)
    )
      return [];
    const exportName = `${GLOBAL_EXPORT}${index}`;
    if (!exports.some((one) => one.name === exportName && one.kind === KIND.global && one.index === index))
      throw new NotInstrumentedError(`the module does not export its mutable global ${index}`);
    return [{ exportName, type }];
  });
}

/**
 * Check that every imported function exists, was granted and has the right type. A grant is an import of `glia.v1` by its bare
 * name (`receive`), any import by `module/name`, or a whole module by its name (`glia.v1`).
 * @throws ImportNotGrantedError with everything the module asks for, ImportMismatchError
 */
export function checkGrants(
  { imports, profile }: GuestShape,
  grants: readonly string[],
  hostModules: readonly HostModule[],
): void {
  const granted = new Set(grants);
  const functions = imports.filter(({ kind }) => kind === KIND.function);
  const full = ({ module, name }: ModuleImport): string => `${module}/${name}`;
  const missing = functions.filter((one) => {
    const allowed =
      granted.has(one.module) ||
      granted.has(full(one)) ||
      (one.module === HOST_MODULE && granted.has(one.name));
    return !allowed || offered(one, hostModules) === undefined;
  });
  if (missing.length > 0) throw new ImportNotGrantedError(missing.map(full), functions.map(full), grants);
  if (profile.profile === "none") refuseWaiting(functions, hostModules);
  for (const one of functions) {
    const asked = one.type === undefined ? "?" : describeType(one.type);
    const given = offered(one, hostModules) ?? "?";
    if (asked !== given) throw new ImportMismatchError(full(one), asked, given);
  }
}

/** A guest of the profile `none` cannot be suspended: no function it imports may do so. */
function refuseWaiting(functions: readonly ModuleImport[], hostModules: readonly HostModule[]): void {
  for (const { module, name } of functions) {
    const offer = hostModules.find((one) => one.name === module)?.functions;
    if (offer !== undefined && Object.hasOwn(offer, name) && offer[name]?.suspends === true)
      throw new NotInstrumentedError(
        `the module imports ${module}/${name}, which waits, and has the profile none`,
      );
  }
}

function offered({ module, name }: ModuleImport, hostModules: readonly HostModule[]): string | undefined {
  if (module === HOST_MODULE) {
    const found = HOST_IMPORTS.find((one) => one.name === name);
    return found === undefined ? undefined : describeTypes(found.params, found.result);
  }
  const functions = hostModules.find((one) => one.name === module)?.functions;
  const found = functions !== undefined && Object.hasOwn(functions, name) ? functions[name] : undefined;
  return found === undefined ? undefined : describeTypes(found.params, found.result);
}
