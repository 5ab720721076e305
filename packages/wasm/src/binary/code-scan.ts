/**
 * Walks every instruction of every function and refuses the ones that would put state where a snapshot cannot see it.
 *
 * C1. Every opcode is either known, with its immediates, or refused (instruction.ts, IN1).
 * C2. After a scan the whole state of an instance is its memories and its mutable globals: tables never change after
 *     instantiation, segments are never dropped or read again, and there are no references to host objects in locals that
 *     a suspended call could hold.
 * C3. O(code size), no recursion.
 */
import { UnsupportedFeatureError } from "../errors.ts";
import { Instructions, OP } from "./instruction.ts";
import type { ModuleOutline } from "./outline.ts";
import { ByteReader } from "./reader.ts";

/** Check all code of a module. @throws UnsupportedFeatureError, MalformedModuleError */
export function scanCode(bytes: Uint8Array, outline: ModuleOutline): void {
  for (const { start, end } of outline.bodies) {
    const reader = new ByteReader(bytes, start, end);
    for (let groups = reader.u32(); groups > 0; groups--) {
      reader.u32();
      const type = reader.u8();
      if (type < 0x7b || type > 0x7f)
        throw new UnsupportedFeatureError("reference-typed locals", "they cannot be taken as bytes");
    }
    const code = new Instructions(bytes, reader.at, end);
    while (code.next()) {
      if (code.opcode === OP.tableSet) throw tableWrite("table.set");
      if (code.opcode === OP.bulk) checkBulk(code.operation);
    }
  }
}

const SEGMENTS: Readonly<Record<number, string>> = { 8: "memory.init", 9: "data.drop", 13: "elem.drop" };
const TABLES: Readonly<Record<number, string>> = {
  12: "table.init",
  14: "table.copy",
  15: "table.grow",
  17: "table.fill",
};

function checkBulk(operation: number): void {
  const segment = SEGMENTS[operation];
  if (segment !== undefined)
    throw new UnsupportedFeatureError(segment, "which segments were dropped is not part of a snapshot");
  const table = TABLES[operation];
  if (table !== undefined) throw tableWrite(table);
}

function tableWrite(name: string): UnsupportedFeatureError {
  return new UnsupportedFeatureError(name, "a table that changes is not part of a snapshot");
}
