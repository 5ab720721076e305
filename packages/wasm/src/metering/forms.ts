/**
 * The instruction sequences that count fuel, byte for byte: written by the pipeline's last step and recognised at admission.
 *
 * FF1. Every sequence leaves the operand stack as it found it and cannot be entered in the middle: structured control flow has
 *      no labels there.
 * FF2. A sequence that writes the counter lowers it by a constant or by an unsigned 32-bit number; none raises it.
 * FF3. A check traps when the counter is below zero.
 *
 * In words, with f the counter, n a cost, t a local of type i64, l a local of type i32:
 *   check   f := t := f - n; if t < 0 then unreachable
 *   charge  f := f - n
 *   charge  l := cost on the stack; f := f - unsigned l
 *   bulk    l := length; if l > MOST_BULK_BYTES then unreachable; f := f - unsigned l; length
 */
import { OP } from "../binary/instruction.ts";
import { ByteReader } from "../binary/reader.ts";
import { signed, u32 } from "../binary/writer.ts";

/**
 * Most bytes one `memory.fill` or `memory.copy` of a metered guest moves; longer ones are done in pieces. Each byte costs one unit:
 * moving a byte takes about as long as an instruction.
 */
export const MOST_BULK_BYTES = 65_536;
const VOID = 0x40;

/** A sequence found in code. */
export interface FoundForm {
  readonly kind: "check" | "charge" | "bulk";
  /** First byte after it. */
  readonly end: number;
}

/** `f := f - cost`, trapping below zero; `local` is an i64 local of its own. */
export function checkForm(fuel: number, cost: number, local: number): number[] {
  return [
    OP.globalGet,
    ...u32(fuel),
    OP.i64Const,
    ...signed(cost),
    OP.i64Sub,
    OP.localTee,
    ...u32(local),
    OP.globalSet,
    ...u32(fuel),
    OP.localGet,
    ...u32(local),
    OP.i64Const,
    0,
    OP.i64LtS,
    OP.if,
    VOID,
    OP.unreachable,
    OP.end,
  ];
}

/** `f := f - cost`. */
export function chargeForm(fuel: number, cost: number): number[] {
  return [OP.globalGet, ...u32(fuel), OP.i64Const, ...signed(cost), OP.i64Sub, OP.globalSet, ...u32(fuel)];
}

/** `f := f - cost` with the cost on the stack; `local` is an i32 local of its own. */
export function dynamicChargeForm(fuel: number, local: number): number[] {
  return [OP.localSet, ...u32(local), ...dynamicTail(fuel, local)];
}

/** FF2 holds for any local: what it takes off is an unsigned 32-bit number. */
function dynamicTail(fuel: number, local: number): number[] {
  return [
    OP.globalGet,
    ...u32(fuel),
    OP.localGet,
    ...u32(local),
    OP.i64ExtendI32U,
    OP.i64Sub,
    OP.globalSet,
    ...u32(fuel),
  ];
}

/** Before a bulk operation, whose length is on the stack: `local` is an i32 local of its own. */
export function bulkForm(fuel: number, local: number): number[] {
  return [
    OP.localTee,
    ...u32(local),
    OP.i32Const,
    ...signed(MOST_BULK_BYTES),
    OP.i32GtU,
    OP.if,
    VOID,
    OP.unreachable,
    OP.end,
    OP.globalGet,
    ...u32(fuel),
    OP.localGet,
    ...u32(local),
    OP.i64ExtendI32U,
    OP.i64Sub,
    OP.globalSet,
    ...u32(fuel),
    OP.localGet,
    ...u32(local),
  ];
}

/** The sequence that starts at `start`, if there is one. Costs of checks are at least 1, of charges at least 0. */
export function formAt(bytes: Uint8Array, start: number, end: number, fuel: number): FoundForm | undefined {
  const opcode = bytes[start];
  if (opcode === OP.localTee) return bulkAt(bytes, start, end, fuel);
  if (opcode !== OP.globalGet) return undefined;
  const reader = new ByteReader(bytes, start + 1, end);
  if (reader.u32() !== fuel || reader.done) return undefined;
  const next = reader.u8();
  if (next === OP.localGet && !reader.done) return dynamicAt(bytes, start, end, fuel, reader.u32());
  if (next !== OP.i64Const) return undefined;
  const cost = costAt(reader);
  if (cost === undefined) return undefined;
  const charge = chargeForm(fuel, cost);
  if (matches(bytes, start, end, charge)) return { kind: "charge", end: start + charge.length };
  if (reader.end - reader.at < 3 || reader.u8() !== OP.i64Sub || reader.u8() !== OP.localTee)
    return undefined;
  const check = checkForm(fuel, cost, reader.u32());
  return cost > 0 && matches(bytes, start, end, check)
    ? { kind: "check", end: start + check.length }
    : undefined;
}

function dynamicAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  fuel: number,
  local: number,
): FoundForm | undefined {
  const form = dynamicTail(fuel, local);
  return matches(bytes, start, end, form) ? { kind: "charge", end: start + form.length } : undefined;
}

function bulkAt(bytes: Uint8Array, start: number, end: number, fuel: number): FoundForm | undefined {
  const form = bulkForm(fuel, new ByteReader(bytes, start + 1, end).u32());
  return matches(bytes, start, end, form) ? { kind: "bulk", end: start + form.length } : undefined;
}

/** Most bytes of a cost: 28 bits. */
const COST_BYTES = 4;

/** A cost as the pipeline writes it, in the shortest form and not negative. */
function costAt(reader: ByteReader): number | undefined {
  let value = 0;
  for (let at = 0; at < COST_BYTES && !reader.done; at++) {
    const byte = reader.u8();
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return byte < 0x40 ? value : undefined;
  }
  return undefined;
}

function matches(bytes: Uint8Array, start: number, end: number, form: readonly number[]): boolean {
  return start + form.length <= end && form.every((byte, at) => bytes[start + at] === byte);
}
