/** Reading and rewriting code: every opcode is known or refused by name, and code that is not changed stays as it was. */
import { hasErrorCode } from "@glia-os/abi/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bodyHead } from "../src/binary/body.ts";
import { functionReferences, redirected, tabledFunctions } from "../src/binary/function-references.ts";
import { Instructions, OP } from "../src/binary/instruction.ts";
import { type FunctionType, readOutline } from "../src/binary/outline.ts";
import { ByteReader } from "../src/binary/reader.ts";
import { rewriteCode } from "../src/binary/rewrite-code.ts";
import { signed, u32 } from "../src/binary/writer.ts";
import { importedFunctions } from "../src/metering/call-graph.ts";
import { assemble } from "./guest.ts";
import { randomModule } from "./random-module.ts";

/** One instruction of each kind of immediate, in a module that references functions from everywhere it can. */
const KINDS = `(module
  (import "env" "f" (func $f (param i32)))
  (memory 1 2) (data $d "passive") (table $t 3 3 funcref) (table $x 1 1 externref)
  (elem $e (table $t) (i32.const 0) func $g $f) (elem $p funcref (ref.func $g) (ref.null func)) (elem declare func $h)
  (global $r (mut funcref) (ref.func $g)) (global $n (mut i64) (i64.const -5))
  (type $one (func (param i32))) (type $sig (func (param i32 i64) (result f32 f64)))
  (func $g) (func $h (export "h") (local v128 f32)
    (block (block (br_table 0 1 0 (i32.const -129))) (br 0))
    (if (i32.const 2147483647) (then (nop)) (else (unreachable)))
    (drop (select (result i32) (i32.const 1) (i32.const -2147483648) (i32.const 3)))
    (drop (i64.const -9223372036854775808)) (drop (f32.const nan)) (drop (f64.const -0.5))
    (drop (i32.trunc_sat_f64_u (f64.const 1e30))) (drop (i64.extend8_s (i64.const 200)))
    (call_indirect (type $one) (i32.const 1) (i32.const 0))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d)
    (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
    (table.init $t $p (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $p)
    (table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1)) (drop (table.size $t))
    (drop (table.grow $t (ref.null func) (i32.const 0))) (table.fill $t (i32.const 0) (ref.func $h) (i32.const 1))
    (table.set $t (i32.const 0) (table.get $t (i32.const 1))) (drop (ref.is_null (ref.func $g)))
    (drop (memory.grow (memory.size)))
    (v128.store8_lane offset=300 align=1 3 (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 (v128.const i64x2 1 -1) (v128.load32_zero (i32.const 8))))
    (drop (i8x16.extract_lane_s 15 (i8x16.splat (i32.const 5)))) (drop (i64.load32_s offset=70000 (i32.const 1)))))`;

function codeOf(bytes: Uint8Array): { readonly start: number; readonly end: number }[] {
  const outline = readOutline(bytes);
  return outline.bodies.map((body, at) => {
    const type = outline.functions[importedFunctions(outline) + at] as FunctionType;
    return { start: bodyHead(bytes, body, type).code, end: body.end };
  });
}

describe("instructions", () => {
  it("of every kind are read to the last byte, and written back as they were", () => {
    const modules = [KINDS, ...[1, 2, 3, 4, 5].map(randomModule)].map((text) => assemble(text));
    for (const bytes of modules)
      for (const { start, end } of codeOf(bytes)) {
        const code = new Instructions(bytes, start, end);
        let last = 0;
        while (code.next()) last = code.opcode;
        expect(code.end).toBe(end);
        expect(last).toBe(OP.end);
        const copy = rewriteCode(bytes, start, end, [], (index) => index);
        expect(Buffer.from(copy).equals(bytes.subarray(start, end))).toBe(true);
      }
  });

  it("of every opcode are known, or refused with a code; nothing else is thrown and nothing is read past the end", () => {
    const refused: number[] = [];
    for (let opcode = 0; opcode < 256; opcode++) {
      const bytes = new Uint8Array(40);
      bytes[0] = opcode;
      for (const length of [40, 1]) {
        const code = new Instructions(bytes, 0, length);
        try {
          code.next();
          expect(code.end).toBeLessThanOrEqual(length);
        } catch (error) {
          const known = hasErrorCode(error, "wasm.unsupported-feature");
          expect(known || hasErrorCode(error, "wasm.malformed-module"), String(error)).toBe(true);
          if (length === 40) refused.push(opcode);
        }
      }
    }
    const ranges = refused
      .filter((opcode, at) => refused[at - 1] !== opcode - 1)
      .map((opcode) => opcode.toString(16));
    expect(ranges.join(" ")).toBe("6 12 1d 27 c5 d3 fe");
  });

  it("of random bytes end in a refusal with a code, or are read", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const code = new Instructions(bytes, 0, bytes.length);
        try {
          while (code.next());
        } catch (error) {
          const known = hasErrorCode(error, "wasm.unsupported-feature");
          expect(known || hasErrorCode(error, "wasm.malformed-module")).toBe(true);
        }
      }),
    );
  });
});

describe("references to functions", () => {
  it("are found in exports, element segments and globals, and can be moved", () => {
    const bytes = assemble(KINDS);
    const outline = readOutline(bytes);
    const references = functionReferences(bytes, outline);
    // f is 0, g 1 and h 2: the export of h, both elements of $e, the one of $p, the declared one, and the global.
    expect(references.map(({ index }) => index).sort()).toEqual([0, 1, 1, 1, 2, 2]);
    expect(tabledFunctions(references, [])).toEqual([0, 1, 2]);
    const same = redirected(bytes, outline.sections, references, (index) => u32(index));
    for (const [id, content] of same) {
      const range = outline.sections.find((one) => one.id === id);
      expect(Buffer.from(content).equals(bytes.subarray(range?.body, range?.end)), `section ${id}`).toBe(
        true,
      );
    }
  });
});

it("signed integers are read as they were written", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = Uint8Array.from(signed(value));
      expect(new ByteReader(bytes).s32()).toBe(value);
      expect(bytes.length).toBeLessThanOrEqual(5);
    }),
  );
});
