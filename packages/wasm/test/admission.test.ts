import { hasErrorCode, isGliaError } from "@glia-os/abi/errors";
import type { HostModule } from "@glia-os/abi/ports";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { readOutline } from "../src/binary/outline.ts";
import { concat, customSection, section } from "../src/binary/writer.ts";
import {
  createWasmEngine,
  ImportMismatchError,
  ImportNotGrantedError,
  ModuleTooBigError,
  NotAModuleError,
  NotInstrumentedError,
  UnboundedModuleError,
  UnsupportedFeatureError,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { PROFILE_SECTION } from "../src/profile.ts";
import { admit, assemble, guest, RecordingHost, SUMMING } from "./guest.ts";

const engine = createWasmEngine();
const all = ["glia.v1"];
const main = `(func (export "glia_main") (result i32) (i32.const 0))`;
let module: Uint8Array;
beforeAll(async () => {
  module = await guest(SUMMING);
});

/** The instrumented module with one section changed. */
function edited(id: number, change: (content: Uint8Array) => Uint8Array | undefined): Uint8Array {
  const parts = readOutline(module).sections.map((range) => {
    if (range.id !== id) return module.subarray(range.start, range.end);
    const content = change(module.subarray(range.body, range.end));
    return content === undefined ? new Uint8Array() : section(id, content);
  });
  return concat([module.subarray(0, 8), ...parts]);
}

/** The instrumented module with a name in its export section changed. */
function renamed(from: string, to: string): Uint8Array {
  return edited(7, (content) =>
    Uint8Array.from(Buffer.from(Buffer.from(content).toString("latin1").replace(from, to), "latin1")),
  );
}

describe("admission", () => {
  it("takes what the pipeline makes, and says what it was made from", async () => {
    const program = await engine.admit(module, all);
    expect(program.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(program.original).toBe((await instrument(assemble(SUMMING))).original);
  });

  it("refuses what is no module", async () => {
    const texts = ["", "\0asm", "\0asm\x0d\0\x01\0", "(module)", "#!/bin/sh\nexit 0\n", "<html></html>"];
    for (const text of texts)
      await expect(engine.admit(Buffer.from(text, "latin1"), all)).rejects.toBeInstanceOf(NotAModuleError);
    const small = createWasmEngine({ moduleBytes: 10 });
    await expect(small.admit(module, all)).rejects.toBeInstanceOf(ModuleTooBigError);
  });

  it("refuses a module that was not instrumented and says how to", async () => {
    const refusal: unknown = await engine.admit(assemble(SUMMING), all).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NotInstrumentedError);
    expect((refusal as NotInstrumentedError).fix).toContain("instrument");
  });

  it("refuses imports that were not granted and lists all that were asked for", async () => {
    const refusal: unknown = await engine.admit(module, ["receive", "log"]).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ImportNotGrantedError);
    expect((refusal as ImportNotGrantedError).details).toEqual({
      missing: ["glia.v1/reply"],
      asked: ["glia.v1/receive", "glia.v1/reply"],
      granted: ["receive", "log"],
    });
    await expect(engine.admit(module, ["receive", "glia.v1/reply"])).resolves.toBeDefined();
  });

  it("refuses imports that do not exist even when they are granted", async () => {
    for (const [from, name] of [
      ["env", "system"],
      ["glia.v1", "fetch"],
      ["glia.v1", "constructor"],
    ]) {
      const text = `(module (import "${from}" "${name}" (func $f (result i32))) (func (export "glia_main") (result i32) (call $f)))`;
      await expect(engine.admit(await guest(text), all.concat(from as string))).rejects.toBeInstanceOf(
        ImportNotGrantedError,
      );
    }
  });

  it("refuses an import with another type", async () => {
    const text = `(module (import "glia.v1" "now" (func $f (result i32))) (func (export "glia_main") (result i32) (call $f)))`;
    await expect(engine.admit(await guest(text), all)).rejects.toBeInstanceOf(ImportMismatchError);
  });

  it("offers a host module's functions only to guests that were granted it", async () => {
    const twice: HostModule = {
      name: "test.v1",
      version: 1,
      functions: {
        twice: { params: ["i32"], result: "i32" },
        big: { params: ["i64"], result: "i64" },
      },
      open: ({ memory }) => ({
        calls: {
          twice: (value: number) => value * 2 + (memory.reads(0, 1)?.[0] ?? 0),
          big: (value: bigint) => value + 1n,
        },
        save: () => new Uint8Array(),
      }),
    };
    const text = `(module (import "test.v1" "twice" (func $t (param i32) (result i32))) (import "test.v1" "big" (func $b (param i64) (result i64))) (memory 1)
      (func (export "glia_main") (result i32) (i32.store8 (i32.const 0) (i32.const 5)) (i32.add (call $t (i32.const 21)) (i32.wrap_i64 (call $b (i64.const 1))))))`;
    expect((await admit(text, [twice])).instantiate({}, new RecordingHost()).step()).toEqual({
      kind: "finished",
      status: 49,
    });
    const withModule = createWasmEngine({ hostModules: [twice] });
    await expect(withModule.admit(await guest(text), all)).rejects.toBeInstanceOf(ImportNotGrantedError);
  });
});

describe("a module edited after instrumentation is refused when", () => {
  const refusedAs = async (
    bytes: Uint8Array,
    kind: abstract new (...args: never[]) => Error,
  ): Promise<void> => {
    await expect(engine.admit(bytes, all)).rejects.toBeInstanceOf(kind);
  };

  it("an asyncify function, the entry, the stack memory or a global is not exported", async () => {
    await refusedAs(renamed("asyncify_stop_rewind", "asyncify_stop_rewinx"), NotInstrumentedError);
    await refusedAs(renamed("glia_main", "glia_maim"), NotInstrumentedError);
    await refusedAs(renamed("glia.stack", "glia.stuck"), NotInstrumentedError);
    await refusedAs(renamed("glia.global.0", "glia.global.x"), NotInstrumentedError);
  });

  it("its profile is missing, doubled, unknown, of another version or garbage", async () => {
    const plain = module.subarray(0, module.length - (module.length - lastCustomStart()));
    const profile = (text: string): Uint8Array =>
      concat([plain, customSection(PROFILE_SECTION, Buffer.from(text))]);
    await refusedAs(plain, NotInstrumentedError);
    await refusedAs(
      concat([module, customSection(PROFILE_SECTION, Buffer.from("{}"))]),
      NotInstrumentedError,
    );
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      `{"profile":"metered","pipeline":1,"original":"00"}`,
      `{"profile":"cooperative","pipeline":2,"original":"00"}`,
      `{"profile":"cooperative","pipeline":1,"original":"00"}`,
    ])
      await refusedAs(profile(text), NotInstrumentedError);
  });

  function lastCustomStart(): number {
    return readOutline(module).sections.at(-1)?.start ?? 0;
  }

  it("its memory has no maximum, or its tables can hold too much", async () => {
    const memory = Buffer.from("glia.v1\x06memory\x02", "latin1");
    const unbounded = edited(2, (content) => {
      const at = Buffer.from(content).indexOf(memory) + memory.length;
      return concat([content.subarray(0, at), Uint8Array.of(0, 1), content.subarray(at + 3)]);
    });
    await refusedAs(unbounded, UnboundedModuleError);
    await refusedAs(
      edited(4, (content) => Uint8Array.of(...content.subarray(0, 4), 0x81, 0x80, 0x04)),
      UnboundedModuleError,
    );
    await refusedAs(
      edited(4, () => Uint8Array.of(1, 0x70, 0, 1)),
      UnboundedModuleError,
    );
  });

  it("it has a start function", async () => {
    const start = readOutline(module).exports.find(({ name }) => name === "glia.start")?.index ?? 0;
    const parts = readOutline(module).sections.flatMap((range) => {
      const own = module.subarray(range.start, range.end);
      return range.id === 9 ? [section(8, Uint8Array.of(start)), own] : [own];
    });
    await refusedAs(concat([module.subarray(0, 8), ...parts]), UnboundedModuleError);
  });

  it("any byte is damaged: it is refused with a typed error or still runs inside its limits", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
        const bytes = module.slice();
        const at = place % bytes.length;
        bytes[at] = (bytes[at] as number) ^ mask;
        try {
          const program = await engine.admit(bytes, all);
          const one = program.instantiate({ memoryPages: 10 }, new RecordingHost());
          for (let turn = 0, outcome = one.step(); turn < 6 && outcome.kind === "pending"; turn++)
            outcome = one.step({ value: 0 });
          expect(one.memoryBytes).toBeLessThanOrEqual(10 * 65_536);
        } catch (error) {
          expect(isGliaError(error), String(error)).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("it is cut short at any place", async () => {
    for (let length = 0; length < module.length; length += 7) {
      const refusal: unknown = await engine
        .admit(module.subarray(0, length), all)
        .catch((error: unknown) => error);
      expect(isGliaError(refusal), `cut at ${length}: ${String(refusal)}`).toBe(true);
    }
  });
});

describe("features guests may not use are refused by name:", () => {
  const cases: Record<string, string> = {
    "garbage collection": `(module (type $s (struct (field i32))) (func (export "x") (drop (struct.new_default $s))) ${main})`,
    "shared memory": `(module (memory 1 2 shared) ${main})`,
    "64-bit memory or custom page sizes": `(module (memory i64 1 2) ${main})`,
    "more than one memory": `(module (memory $a 1 1) (memory $b 1 1) (func (export "x") (i32.store $b (i32.const 0) (i32.load $a (i32.const 0)))) ${main})`,
    exceptions: `(module (tag $t) (func (export "x") (throw $t)) ${main})`,
    "tail calls": `(module (func $f (export "x") (return_call $f)) ${main})`,
    "a changing table of references that are not functions": `(module (table 1 externref) (func (export "x") (drop (table.grow (ref.null extern) (i32.const 9)))) ${main})`,
    "relaxed SIMD": `(module (func (export "x") (result v128) (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0))) ${main})`,
    "a mutable vector or reference global": `(module (global $g (mut v128) (v128.const i64x2 0 0)) (func (export "x") (global.set $g (v128.const i64x2 1 1))) (func (export "y") (result v128) (global.get $g)) ${main})`,
    "the imported table t": `(module (import "env" "t" (table 1 funcref)) (func (export "x") (call_indirect (i32.const 0))) ${main})`,
    "the imported global g": `(module (import "env" "g" (global i32)) (func (export "x") (result i32) (global.get 0)) ${main})`,
  };
  for (const [feature, text] of Object.entries(cases)) {
    it(feature, async () => {
      const refusal: unknown = await instrument(assemble(text)).catch((error: unknown) => error);
      if (feature === "exceptions") {
        expect(hasErrorCode(refusal, "wasm.unsupported-feature"), String(refusal)).toBe(true);
        return;
      }
      expect(refusal, String(refusal)).toBeInstanceOf(UnsupportedFeatureError);
      expect((refusal as UnsupportedFeatureError).details["feature"]).toBe(feature);
    });
  }

  it("threads", async () => {
    const text = `(module (memory 1 1) (func (export "x") (result i32) (i32.atomic.load (i32.const 0))) ${main})`;
    await expect(instrument(assemble(text))).rejects.toBeInstanceOf(UnsupportedFeatureError);
  });
});

describe("the pipeline", () => {
  it("clamps memory to what is asked and keeps a lower maximum", async () => {
    const outline = async (memory: string, maximumPages: number) =>
      readOutline((await instrument(assemble(`(module ${memory} ${main})`), { maximumPages })).bytes)
        .memories[0];
    expect(await outline("(memory 1)", 50)).toEqual({ minimum: 1, maximum: 50 });
    expect(await outline("(memory 1 5)", 50)).toEqual({ minimum: 1, maximum: 5 });
    expect(await outline(`(import "env" "memory" (memory 2))`, 50)).toEqual({ minimum: 2, maximum: 50 });
    await expect(
      instrument(assemble(`(module (memory 9) ${main})`), { maximumPages: 8 }),
    ).rejects.toBeInstanceOf(UnboundedModuleError);
  });

  it("refuses to instrument a module twice, and one without an entry", async () => {
    await expect(instrument(module)).rejects.toBeInstanceOf(NotInstrumentedError);
    await expect(instrument(assemble("(module)"))).rejects.toBeInstanceOf(NotInstrumentedError);
    await expect(instrument(assemble(`(module (func (export "glia_main")))`))).rejects.toBeInstanceOf(
      ImportMismatchError,
    );
  });

  it("refuses garbage with a typed error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.boolean(), async (bytes, header) => {
        const input = header ? concat([module.subarray(0, 8), bytes]) : bytes;
        const refusal: unknown = await instrument(input).catch((error: unknown) => error);
        expect(isGliaError(refusal), String(refusal)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
