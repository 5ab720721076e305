/**
 * Walks every instruction of every function and refuses the ones that would put state where a snapshot cannot see it.
 *
 * C1. Every opcode is either known, with its immediates, or refused (instruction.ts, IN1).
 * C2. After a scan the whole state of an instance is its memories, its mutable globals and the tables listed as changed: segments
 *     are never dropped, so each can be read again after a move, and no reference to a function is in a local, which a suspended
 *     call could hold.
 * C3. O(code size), no recursion.
 */
import { UnsupportedFeatureError } from "../errors.ts";
import { BULK, Instructions, OP } from "./instruction.ts";
import type { ModuleOutline } from "./outline.ts";
import { ByteReader } from "./reader.ts";

/** What the code of a module does that concerns its state. */
export interface ScannedCode {
  /** Indices of tables that code changes, in order. */
  readonly changed: readonly number[];
  /** Those of them that code grows. */
  readonly grown: readonly number[];
  /** Functions that code takes references of, in order. */
  readonly referred: readonly number[];
}

/**
 * Check all code of a module. `drops` says whether segments may be dropped: in a module that the pipeline has not seen yet.
 * @throws UnsupportedFeatureError, MalformedModuleError
 */
export function scanCode(bytes: Uint8Array, outline: ModuleOutline, drops = false): ScannedCode {
  const scan = new Scan(outline, drops);
  for (const { start, end } of outline.bodies) {
    const reader = new ByteReader(bytes, start, end);
    checkLocals(reader);
    const code = new Instructions(bytes, reader.at, end);
    while (code.next()) scan.see(code);
  }
  return scan.found();
}

function checkLocals(reader: ByteReader): void {
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.u32();
    const type = reader.u8();
    if (type < 0x7b || type > 0x7f)
      throw new UnsupportedFeatureError("reference-typed locals", "they cannot be taken as bytes");
  }
}

const FUNCREF = 0x70;
const sorted = (indices: ReadonlySet<number>): number[] => [...indices].sort((a, b) => a - b);

class Scan {
  readonly #outline: ModuleOutline;
  readonly #drops: boolean;
  readonly #changed = new Set<number>();
  readonly #grown = new Set<number>();
  readonly #referred = new Set<number>();

  constructor(outline: ModuleOutline, drops: boolean) {
    this.#outline = outline;
    this.#drops = drops;
  }

  see({ opcode, operation, immediate, second }: Instructions): void {
    if (opcode === OP.refFunc) this.#referred.add(immediate);
    else if (opcode === OP.tableSet) this.#change(immediate);
    else if (opcode === OP.bulk) this.#bulk(operation, immediate, second);
  }

  found(): ScannedCode {
    return {
      changed: sorted(this.#changed),
      grown: sorted(this.#grown),
      referred: sorted(this.#referred),
    };
  }

  #bulk(operation: number, first: number, second: number): void {
    if (operation === BULK.dataDrop || operation === BULK.elemDrop) {
      if (this.#drops) return;
      const name = operation === BULK.dataDrop ? "data.drop" : "elem.drop";
      throw new UnsupportedFeatureError(name, "which segments were dropped is not part of a snapshot");
    }
    if (operation === BULK.tableInit) this.#change(second);
    else if (operation === BULK.tableCopy || operation === BULK.tableFill) this.#change(first);
    else if (operation === BULK.tableGrow) {
      this.#change(first);
      this.#grown.add(first);
    }
  }

  #change(table: number): void {
    this.#changed.add(table);
    if (this.#outline.tables[table]?.element !== FUNCREF)
      throw new UnsupportedFeatureError(
        "a changing table of references that are not functions",
        "they cannot be taken as bytes",
      );
  }
}
