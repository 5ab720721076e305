/**
 * What a module is, for a person who asks whether it can be a guest: read from its bytes, without running or changing it.
 *
 * Y1. Everything here is a fact of the bytes. Whether a module is admitted is decided by admission alone.
 */

import {
  HOST_IMPORTS,
  HOST_MODULE,
  SYS_IMPORTS,
  SYS_MODULE,
  TENSOR_FUNCTIONS,
  TENSOR_MODULE,
} from "@glia-os/abi/wire";
import { bodyHead } from "./binary/body.ts";
import { describeType, TYPE_NAMES } from "./binary/describe-type.ts";
import { BULK, Instructions, OP } from "./binary/instruction.ts";
import { KIND, type ModuleImport, type ModuleOutline, readOutline } from "./binary/outline.ts";
import { SYS_SUSPENDING } from "./capabilities/suspending.ts";
import { UnsupportedFeatureError } from "./errors.ts";
import { ENTRY_EXPORT, FUEL_MODULE, MEMORY_IMPORT, WASI_ENTRY_EXPORT } from "./layout.ts";
import { decodeProfile, PROFILE_SECTION, type ProfileRecord, sha256Hex } from "./profile.ts";
import { WASI_FUNCTIONS } from "./wasi/functions.ts";
import { WASI_MODULE, WASI_SUSPENDING } from "./wasi/suspending.ts";

/** One thing a module asks its host for. */
export interface ImportReport {
  readonly module: string;
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global";
  /** For functions: `(i32 i32) -> i32`. */
  readonly type?: string;
  /** Who offers it: the host calls, WASI preview 1, tensors, the pipeline (in instrumented modules), or nobody here. */
  readonly offeredBy: "glia.v1" | "glia.sys.v1" | "glia.tensor.v1" | "wasi" | "pipeline" | "nobody";
  /** Whether a guest may be stopped and moved while it waits in it. */
  readonly suspends: boolean;
}

/** What {@link inspectModule} finds. */
export interface ModuleReport {
  readonly bytes: number;
  /** SHA-256, as hexadecimal. */
  readonly hash: string;
  /** Set when the pipeline made it. */
  readonly instrumented: ProfileRecord | undefined;
  /** The export a guest would start in; undefined when there is none. */
  readonly entry: string | undefined;
  readonly imports: readonly ImportReport[];
  readonly exports: readonly string[];
  /** Memory in pages of 64 KiB; `maximum` undefined when it has none. */
  readonly memory: { readonly minimum: number; readonly maximum: number | undefined } | undefined;
  readonly tables: readonly {
    readonly element: string;
    readonly minimum: number;
    readonly maximum: number | undefined;
  }[];
  /** Functions it defines, and globals. */
  readonly functions: number;
  readonly globals: { readonly mutable: number; readonly immutable: number };
  /** Features beyond the first version of WebAssembly that its code uses. */
  readonly features: readonly string[];
  /** A feature that no guest may use, as admission would say it; reading the code ended there. */
  readonly refused: string | undefined;
}

/** Look at a module. @throws NotAModuleError, MalformedModuleError, UnsupportedFeatureError (in declarations), NotInstrumentedError */
export function inspectModule(bytes: Uint8Array): ModuleReport {
  const outline = readOutline(bytes);
  const { features, refused } = featuresOf(bytes, outline);
  const label = outline.customs.find(({ name }) => name === PROFILE_SECTION);
  const memory = outline.memories[0];
  const mutable = outline.globals.filter((one) => one.mutable).length;
  return {
    bytes: bytes.length,
    hash: sha256Hex(bytes),
    instrumented: label === undefined ? undefined : decodeProfile(label.content),
    entry: entryOf(outline),
    imports: outline.imports.map(reported),
    exports: outline.exports.map(({ name }) => name),
    memory: memory === undefined ? undefined : { minimum: memory.minimum, maximum: memory.maximum },
    tables: outline.tables.map(({ element, minimum, maximum }) => ({
      element: TYPE_NAMES[element] ?? "?",
      minimum,
      maximum,
    })),
    functions: outline.bodies.length,
    globals: { mutable, immutable: outline.globals.length - mutable },
    features,
    refused,
  };
}

function entryOf({ exports }: ModuleOutline): string | undefined {
  return [ENTRY_EXPORT, WASI_ENTRY_EXPORT].find((wanted) =>
    exports.some(({ name, kind }) => name === wanted && kind === KIND.function),
  );
}

const KINDS = ["function", "table", "memory", "global"] as const;

function reported({ module, name, kind, type }: ModuleImport): ImportReport {
  const offeredBy = offererOf(module, name, kind);
  const waits = HOST_IMPORTS.some((one) => module === HOST_MODULE && one.name === name && one.blocking);
  return {
    module,
    name,
    kind: KINDS[kind] ?? "function",
    ...(type === undefined ? {} : { type: describeType(type) }),
    offeredBy,
    suspends: waits || [...WASI_SUSPENDING, ...SYS_SUSPENDING].includes(`${module}/${name}`),
  };
}

function offererOf(module: string, name: string, kind: number): ImportReport["offeredBy"] {
  if (module === HOST_MODULE && kind === KIND.memory && name === MEMORY_IMPORT) return "pipeline";
  if (module === FUEL_MODULE) return "pipeline";
  if (kind !== KIND.function) return "nobody";
  if (module === HOST_MODULE && HOST_IMPORTS.some((one) => one.name === name)) return "glia.v1";
  if (module === SYS_MODULE && SYS_IMPORTS.some((one) => one.name === name)) return "glia.sys.v1";
  if (module === TENSOR_MODULE && Object.hasOwn(TENSOR_FUNCTIONS, name)) return TENSOR_MODULE;
  return module === WASI_MODULE && Object.hasOwn(WASI_FUNCTIONS, name) ? "wasi" : "nobody";
}

function featuresOf(
  bytes: Uint8Array,
  outline: ModuleOutline,
): { readonly features: string[]; readonly refused: string | undefined } {
  const found = new Set<string>();
  if (outline.memories.length > 1) found.add("multi-memory");
  if (outline.types.some(({ results }) => results.length > 1)) found.add("multi-value");
  let refused: string | undefined;
  try {
    for (const body of outline.bodies)
      addFeatures(new Instructions(bytes, bodyHead(bytes, body, NO_TYPE).code, body.end), found);
  } catch (error) {
    if (!(error instanceof UnsupportedFeatureError)) throw error;
    refused = error.message;
  }
  return { features: [...found].sort(), refused };
}

const NO_TYPE = { params: [], results: [] };

function addFeatures(code: Instructions, found: Set<string>): void {
  while (code.next()) {
    const { opcode, operation } = code;
    if (opcode >= 0xc0 && opcode <= 0xc4) found.add("sign-extension");
    else if (opcode === OP.simd) found.add("simd128");
    else if (opcode === OP.bulk) found.add(bulkFeature(operation));
    else if (opcode === OP.tableSet || opcode === 0x25 || (opcode >= 0xd0 && opcode <= OP.refFunc))
      found.add("reference-types");
  }
}

function bulkFeature(operation: number): string {
  if (operation < BULK.memoryInit) return "saturating-conversions";
  return operation <= 14 ? "bulk-memory" : "reference-types";
}
