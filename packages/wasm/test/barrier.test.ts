/**
 * The write barrier: modules that mark the pages they write (MW1 to MW4 of mark-writes.ts, TR1 and TR2 of tracking.ts).
 *
 * `GLIA_WASM_SEEDS` sets how many random modules are tried, `GLIA_WASM_SEED` the first seed.
 */
import type { HostModule } from "@glia-os/abi/ports";
import { describe, expect, it } from "vitest";
import { markWrites } from "../src/barrier/mark-writes.ts";
import {
  AlreadyTrackedError,
  createWasmEngine,
  type DirtyMarks,
  decodeSnapshot,
  encodeSnapshot,
  NotInstrumentedError,
  NotPendingError,
  PreCopySource,
  type Profile,
  SnapshotMismatchError,
  UnsupportedFeatureError,
  type WasmInstance,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { webAssembly } from "../src/web-assembly.ts";
import { admit, assemble, guest, instance, RecordingHost, SUMMING, u32 } from "./guest.ts";
import { randomFrom, randomModule } from "./random-module.ts";

const PAGE = 4096;
const first = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);
const count = Number(process.env["GLIA_WASM_SEEDS"] ?? (process.env["GLIA_SOAK"] === "1" ? 300 : 10));

/** Waits, does `body`, waits. */
const between = (body: string, memory = "(memory 3 5)"): string => `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "random" (func $random (param i32 i32) (result i32)))
  ${memory} (data $text "some text that is longer than nothing")
  (func $wait (drop (call $receive (i32.const 131072) (i32.const 8192))))
  (func (export "glia_main") (result i32) (call $wait) ${body} (call $wait) (i32.const 0)))`;

/** The pages that are marked after the body ran. */
async function marksOf(body: string, payload = new Uint8Array(), memory?: string): Promise<number[]> {
  const program = await admit(between(body, memory));
  const it = program.instantiate({}, new RecordingHost());
  it.step();
  const marks = it.track(await program.tracking());
  const outcome = it.step({ value: 0, payload });
  expect(outcome.kind).toBe("pending");
  const pages: number[] = [];
  for (let page = marks.next(0); page >= 0; page = marks.next(page + 1)) pages.push(page);
  expect(marks.count).toBe(pages.length);
  return pages;
}

describe("a tracked guest marks", () => {
  it.each([
    ["(i32.store (i32.const 8192) (i32.const 1))", [2]],
    ["(i32.store offset=4096 (i32.const 4092) (i32.const 1))", [1]],
    ["(i32.store offset=4096 (i32.const 4093) (i32.const 1))", [1, 2]],
    ["(i32.store8 (i32.const 4095) (i32.const 1))", [0]],
    ["(i32.store16 (i32.const 4095) (i32.const 1))", [0, 1]],
    ["(i64.store8 (i32.const 4095) (i64.const 1))", [0]],
    ["(i64.store16 (i32.const 4095) (i64.const 1))", [0, 1]],
    ["(i64.store32 (i32.const 4093) (i64.const 1))", [0, 1]],
    ["(i64.store (i32.const 4089) (i64.const 1))", [0, 1]],
    ["(i64.store (i32.const 4088) (i64.const 1))", [0]],
    ["(f32.store (i32.const 4093) (f32.const 1))", [0, 1]],
    ["(f64.store (i32.const 4089) (f64.const 1))", [0, 1]],
    ["(v128.store (i32.const 4081) (v128.const i64x2 1 2))", [0, 1]],
    ["(v128.store8_lane 0 (i32.const 4095) (v128.const i64x2 1 2))", [0]],
    ["(v128.store16_lane 0 (i32.const 4095) (v128.const i64x2 1 2))", [0, 1]],
    ["(v128.store32_lane 0 (i32.const 4093) (v128.const i64x2 1 2))", [0, 1]],
    ["(v128.store64_lane 1 (i32.const 4089) (v128.const i64x2 1 2))", [0, 1]],
    ["(memory.fill (i32.const 4095) (i32.const 1) (i32.const 4098))", [0, 1, 2]],
    ["(memory.fill (i32.const 4096) (i32.const 1) (i32.const 0))", []],
    ["(memory.copy (i32.const 20480) (i32.const 0) (i32.const 4097))", [5, 6]],
    ["(memory.init $text (i32.const 4090) (i32.const 0) (i32.const 10))", [0, 1]],
    ["(drop (i32.load (i32.const 0)))", []],
    ["(drop (call $random (i32.const 12287) (i32.const 2)))", [2, 3]],
    ["(drop (memory.grow (i32.const 1))) (i32.store (i32.const 262140) (i32.const 1))", [63]],
  ])("%s: the pages %j", async (body, pages) => {
    expect(await marksOf(body)).toEqual(pages);
  });

  it("a page that the host writes its message into", async () => {
    expect(await marksOf("", new Uint8Array(4097).fill(1))).toEqual([32, 33]);
  });

  it("what a host module writes", async () => {
    const module: HostModule = {
      name: "stamp.v1",
      version: 1,
      functions: { stamp: { params: ["i32"], result: "i32" } },
      open: (access) => ({
        calls: {
          stamp(at) {
            access.memory.reads(0, 8192);
            access.memory.writes(Number(at), 8)?.fill(7);
            return 0;
          },
        },
        save: () => new Uint8Array(),
      }),
    };
    const text = between("(drop (call $stamp (i32.const 16380)))").replace(
      "(module",
      `(module (import "stamp.v1" "stamp" (func $stamp (param i32) (result i32)))`,
    );
    const program = await admit(text, [module]);
    const it = program.instantiate({}, new RecordingHost());
    it.step();
    const marks = it.track(await program.tracking());
    it.step({ value: 0 });
    expect([marks.next(0), marks.next(4), marks.count]).toEqual([3, 4, 2]);
  });
});

interface Run {
  readonly outcome: unknown;
  readonly reply: string;
  readonly fuel: number;
  readonly swaps: number;
}

/** Runs to the end in random slices. With `change`, at random stops writes are tracked or not, and checked against memory. */
async function run(program: WasmProgram, seed: number, most: number, change: boolean): Promise<Run> {
  const below = randomFrom(seed);
  const host = new RecordingHost();
  const tracking = await program.tracking();
  let it: WasmInstance = program.instantiate({}, host);
  let marks: DirtyMarks | undefined;
  let swaps = 0;
  let outcome = it.step(undefined, 1 + below(most));
  while (outcome.kind === "pending" || outcome.kind === "yielded") {
    const what = change ? below(4) : 0;
    if (what === 3) {
      const bytes = Buffer.concat([...encodeSnapshot(it.snapshot(), { compress: false })]);
      it.dispose();
      it = program.restore(decodeSnapshot(bytes), {}, host);
    }
    if (what > 0 && marks !== undefined) it.untrack(marks);
    if (what === 1) marks = it.track(tracking);
    else if (what > 1) marks = undefined;
    swaps += what > 0 ? 1 : 0;
    const here = marks;
    const before = new Uint8Array(it.memory.buffer).slice();
    const answer = outcome.kind === "pending" ? { value: 0 } : undefined;
    outcome = it.step(answer, 1 + below(most));
    if (here !== undefined)
      requireMarked(before, new Uint8Array(it.memory.buffer), (page) => here.next(page) === page);
  }
  const reply = Buffer.from(host.replies[0] ?? []).toString("hex");
  const end = outcome.kind === "finished" ? outcome.status : "failed";
  return { outcome: end, reply, fuel: it.fuelUsed, swaps };
}

function requireMarked(before: Uint8Array, after: Uint8Array, isMarked: (page: number) => boolean): void {
  for (let at = 0; at < after.length; at += PAGE) {
    const was = at < before.length ? before.subarray(at, at + PAGE) : new Uint8Array(PAGE);
    if (Buffer.compare(was, after.subarray(at, at + PAGE)) !== 0)
      expect(isMarked(at / PAGE), `page ${at / PAGE} was written`).toBe(true);
  }
}

describe("a guest that changes between the plain and the tracked module in the middle of what it does", () => {
  it.each([
    ["cooperative", 0],
    ["preemptive", count],
  ] as const)(
    "ends with the same result and fuel, and no write goes unmarked: random modules, %s",
    { timeout: 600_000 },
    async (profile: Profile, least: number) => {
      let swaps = 0;
      for (let seed = first; seed < first + count; seed++) {
        const { bytes } = await instrument(assemble(randomModule(seed)), { profile });
        const program = await createWasmEngine().admit(bytes, ["glia.v1"]);
        const plain = await run(program, seed, 2 ** 40, false);
        const most = 1 + Math.ceil(plain.fuel / 12);
        const changing = await run(program, seed, most, true);
        expect({ ...changing, swaps: 0 }, `seed ${seed}`).toEqual({ ...plain, swaps: 0 });
        swaps += changing.swaps;
      }
      console.log(`seeds ${first} to ${first + count - 1}: ${swaps} swaps`);
      expect(swaps).toBeGreaterThanOrEqual(least);
    },
  );

  it("keeps memory that its data segments cover, globals and frames deep in a recursion", async () => {
    const { it: one, host, program } = await instance(SUMMING);
    const tracking = await program.tracking();
    let marks: DirtyMarks | undefined;
    let outcome = one.step();
    for (let value = 1; outcome.kind === "pending"; value++) {
      if (value % 2 === 1) marks = one.track(tracking);
      else if (marks !== undefined) one.untrack(marks);
      outcome = one.step({ value: 0, payload: u32(value * 10) });
    }
    const { it: other, host: expected } = await instance(SUMMING);
    let reference = other.step();
    for (let value = 1; reference.kind === "pending"; value++)
      reference = other.step({ value: 0, payload: u32(value * 10) });
    expect(outcome).toEqual(reference);
    expect(host.replies).toEqual(expected.replies);
  });

  it("leaves its body to the next guest as it was without marks", async () => {
    const { it: one, program } = await instance(SUMMING);
    one.step();
    const fresh = one.snapshot().sections;
    one.track(await program.tracking());
    one.step({ value: 0, payload: u32(99) });
    one.dispose();
    const next = program.instantiate({}, new RecordingHost());
    next.step();
    expect(next.snapshot().sections).toEqual(fresh);
  });
});

describe("tracking", () => {
  it("is refused to a guest that is not suspended, to one that is tracked already, and to one of another program", async () => {
    const { it: one, program } = await instance(SUMMING);
    const tracking = await program.tracking();
    expect(() => one.track(tracking)).toThrow(NotPendingError);
    one.step();
    const marks = one.track(tracking);
    expect(() => one.track(tracking)).toThrow(AlreadyTrackedError);
    expect(() => new PreCopySource(one, tracking)).toThrow(AlreadyTrackedError);
    one.untrack(marks);
    const others = one.track(tracking);
    one.untrack(marks);
    expect(() => one.track(tracking)).toThrow(AlreadyTrackedError);
    one.untrack(others);
    const other = await admit(between("(nop)"));
    const foreign = await other.tracking();
    expect(() => one.track(foreign)).toThrow(SnapshotMismatchError);
    expect(one.step({ value: 0, payload: u32(1) }).kind).toBe("pending");
  });

  it("is refused for the profile none and for a module that has an export of that name", async () => {
    const text = `(module (memory 1) (func (export "glia_main") (result i32) (i32.const 0)))`;
    const { bytes } = await instrument(assemble(text), { profile: "none" });
    const none = await createWasmEngine().admit(bytes, []);
    await expect(none.tracking()).rejects.toThrow(NotInstrumentedError);
    const named = await admit(text.replace("(memory 1)", `(memory (export "glia.dirty") 1)`));
    await expect(named.tracking()).rejects.toThrow(UnsupportedFeatureError);
  });

  it("makes the same bytes every time, valid ones, which admission refuses from outside (TR1, MW4)", async () => {
    const plain = await guest(SUMMING);
    const tracked = markWrites(plain);
    expect(tracked).toEqual(markWrites(plain));
    expect(webAssembly.validate(tracked)).toBe(true);
    await expect(createWasmEngine().admit(tracked, ["glia.v1"])).rejects.toThrow(NotInstrumentedError);
  });

  it("gives a valid module for the largest memory there is", async () => {
    const wide = await instrument(assemble(between("(nop)", "(memory 3 65536)")), { maximumPages: 65_536 });
    expect(webAssembly.validate(markWrites(wide.bytes))).toBe(true);
  });
});
