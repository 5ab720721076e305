/** Pre-copy within one process (PS1 to PS5 of source.ts, PT1 to PT4 of target.ts, AV1 and AV2 of arrival.ts). */
import type { StepOutcome } from "@glia-os/abi/ports";
import { describe, expect, it } from "vitest";
import {
  BadLimitError,
  createWasmEngine,
  InstanceEndedError,
  MemoryLimitError,
  NotPendingError,
  PreCopyCorruptError,
  type PreCopyOptions,
  PreCopyOrderError,
  PreCopySource,
  PreCopyTarget,
  SnapshotMismatchError,
  SnapshotVersionError,
  type WasmInstance,
  type WasmProgram,
  wasiPreview1,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { admit, assemble, instance, RecordingHost, SUMMING, u32 } from "./guest.ts";
import { randomFrom } from "./random-module.ts";
import { rewritingProgram } from "./rewriting.ts";

const first = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);

interface End {
  readonly status: number | string;
  readonly fuel: number;
  readonly replies: readonly string[];
}

function endOf(it: WasmInstance, host: RecordingHost, outcome: ReturnType<WasmInstance["step"]>): End {
  const replies = host.replies.map((bytes) => Buffer.from(bytes).toString("hex"));
  return { status: outcome.kind === "finished" ? outcome.status : outcome.kind, fuel: it.fuelUsed, replies };
}

function whole(program: WasmProgram): End {
  const host = new RecordingHost();
  const it = program.instantiate({}, host);
  let outcome = it.step(undefined, 2 ** 40);
  while (outcome.kind === "yielded") outcome = it.step(undefined, 2 ** 40);
  return endOf(it, host, outcome);
}

/** All pieces of one pre-copy, undefined when the guest ended meanwhile; it runs a slice after each piece but the last round's. */
function stream(source: PreCopySource, run: () => boolean): Uint8Array[] | undefined {
  const pieces: Uint8Array[] = [];
  do {
    for (const piece of source.round()) {
      pieces.push(piece);
      if (!run()) return undefined;
    }
  } while (!source.settled);
  return [...pieces, ...source.last()];
}

/** A guest at its first blocking call. */
async function waiting(program: WasmProgram): Promise<WasmInstance> {
  const it = program.instantiate({}, new RecordingHost());
  it.step();
  return it;
}

/** A guest of 8 MiB in the middle of what it does, and the bytes of one pre-copy of it. */
async function travelling(): Promise<{
  readonly program: WasmProgram;
  readonly it: WasmInstance;
  readonly pieces: readonly Uint8Array[];
}> {
  const program = await rewritingProgram(40, 300_000, 60);
  const it = program.instantiate({}, new RecordingHost());
  it.step(undefined, 8_000_000);
  const source = new PreCopySource(it, await program.tracking());
  const pieces = stream(source, () => it.step(undefined, 20_000).kind === "yielded");
  return { program, it, pieces: pieces ?? [] };
}

describe("a guest moved by pre-copy", () => {
  it("ends with the same result and fuel, whenever it is moved and whatever it rewrites meanwhile", {
    timeout: 300_000,
  }, async () => {
    console.log(`seed ${first}`);
    const below = randomFrom(first);
    for (const [pages, working, turns] of [
      [20, 65_536, 60],
      [33, 1_500_000, 12],
      [3, 100, 30_000],
    ] as const) {
      const program = await rewritingProgram(pages, working, turns);
      const expected = whole(program);
      const tracking = await program.tracking();
      let host = new RecordingHost();
      let it = program.instantiate({}, host);
      const most = Math.ceil(expected.fuel / 200);
      let outcome: StepOutcome = { kind: "yielded" };
      const run = (fuel = 1 + below(most)): boolean => {
        outcome = it.step(undefined, fuel);
        return outcome.kind === "yielded";
      };
      let running = run();
      let moves = 0;
      while (running) {
        const source = new PreCopySource(it, tracking, { rounds: 1 + below(4), fewPages: below(3) * 20 });
        const pieces = stream(source, run);
        if (pieces === undefined) break;
        const next = new RecordingHost();
        const target = new PreCopyTarget(program, {}, next);
        for (const piece of pieces) target.push(piece);
        it.dispose();
        it = target.finish();
        host = next;
        moves += 1;
        for (let slices = 1 + below(3); running && slices > 0; slices--) running = run();
      }
      expect(endOf(it, host, outcome)).toEqual(expected);
      expect(moves).toBeGreaterThan(3);
    }
  });

  it("that waits for a message deep in its calls gets it at the other end", async () => {
    const { it: one, program } = await instance(SUMMING);
    one.step();
    one.step({ value: 0, payload: u32(5) });
    const source = new PreCopySource(one, await program.tracking());
    const host = new RecordingHost();
    const target = new PreCopyTarget(program, {}, host);
    for (const piece of source.round()) target.push(piece);
    one.step({ value: 0, payload: u32(6) });
    for (const piece of source.last()) target.push(piece);
    const there = target.finish();
    const { it: other, host: expected } = await instance(SUMMING);
    other.step();
    other.step({ value: 0, payload: u32(5) });
    other.step({ value: 0, payload: u32(6) });
    for (const value of [7, 8])
      expect(there.step({ value: 0, payload: u32(value) })).toEqual(
        other.step({ value: 0, payload: u32(value) }),
      );
    expect(host.replies).toEqual(expected.replies);
  });

  it("takes the state of its host modules along, and keeps what its data segments cover (AV2)", async () => {
    const text = `(module
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory 1) (data (i32.const 0) "\\64\\00\\00\\00\\03\\00\\00\\00") (data (i32.const 100) "zzz")
      (func (export "_start")
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (drop (call $yield))
        (i32.store (i32.const 0) (i32.const 104))
        (drop (call $yield))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (call $exit (i32.sub (i32.load8_u (i32.const 106)) (i32.load8_u (i32.const 100))))))`;
    const stdin = new TextEncoder().encode("abcdef");
    const engine = createWasmEngine({ hostModules: [wasiPreview1({ args: ["x"], stdin })] });
    const { bytes } = await instrument(assemble(text));
    const program = await engine.admit(bytes, ["wasi_snapshot_preview1"]);
    const here = program.instantiate({}, new RecordingHost());
    expect(here.step().kind).toBe("pending");
    const source = new PreCopySource(here, await program.tracking());
    const target = new PreCopyTarget(program, {}, new RecordingHost());
    for (const piece of source.round()) target.push(piece);
    expect(here.step({ value: 0 }).kind).toBe("pending");
    for (const piece of source.last()) target.push(piece);
    here.dispose();
    const outcome = target.finish().step({ value: 0 });
    expect(outcome).toEqual({ kind: "finished", status: 5 });
  });

  it("may grow while it is sent, up to the limits of the destination", async () => {
    const text = `(module (memory 1 40) (func (export "glia_main") (result i32) (local $n i32)
      (loop $l
        (drop (memory.grow (i32.const 1)))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (local.tee $n (i32.add (local.get $n) (i32.const 1))))
        (br_if $l (i32.lt_u (local.get $n) (i32.const 30))))
      (loop $m (br_if $m (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10000))))
      (i32.load (i32.const 2031612))))`;
    const { bytes } = await instrument(assemble(text), { profile: "preemptive" });
    const program = await createWasmEngine().admit(bytes, []);
    const tracking = await program.tracking();
    const moved = (memoryPages: number): WasmInstance => {
      const it = program.instantiate({}, new RecordingHost());
      it.step(undefined, 20);
      const source = new PreCopySource(it, tracking);
      const target = new PreCopyTarget(program, { memoryPages }, new RecordingHost());
      for (const piece of source.round()) target.push(piece);
      while (it.memoryBytes < 31 * 65_536) it.step(undefined, 100);
      for (const piece of source.last()) target.push(piece);
      return target.finish();
    };
    const there = moved(31);
    expect(there.memoryBytes).toBe(31 * 65_536);
    expect(there.step(undefined, 2 ** 40)).toEqual({ kind: "finished", status: 30 });
    expect(() => moved(20)).toThrow(MemoryLimitError);
  });

  it("PS5: that grows in the middle of a round is whole at the other end", async () => {
    // Memory of 17 pages grows past a block of 1 MiB that a frame was begun for, between any two pieces.
    const text = `(module
      (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
      (memory 17 40) (func $wait (drop (call $receive (i32.const 0) (i32.const 8))))
      (func (export "glia_main") (result i32) (local $n i32)
        (i32.store (i32.const 65532) (i32.const 9)) (i32.store (i32.const 1114108) (i32.const 7))
        (call $wait)
        (loop $l
          (drop (memory.grow (i32.const 1)))
          (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 5))
          (call $wait)
          (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 9))))
        (i32.add (i32.load (i32.const 1114108)) (i32.load (i32.const 1179644)))))`;
    const program = await admit(text);
    const pieces = [...new PreCopySource(await waiting(program), await program.tracking()).round()].length;
    for (let grows = 1; grows <= pieces; grows++) {
      const it = await waiting(program);
      const source = new PreCopySource(it, await program.tracking());
      const target = new PreCopyTarget(program, {}, new RecordingHost());
      let at = 0;
      for (const piece of source.round()) {
        target.push(piece);
        if (++at === grows) it.step({ value: 0 });
      }
      for (const piece of source.last()) target.push(piece);
      const there = target.finish();
      expect(there.memoryBytes).toBe(18 * 65_536);
      let outcome = there.step({ value: 0 });
      while (outcome.kind === "pending") outcome = there.step({ value: 0 });
      expect(outcome, `grown after piece ${grows} of ${pieces}`).toEqual({ kind: "finished", status: 12 });
    }
  });

  it("whose pages became zeros has zeros at the other end", async () => {
    const text = `(module
      (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
      (memory 40) (func $wait (drop (call $receive (i32.const 0) (i32.const 8))))
      (func (export "glia_main") (result i32)
        (i64.store (i32.const 70000) (i64.const 77)) (i64.store (i32.const 2000000) (i64.const 78)) (call $wait)
        (i64.store (i32.const 70000) (i64.const 0)) (i64.store (i32.const 2000000) (i64.const 0))
        (i64.store (i32.const 2004096) (i64.const 1)) (call $wait)
        (i32.wrap_i64 (i64.add (i64.load (i32.const 70000)) (i64.load (i32.const 2000000))))))`;
    const program = await admit(text);
    const it = program.instantiate({}, new RecordingHost());
    it.step();
    const source = new PreCopySource(it, await program.tracking());
    const target = new PreCopyTarget(program, {}, new RecordingHost());
    for (const piece of source.round()) target.push(piece);
    it.step({ value: 0 });
    expect(source.dirtyPages).toBe(3);
    for (const piece of source.last()) target.push(piece);
    expect(target.finish().step({ value: 0 })).toEqual({ kind: "finished", status: 0 });
  });
});

describe("the source of a pre-copy", () => {
  it("runs on with the same result in the plain module when it is cancelled, in whatever round", {
    timeout: 120_000,
  }, async () => {
    const program = await rewritingProgram(20, 200_000, 20);
    const expected = whole(program);
    const tracking = await program.tracking();
    for (let pieces = 0; pieces < 12; pieces += 2) {
      const host = new RecordingHost();
      const it = program.instantiate({}, host);
      it.step(undefined, 3_000_000);
      const source = new PreCopySource(it, tracking);
      let left = pieces;
      const run = (round: Iterable<Uint8Array>, slice: boolean): void => {
        for (const _ of round) {
          if (left-- <= 0) return;
          if (slice) it.step(undefined, 10_000);
        }
      };
      run(source.round(), true);
      if (left > 0) run(source.last(), false);
      source.cancel();
      source.cancel();
      expect(() => [...source.round()]).toThrow(PreCopyOrderError);
      let outcome = it.step(undefined, 2 ** 40);
      while (outcome.kind === "yielded") outcome = it.step(undefined, 2 ** 40);
      expect(endOf(it, host, outcome)).toEqual(expected);
    }
  });

  it("stops when few pages are left, when rounds do not make them fewer, and after as many rounds as it was given", async () => {
    const rounds = async (working: number, slice: number, options: PreCopyOptions): Promise<number> => {
      const program = await rewritingProgram(40, working, 10_000);
      const it = program.instantiate({}, new RecordingHost());
      it.step(undefined, 10_000_000);
      const source = new PreCopySource(it, await program.tracking(), options);
      expect(source.settled).toBe(false);
      stream(source, () => it.step(undefined, slice).kind === "yielded");
      return source.rounds;
    };
    expect(await rounds(65_536, 200_000, {})).toBe(2);
    expect(await rounds(2_000_000, 100_000_000, { fewPages: 0 })).toBeLessThan(5);
    expect(await rounds(2_000_000, 40_000, { fewPages: 0, rounds: 1 })).toBe(2);
  });

  it("refuses options out of range, guests that are not suspended, and rounds at the wrong time (PS2)", async () => {
    const { it: one, program } = await instance(SUMMING);
    const tracking = await program.tracking();
    expect(() => new PreCopySource(one, tracking)).toThrow(NotPendingError);
    one.step();
    for (const options of [
      { rounds: 0 },
      { rounds: 64 },
      { rounds: 1.5 },
      { fewPages: -1 },
      { fewPages: 2 ** 21 },
    ])
      expect(() => new PreCopySource(one, tracking, options)).toThrow(BadLimitError);
    const source = new PreCopySource(one, tracking);
    expect(() => [...source.last()]).toThrow(PreCopyOrderError);
    const round = source.round();
    round.next();
    expect(() => [...source.round()]).toThrow(PreCopyOrderError);
    for (const _ of round);
    const last = source.last();
    last.next();
    one.step({ value: 0, payload: u32(1) });
    expect(() => [...last]).toThrow(PreCopyOrderError);
    expect(() => [...source.last()]).toThrow(PreCopyOrderError);
    source.cancel();
    one.dispose();
    expect(() => new PreCopySource(one, tracking)).toThrow(InstanceEndedError);
    source.cancel();
  });

  it("sends no more than 63 rounds before the last", async () => {
    const { it: one, program } = await instance(SUMMING);
    one.step();
    const source = new PreCopySource(one, await program.tracking());
    for (let round = 0; round < 63; round++) for (const _ of source.round());
    expect(() => [...source.round()]).toThrow(PreCopyOrderError);
  });
});

describe("the target of a pre-copy", () => {
  it("takes pieces of any size, and one guest comes out once", async () => {
    const { program, it, pieces } = await travelling();
    const bytes = Buffer.concat(pieces);
    const below = randomFrom(first);
    const target = new PreCopyTarget(program, {}, new RecordingHost());
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + below(below(3) === 0 ? 10 : 200_000);
      expect(target.complete).toBe(false);
      target.push(bytes.subarray(at, next));
      at = next;
    }
    expect(target.complete).toBe(true);
    const there = target.finish();
    expect(there.snapshot()).toEqual(it.snapshot());
    expect(() => target.finish()).toThrow(PreCopyOrderError);
    target.dispose();
    expect(there.step(undefined, 1000).kind).toBe("yielded");
  });

  it("refuses every flipped bit, with a typed error, and hands out nothing (PT3)", {
    timeout: 120_000,
  }, async () => {
    const { it: one, program } = await instance(SUMMING);
    one.step();
    const source = new PreCopySource(one, await program.tracking());
    const pieces = [...source.round()];
    one.step({ value: 0, payload: u32(3) });
    const bytes = Buffer.concat([...pieces, ...source.last()]);
    const refused = [PreCopyCorruptError, SnapshotMismatchError, SnapshotVersionError, MemoryLimitError];
    for (let at = 0; at < bytes.length; at += at < 200 || at > bytes.length - 700 ? 1 : 97) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at & 7));
      const target = new PreCopyTarget(program, {}, new RecordingHost());
      let error: unknown;
      try {
        target.push(damaged);
        target.finish();
      } catch (caught) {
        error = caught;
      }
      expect(
        refused.some((kind) => error instanceof kind),
        `byte ${at}: ${String(error)}`,
      ).toBe(true);
      expect(() => target.finish()).toThrow();
    }
  });

  it("refuses what is cut short, goes on, lacks a piece, has one twice or two in the wrong order", async () => {
    const { program, pieces } = await travelling();
    const tried = (chosen: readonly Uint8Array[]): unknown => {
      const target = new PreCopyTarget(program, {}, new RecordingHost());
      try {
        for (const piece of chosen) target.push(piece);
        target.finish();
      } catch (error) {
        target.dispose();
        return error;
      }
      return undefined;
    };
    expect(tried(pieces)).toBeUndefined();
    expect(tried([...pieces, Uint8Array.of(0)])).toBeInstanceOf(PreCopyCorruptError);
    for (let at = 0; at < pieces.length; at++) {
      expect(tried(pieces.slice(0, at)), `cut at ${at}`).toBeInstanceOf(PreCopyCorruptError);
      expect(tried(pieces.toSpliced(at, 1)), `without ${at}`).toBeInstanceOf(PreCopyCorruptError);
      expect(tried(pieces.toSpliced(at, 0, pieces[at] as Uint8Array)), `twice ${at}`).toBeInstanceOf(
        PreCopyCorruptError,
      );
    }
    for (let at = 1; at < pieces.length; at++) {
      const swapped = pieces.toSpliced(at - 1, 2, pieces[at] as Uint8Array, pieces[at - 1] as Uint8Array);
      expect(tried(swapped), `swapped ${at}`).toBeInstanceOf(PreCopyCorruptError);
    }
  });

  it("refuses sizes over its limits before it sets memory aside, and everything after a refusal (PT1, PT4)", async () => {
    const { program, pieces } = await travelling();
    const small = new PreCopyTarget(program, { memoryPages: 39 }, new RecordingHost());
    expect(() => {
      for (const piece of pieces) small.push(piece);
    }).toThrow(MemoryLimitError);
    expect(() => small.push(pieces[0] as Uint8Array)).toThrow(MemoryLimitError);
    const other = await admit(SUMMING);
    const foreign = new PreCopyTarget(other, {}, new RecordingHost());
    expect(() => foreign.push(pieces[0] as Uint8Array)).toThrow(SnapshotMismatchError);
    const given = new PreCopyTarget(program, {}, new RecordingHost());
    given.push(pieces[0] as Uint8Array);
    given.dispose();
    expect(() => given.push(pieces[1] as Uint8Array)).toThrow(PreCopyOrderError);
    const header = Buffer.from(pieces[0] as Uint8Array);
    header.writeUInt32LE(4097, 5);
    const long = new PreCopyTarget(program, {}, new RecordingHost());
    expect(() => long.push(header)).toThrow(PreCopyCorruptError);
    const wide = Buffer.from(pieces.at(-2) as Uint8Array);
    wide.writeUInt32LE(64 * 1024 * 1024 + 1, 1);
    const state = new PreCopyTarget(program, {}, new RecordingHost());
    for (const piece of pieces.slice(0, -2)) state.push(piece);
    expect(() => state.push(wide.subarray(0, 5))).toThrow(PreCopyCorruptError);
  });
});
