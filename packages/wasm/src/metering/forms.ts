/**
 * The instruction sequences that count fuel, byte for byte: written by the pipeline's last step and recognised at admission.
 *
 * FF1. Every sequence leaves the operand stack as it found it and cannot be entered in the middle: structured control flow has
 *      no labels there.
 * FF2. A sequence that writes the counter lowers it by a constant, by an unsigned 32-bit number or by eight times one; none
 *      raises it.
 * FF3. A check traps when the counter is below zero.
 *
 * In words, with f the counter, n a cost, t a local of type i64, l a local of type i32:
 *   check   f := t := f - n; if t < 0 then unreachable
 *   charge  f := f - n
 *   charge  l := cost on the stack; f := f - unsigned l
 *   bulk    l := length; if l > MOST_BULK_BYTES then unreachable; f := f - unsigned l; length
 *   entries the same with 8 * unsigned l, for tables
 *
 * In an innermost loop that calls nothing that counts, t holds the counter from the load before the loop on, so that a turn does
 * not wait for what the turn before it stored:
 *   load          t := f
 *   local check   f := t := t - n; if t < 0 then unreachable
 *   local charge  f := t := t - n
 */
import { OP } from "../binary/instruction.ts";
import { ByteReader } from "../binary/reader.ts";
import { signed, u32 } from "../binary/writer.ts";

/**
 * Most bytes one `memory.fill` or `memory.copy` of a metered guest moves; longer ones are done in pieces. Each byte costs one unit:
 * moving a byte takes about as long as an instruction.
 */
export const MOST_BULK_BYTES = 65_536;
/**
 * An entry of a table costs 2^3 units: writing one takes 12 to 30 ns. Tables have no more entries than {@link MOST_BULK_BYTES}, so
 * a longer operation would trap anyway.
 */
const ENTRY_SHIFT = 3;
const I64_SHL = 0x86;
/** Most units one operation on a table costs. */
export const MOST_ENTRIES_COST: number = MOST_BULK_BYTES * 2 ** ENTRY_SHIFT;
const VOID = 0x40;

/** A sequence found in code. */
export interface FoundForm {
  readonly kind: "check" | "charge" | "bulk" | "entries" | "load" | "local-check" | "local-charge";
  /** First byte after it. */
  readonly end: number;
  /** The local t of `load`, `local-check` and `local-charge`; -1 for others. */
  readonly local: number;
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

/** `t := f`, before a loop with local checks; `local` is t. */
export function loadForm(fuel: number, local: number): number[] {
  return [OP.globalGet, ...u32(fuel), OP.localSet, ...u32(local)];
}

/** `f := t := t - cost`, in a loop with local checks. */
export function localChargeForm(fuel: number, cost: number, local: number): number[] {
  return [
    OP.localGet,
    ...u32(local),
    OP.i64Const,
    ...signed(cost),
    OP.i64Sub,
    OP.localTee,
    ...u32(local),
    OP.globalSet,
    ...u32(fuel),
  ];
}

/** `f := t := t - cost`, trapping below zero, at the header of a loop with local checks. */
export function localCheckForm(fuel: number, cost: number, local: number): number[] {
  const trap = [OP.localGet, ...u32(local), OP.i64Const, 0, OP.i64LtS, OP.if, VOID, OP.unreachable, OP.end];
  return [...localChargeForm(fuel, cost, local), ...trap];
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

/** Before a bulk operation on memory, whose length is on the stack: `local` is an i32 local of its own. */
export function bulkForm(fuel: number, local: number): number[] {
  return boundedForm(fuel, local, []);
}

/** The same before one on a table. */
export function entriesForm(fuel: number, local: number): number[] {
  return boundedForm(fuel, local, [OP.i64Const, ENTRY_SHIFT, I64_SHL]);
}

function boundedForm(fuel: number, local: number, scale: readonly number[]): number[] {
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
    ...scale,
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
  if (opcode !== OP.localTee && opcode !== OP.globalGet && opcode !== OP.localGet) return undefined;
  const reader = new ByteReader(bytes, start + 1, end);
  const index = reader.u32();
  const found = (kind: FoundForm["kind"], form: readonly number[], local = -1): FoundForm | undefined =>
    matches(bytes, start, end, form) ? { kind, end: start + form.length, local } : undefined;
  if (opcode === OP.localTee)
    return found("bulk", bulkForm(fuel, index)) ?? found("entries", entriesForm(fuel, index));
  if (reader.done || (opcode === OP.globalGet && index !== fuel)) return undefined;
  const next = reader.u8();
  if (opcode === OP.globalGet && next !== OP.i64Const) {
    const local = reader.done ? -1 : reader.u32();
    if (next === OP.localSet) return found("load", loadForm(fuel, local), local);
    return next === OP.localGet ? found("charge", dynamicTail(fuel, local)) : undefined;
  }
  if (next !== OP.i64Const) return undefined;
  const cost = costAt(reader);
  if (cost === undefined) return undefined;
  if (opcode === OP.localGet) {
    const check = cost === 0 ? undefined : found("local-check", localCheckForm(fuel, cost, index), index);
    return check ?? found("local-charge", localChargeForm(fuel, cost, index), index);
  }
  const charge = found("charge", chargeForm(fuel, cost));
  if (charge !== undefined || cost === 0 || end - reader.at < 3) return charge;
  if (reader.u8() !== OP.i64Sub || reader.u8() !== OP.localTee) return undefined;
  return found("check", checkForm(fuel, cost, reader.u32()));
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
