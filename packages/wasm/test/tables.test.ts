/** Tables that change and segments that are read: part of a guest's state, also in the middle of what it does with them. */
import { hasErrorCode } from "@glia-os/abi/errors";
import type { InstanceImage } from "@glia-os/abi/ports";
import { describe, expect, it } from "vitest";
import { checkGuest } from "../src/admission.ts";
import { readOutline } from "../src/binary/outline.ts";
import { SECTION, withEntries, withSections } from "../src/binary/sections.ts";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  NotInstrumentedError,
  type Profile,
  SnapshotMismatchError,
  UnmeteredCodeError,
  UnsupportedFeatureError,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { webAssembly } from "../src/web-assembly.ts";
import { assemble, RecordingHost } from "./guest.ts";
import { randomFrom } from "./random-module.ts";

/**
 * A machine of functions in two tables that rewrites both while it runs: single entries, fills, copies, parts of segments, growth,
 * and null entries it looks for. Every step calls through a table, reads a data segment and may wait.
 */
const SHUFFLING = `(module
  (import "glia.v1" "yield" (func $yield (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory (export "memory") 2 4)
  (type $op (func (param i32) (result i32)))
  (table $t 8 40 funcref) (table $u 6 6 funcref)
  (elem (table $t) (i32.const 1) func $add $twist $add)
  (elem $passive func $twist $add $wait $twist)
  (elem $mixed funcref (ref.func $wait) (ref.null func) (ref.func $add))
  (elem declare func $only)
  (data $words "a segment that is read long after the guest has dropped it, as often as it likes")
  (global $kept funcref (ref.func $held))
  (func $add (type $op) (i32.add (local.get 0) (i32.const 7)))
  (func $twist (type $op) (i32.mul (i32.xor (local.get 0) (i32.const 0x5bd1e995)) (i32.const 31)))
  (func $wait (type $op) (drop (call $yield)) (i32.rotl (local.get 0) (i32.const 5)))
  (func $only (type $op) (i32.sub (local.get 0) (i32.const 3)))
  (func $held (type $op) (i32.xor (local.get 0) (i32.const 0x1234567)))
  (func $apply (param $x i32) (param $at i32) (result i32)
    (local.set $at (i32.rem_u (local.get $at) (table.size $t)))
    (if (ref.is_null (table.get $t (local.get $at))) (then (return (i32.add (local.get $x) (i32.const 1)))))
    (call_indirect $t (type $op) (local.get $x) (local.get $at)))
  (func $change (param $x i32) (local $at i32)
    (local.set $at (i32.rem_u (local.get $x) (i32.const 5)))
    (block $done (block $e (block $d (block $c (block $b (block $a
      (br_table $a $b $c $d $e (i32.rem_u (i32.shr_u (local.get $x) (i32.const 3)) (i32.const 5))))
      (table.set $t (local.get $at) (ref.func $only))
      (table.set $u (local.get $at) (table.get $t (i32.add (local.get $at) (i32.const 2))))
      (br $done))
      (table.fill $t (local.get $at) (global.get $kept) (i32.const 2))
      (table.set $t (i32.add (local.get $at) (i32.const 1)) (ref.null func))
      (br $done))
      (table.init $u $passive (local.get $at) (i32.const 1) (i32.const 1))
      (table.copy $t $u (i32.const 2) (i32.const 0) (i32.const 6))
      (br $done))
      (drop (table.grow $t (ref.func $twist) (i32.const 3)))
      (table.init $t $mixed (i32.const 5) (i32.const 0) (i32.const 3))
      (br $done))
    (table.copy $u $t (i32.const 0) (local.get $at) (i32.const 4))))
  (func (export "glia_main") (result i32) (local $x i32) (local $n i32)
    (local.set $x (i32.const 12345))
    (elem.drop $passive) (data.drop $words) (elem.drop $mixed)
    (loop $l
      (local.set $x (call $apply (local.get $x) (i32.shr_u (local.get $x) (i32.const 7))))
      (call $change (local.get $x))
      (memory.init $words (i32.and (local.get $x) (i32.const 0xffff)) (i32.and (local.get $n) (i32.const 31)) (i32.const 16))
      (local.set $x (i32.add (local.get $x) (i32.load (i32.and (local.get $x) (i32.const 0xfffc)))))
      (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 600))))
    (i32.store (i32.const 0) (local.get $x)) (i32.store (i32.const 4) (table.size $t))
    (drop (call $reply (i32.const 0) (i32.const 8)))
    (i32.const 0)))`;

/** What the same module says in a bare engine; without its drops, which there end what is read later. */
function bare(): string {
  const text = SHUFFLING.replace(/\(elem\.drop \$\w+\)|\(data\.drop \$\w+\)/g, "");
  let memory: { readonly buffer: ArrayBuffer } | undefined;
  let reply = "";
  const host = {
    yield: () => 0,
    reply(pointer: number, length: number) {
      reply = Buffer.from(
        (memory as { buffer: ArrayBuffer }).buffer.slice(pointer, pointer + length),
      ).toString("hex");
      return 0;
    },
  };
  const { exports } = new webAssembly.Instance(new webAssembly.Module(assemble(text)), { "glia.v1": host });
  memory = exports["memory"] as { readonly buffer: ArrayBuffer };
  (exports["glia_main"] as () => number)();
  return reply;
}

async function program(text: string, profile: Profile): Promise<WasmProgram> {
  return createWasmEngine().admit((await instrument(assemble(text), { profile })).bytes, ["glia.v1"]);
}

interface Journey {
  readonly reply: string;
  readonly fuel: number;
  readonly hops: number;
}

/** Runs to the end; wherever the guest stops it may go on from its bytes in another instance. */
function run(of: WasmProgram, slice: () => number | undefined, hop: () => boolean): Journey {
  const host = new RecordingHost();
  let it = of.instantiate({}, host);
  let hops = 0;
  let outcome = it.step(undefined, slice());
  while (outcome.kind === "pending" || outcome.kind === "yielded") {
    const answer = outcome.kind === "pending" ? { value: 0 } : undefined;
    if (hop()) {
      const bytes = Buffer.concat([...encodeSnapshot(it.snapshot(), { compress: false })]);
      it.dispose();
      it = of.restore(decodeSnapshot(bytes), {}, host);
      hops += 1;
    }
    outcome = it.step(answer, slice());
  }
  if (outcome.kind === "failed") throw outcome.error;
  return { reply: Buffer.from(host.replies[0] ?? []).toString("hex"), fuel: it.fuelUsed, hops };
}

const whole = (): undefined => undefined;
const never = (): boolean => false;

describe("a guest that changes its tables", () => {
  it("computes in every profile what it computes alone", async () => {
    const expected = bare();
    for (const profile of ["cooperative", "metered", "preemptive"] as const)
      expect(run(await program(SHUFFLING, profile), whole, never).reply, profile).toBe(expected);
  });

  it("does so over many moves at random moments, with the same fuel", async () => {
    const of = await program(SHUFFLING, "preemptive");
    const stayed = run(of, whole, never);
    for (const seed of [Date.now() % 2 ** 31, 7, 1_000_003]) {
      const below = randomFrom(seed);
      const moved = run(
        of,
        () => 1 + below(900),
        () => below(2) === 0,
      );
      console.log(`seed ${seed}: ${moved.hops} hops`);
      expect({ ...moved, hops: 0 }, `seed ${seed}`).toEqual(stayed);
      expect(moved.hops).toBeGreaterThan(40);
    }
  });

  it("does so also while the pages it writes are marked, in and out of that form at each stop", async () => {
    const of = await program(SHUFFLING, "preemptive");
    const stayed = run(of, whole, never);
    const tracking = await of.tracking();
    const below = randomFrom(Date.now() % 2 ** 31);
    const host = new RecordingHost();
    const it = of.instantiate({}, host);
    let marks: ReturnType<WasmInstance["track"]> | undefined;
    let turns = 0;
    let outcome = it.step(undefined, 1 + below(900));
    while (outcome.kind === "pending" || outcome.kind === "yielded") {
      const answer = outcome.kind === "pending" ? { value: 0 } : undefined;
      if (marks === undefined) marks = it.track(tracking);
      else {
        it.untrack(marks);
        marks = undefined;
      }
      turns += 1;
      outcome = it.step(answer, 1 + below(900));
    }
    expect(outcome.kind).toBe("finished");
    expect(turns).toBeGreaterThan(20);
    expect(Buffer.from(host.replies[0] ?? []).toString("hex")).toBe(stayed.reply);
    expect(it.fuelUsed).toBe(stayed.fuel);
  });

  it("grows them to its share of 65,536 elements and no further", async () => {
    const text = (grow: number): string => `(module (memory 1) (table $t 10 funcref) (table $u 26 26 funcref)
      (func (export "glia_main") (result i32) (table.grow $t (ref.null func) (i32.const ${grow}))))`;
    const status = async (grow: number) =>
      (await program(text(grow), "none")).instantiate({}, new RecordingHost()).step();
    expect(await status(65_536 - 36)).toEqual({ kind: "finished", status: 10 });
    expect(await status(65_536 - 35)).toEqual({ kind: "finished", status: -1 });
  });

  it("starts with the tables of its module, whatever the guest before it did", async () => {
    const of = await program(SHUFFLING, "preemptive");
    const first = of.instantiate({}, new RecordingHost());
    for (let turn = 0; turn < 20; turn++)
      first.step(first.pending === undefined ? undefined : { value: 0 }, 500);
    first.dispose();
    expect(run(of, whole, never)).toEqual(run(await program(SHUFFLING, "preemptive"), whole, never));
  });
});

describe("a snapshot with tables that were not made so is refused:", () => {
  async function stopped(): Promise<{ readonly of: WasmProgram; readonly image: InstanceImage }> {
    const of = await program(SHUFFLING, "preemptive");
    const it: WasmInstance = of.instantiate({}, new RecordingHost());
    expect(it.step(undefined, 300).kind).toBe("yielded");
    return { of, image: it.snapshot() };
  }

  function forged(image: InstanceImage, change: (view: DataView) => void): InstanceImage {
    const tables = (image.sections["tables"] as Uint8Array).slice();
    change(new DataView(tables.buffer));
    return { ...image, sections: { ...image.sections, tables } };
  }

  it("an index that is no function of its tables, a size out of bounds, bytes missing or left over", async () => {
    const { of, image } = await stopped();
    const changes: ((view: DataView) => void)[] = [
      (view) => view.setUint32(4, 7, true),
      (view) => view.setUint32(4, 0xffff_ffff, true),
      (view) => view.setUint32(0, 7, true),
      (view) => view.setUint32(0, 41, true),
      (view) => view.setUint32(0, 9, true),
    ];
    expect(() =>
      of.restore(
        forged(image, () => undefined),
        {},
        new RecordingHost(),
      ),
    ).not.toThrow();
    for (const [index, change] of changes.entries())
      expect(() => of.restore(forged(image, change), {}, new RecordingHost()), `change ${index}`).toThrow(
        SnapshotMismatchError,
      );
    const { tables: whole, ...others } = image.sections;
    const bytes = whole as Uint8Array;
    for (const tables of [bytes.subarray(0, 3), bytes.subarray(4), Buffer.concat([bytes, Buffer.alloc(4)])])
      expect(() =>
        of.restore({ ...image, sections: { ...others, tables } }, {}, new RecordingHost()),
      ).toThrow(SnapshotMismatchError);
    expect(() => of.restore({ ...image, sections: others }, {}, new RecordingHost())).toThrow(
      SnapshotMismatchError,
    );
  });

  it("any functions at all in its tables leave the guest inside its limits", async () => {
    const { of, image } = await stopped();
    const below = randomFrom(99);
    for (let turn = 0; turn < 60; turn++) {
      const one = forged(image, (view) => {
        for (let at = 4; at < 4 * 9; at += 4) view.setUint32(at, below(6), true);
      });
      const it = of.restore(one, { fuel: 3_000_000 }, new RecordingHost());
      let outcome = it.step(undefined, 20_000);
      while (outcome.kind === "pending" || outcome.kind === "yielded")
        outcome = it.step(outcome.kind === "pending" ? { value: 0 } : undefined, 20_000);
      expect(["finished", "failed"]).toContain(outcome.kind);
    }
  });
});

describe("admission refuses a module whose tables could not be written:", () => {
  it("with a list of functions that is shorter, another or not there", async () => {
    const { bytes } = await instrument(assemble(SHUFFLING), { profile: "preemptive" });
    const outline = readOutline(bytes);
    expect(checkGuest(bytes).tables.map(({ exportName }) => exportName)).toEqual([
      "glia.table.0",
      "glia.table.1",
    ]);
    const elements = outline.sections.find(({ id }) => id === SECTION.elements);
    const content = bytes.slice(elements?.body, elements?.end);
    const last = content.length - 1;
    const other = content.map((byte, at) => (at === last ? (content[last - 1] as number) : byte));
    const renamed = Buffer.from(
      Buffer.from(bytes).toString("latin1").replace("glia.functions", "glia.fumctions"),
      "latin1",
    );
    const unexported = Buffer.from(
      Buffer.from(bytes).toString("latin1").replace("glia.table.1", "glia.table.9"),
      "latin1",
    );
    // A second segment for the same table: it is not the one list any more.
    const table = outline.tables.length - 1;
    const twice = withEntries(bytes, outline, SECTION.elements, [[2, table, 0x41, 0, 0x0b, 0, 1, 0]]);
    for (const module of [
      withSections(bytes, outline, new Map([[SECTION.elements, other]])),
      withSections(bytes, outline, new Map([[SECTION.elements, twice]])),
      renamed,
      unexported,
    ])
      expect(() => checkGuest(Uint8Array.from(module))).toThrow(NotInstrumentedError);
  });

  it("that fills a table in bulk without a bound", async () => {
    const { bytes } = await instrument(assemble(SHUFFLING), { profile: "metered" });
    // The last bound before a table.fill: 65,536 becomes 81,920.
    const code = Buffer.from(bytes);
    const at = code.indexOf(Buffer.of(0xfc, 17));
    expect(at).toBeGreaterThan(0);
    const bound = code.lastIndexOf(Buffer.of(0x80, 0x80, 0x04), at);
    code[bound + 2] = 0x05;
    expect(() => checkGuest(Uint8Array.from(code))).toThrow(UnmeteredCodeError);
  });

  it("of references that are no functions, and references that a waiting call would hold", async () => {
    const main = `(func (export "glia_main") (result i32) (i32.const 0))`;
    const externs = `(module (table 1 1 externref) (func (export "x") (table.set (i32.const 0) (ref.null extern))) ${main})`;
    const held = `(module (import "glia.v1" "yield" (func $yield (result i32))) (memory 1) (table $t 2 2 funcref) (elem (i32.const 0) $x)
      (func $x (param funcref) (drop (call $yield)) (table.set $t (i32.const 1) (local.get 0)))
      (func (export "glia_main") (result i32) (call $x (ref.func $x)) (call $x (ref.null func)) (i32.const 0)))`;
    for (const text of [externs, held]) {
      const refusal: unknown = await instrument(assemble(text)).catch((error: unknown) => error);
      expect(refusal, String(refusal)).toBeInstanceOf(UnsupportedFeatureError);
    }
    // The compiler is none the worse for it.
    expect(run(await program(SHUFFLING, "cooperative"), whole, never).reply).toBe(bare());
  });
});

describe("memory.init", () => {
  const LONG = 200_000;
  const text = (operation: string): string => `(module
    (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
    (memory 9 9) (data $long "${"0123456789abcdef!".repeat(LONG / 10).slice(0, LONG)}")
    (func (export "glia_main") (result i32) (local $n i32)
      (local.set $n (memory.size))
      ${operation}
      (drop (call $reply (i32.const 0) (i32.const 589824))) (i32.const 0)))`;

  it("of a long segment yields between its pieces and writes what the one instruction does", async () => {
    const operation =
      "(memory.init $long (i32.const 70001) (i32.const 3) (i32.mul (local.get $n) (i32.const 20000)))";
    const replies: Buffer[] = [];
    for (const profile of ["cooperative", "preemptive"] as const) {
      const host = new RecordingHost();
      const it = (await program(text(operation), profile)).instantiate({}, host);
      let yields = 0;
      for (let outcome = it.step(undefined, 60_000); outcome.kind === "yielded"; yields++)
        outcome = it.step(undefined, 60_000);
      replies.push(Buffer.from(host.replies[0] ?? []));
      if (profile === "preemptive") {
        expect(yields).toBeGreaterThan(0);
        expect(it.fuelUsed).toBeGreaterThan(180_000);
      }
    }
    expect(replies[0]?.subarray(70_001, 70_004).toString()).toBe("345");
    expect(replies[1]?.equals(replies[0] as Buffer)).toBe(true);
  });

  it("past the end of a segment or of memory writes nothing and traps, long or short", async () => {
    for (const operands of [
      `(i32.const 0) (i32.const 1) (i32.mul (local.get $n) (i32.const 22223))`,
      `(i32.const 589000) (i32.const 0) (i32.mul (local.get $n) (i32.const 20000))`,
      `(i32.const 0) (i32.const ${LONG - 2}) (i32.const 3)`,
    ])
      for (const profile of ["cooperative", "metered"] as const) {
        const of = await program(text(`(memory.init $long ${operands})`), profile);
        const it = of.instantiate({}, new RecordingHost());
        const outcome = it.step();
        expect(outcome.kind === "failed" && hasErrorCode(outcome.error, "wasm.guest-trapped")).toBe(true);
        expect(new Uint8Array(it.memory.buffer).every((byte) => byte === 0)).toBe(true);
      }
  });
});

describe("bulk operations on tables", () => {
  it("cost eight units an entry and yield, also many in a row", async () => {
    const fill = "(table.fill $t (i32.const 0) (ref.func $f) (i32.const 60000))";
    const text = `(module (memory 1) (table $t 60000 60000 funcref) (func $f)
      (elem declare func $f) (func (export "glia_main") (result i32) ${fill.repeat(5)} (i32.const 3)))`;
    const it = (await program(text, "preemptive")).instantiate({}, new RecordingHost());
    for (let turn = 0; turn < 5; turn++) expect(it.step(undefined, 100_000)).toEqual({ kind: "yielded" });
    expect(it.step(undefined, 100_000)).toEqual({ kind: "finished", status: 3 });
    expect(it.fuelUsed).toBeGreaterThan(5 * 60_000 * 8);
    expect(it.fuelUsed).toBeLessThan(5 * 60_000 * 8 + 200);
  });
});
