/**
 * Guests that mean harm, beside guests that want answers: the process stays up, the others get their turns, and each hostile guest
 * ends by its own limit or not at all. Turns and fuel are counted; how long answers take is measured by `pnpm bench wasm-host`.
 */
import { hasErrorCode, isGliaError } from "@glia-os/abi/errors";
import { beforeAll, describe, expect, it } from "vitest";
import { createWasmEngine, encodeSnapshot, UnsupportedFeatureError, type WasmProgram } from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { createGuestPool } from "../src/pool/index.ts";
import { assemble, u32 } from "./guest.ts";
import { GUESTS, hosted, Recorded } from "./hosted.ts";

const MIB = 1024 * 1024;
const PAGE = 65_536;

/** Fills 16 MiB at a time, each time with another byte. */
const BIG_FILL = `(module (memory 256 256) (func (export "glia_main") (result i32) (local $byte i32)
  (loop $again
    (memory.fill (i32.const 0) (local.tee $byte (i32.add (local.get $byte) (i32.const 1))) (i32.const ${16 * MIB}))
    (br $again)) (unreachable)))`;
/** Copies 8 MiB to and fro. */
const BIG_COPY = `(module (memory 256 256) (func (export "glia_main") (result i32)
  (loop $again
    (memory.copy (i32.const ${8 * MIB}) (i32.const 0) (i32.const ${8 * MIB}))
    (br $again)) (unreachable)))`;
/** Takes all the memory it may have, then writes to all of it without end. */
const MEMORY_BOMB = `(module (memory 1) (func (export "glia_main") (result i32) (local $at i32)
  (loop $grow (br_if $grow (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
  (loop $write
    (i32.store (i32.rem_u (local.get $at) (i32.mul (memory.size) (i32.const 65532))) (i32.const -1))
    (local.set $at (i32.add (local.get $at) (i32.const 4096)))
    (br $write)) (unreachable)))`;
/** Calls itself through a table, with a loop in every call. */
const INDIRECT = `(module (memory 1 1) (type $f (func (param i32) (result i32))) (table 1 1 funcref) (elem (i32.const 0) $down)
  (func $down (type $f) (loop $l (br_if $l (i32.load (i32.const 0))))
    (i32.add (i32.const 1) (call_indirect (type $f) (local.get 0) (i32.const 0))))
  (func (export "glia_main") (result i32) (call $down (i32.const 1))))`;
/** Goes down as deep as the u32 it receives, yielding at every level, and replies with the sum of the levels. */
const DESCENT = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory 1 1)
  (func $down (param $n i32) (result i32) (local $i i32)
    (if (i32.eqz (local.get $n)) (then
      (loop $stay (br_if $stay (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20000))))
      (return (i32.const 0))))
    (i32.add (local.get $n) (call $down (i32.sub (local.get $n) (i32.const 1)))))
  (func (export "glia_main") (result i32)
    (drop (call $receive (i32.const 0) (i32.const 4)))
    (i32.store (i32.const 0) (call $down (i32.load (i32.const 0))))
    (drop (call $reply (i32.const 0) (i32.const 4)))
    (i32.const 0)))`;

const REFUSED: readonly (readonly [what: string, text: string])[] = [
  [
    "garbage collection",
    `(module (type $s (struct (field i32))) (func (export "glia_main") (result i32) (struct.get $s 0 (struct.new $s (i32.const 1)))))`,
  ],
  [
    "an exception handler that swallows what stops it",
    `(module (import "glia.v1" "yield" (func $y (result i32))) (func (export "glia_main") (result i32)
    (loop $l (try (do (drop (call $y))) (catch_all)) (br $l)) (i32.const 0)))`,
  ],
  [
    "shared memory",
    `(module (memory 1 2 shared) (func (export "glia_main") (result i32) (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))`,
  ],
];

async function preemptive(text: string): Promise<WasmProgram> {
  const { bytes } = await instrument(assemble(text), { profile: "preemptive" });
  return createWasmEngine().admit(bytes, ["glia.v1"]);
}

let echo: WasmProgram;
const hostile = new Map<string, WasmProgram>();

beforeAll(async () => {
  echo = await hosted("echo");
  for (const name of ["spin", "chatty", "greedy", "deep", "filling", "wordy", "hungry"] as const)
    hostile.set(name, await hosted(name));
  for (const [name, text] of Object.entries({ BIG_FILL, BIG_COPY, MEMORY_BOMB, INDIRECT }))
    hostile.set(name, await preemptive(text));
});

describe("hostile guests", () => {
  it.each([
    "spin",
    "chatty",
    "greedy",
    "deep",
    "filling",
    "wordy",
    "hungry",
    "BIG_FILL",
    "BIG_COPY",
    "MEMORY_BOMB",
    "INDIRECT",
  ])(
    "ten of %s leave one that answers every turn that is due to it, and end by their limits only",
    (name) => {
      const run = new Recorded({ sliceFuel: 200_000 });
      const limits = { memoryPages: 300, logBytes: 4096 };
      for (let one = 0; one < 10; one++) run.scheduler.spawn(hostile.get(name) as WasmProgram, { limits });
      const asked = run.scheduler.spawn(echo);
      run.settle(22);
      for (let token = 1; token <= 10; token++) {
        run.scheduler.post(asked, u32(token), token);
        run.settle(22);
        expect(run.replies.at(-1)).toEqual({ guest: asked, token, payload: u32(token) });
      }
      for (const end of run.ended.values())
        if (end.kind === "failed") expect(hasErrorCode(end.error, "wasm.stack-exhausted")).toBe(true);
    },
  );

  it("all kinds at once, with little room for live guests, leave those that answer their turns", () => {
    const run = new Recorded({ sliceFuel: 100_000, liveGuests: 12 });
    for (let round = 0; round < 3; round++)
      for (const program of hostile.values())
        run.scheduler.spawn(program, { limits: { memoryPages: 40, logBytes: 1000 } });
    const asked = Array.from({ length: 5 }, () => run.scheduler.spawn(echo));
    const round = 2 * (3 * hostile.size + asked.length);
    for (let token = 1; token <= 4; token++) {
      for (const guest of asked) run.scheduler.post(guest, u32(token), token);
      run.settle(round);
      expect(run.replies.filter((reply) => reply.token === token)).toHaveLength(asked.length);
    }
    for (const end of run.ended.values()) expect(end.kind === "finished" || end.kind === "failed").toBe(true);
  }, 120_000);

  it("cannot hold a turn with one huge memory.fill: it is stopped inside of it, charged by length", () => {
    const run = new Recorded({ sliceFuel: MIB });
    const guest = run.scheduler.spawn(hostile.get("BIG_FILL") as WasmProgram);
    const filled = (): number => {
      const memory = run.scheduler.image(guest).sections["memory"] as Uint8Array;
      const end = memory.findIndex((byte) => byte !== memory[0]);
      return memory[0] === 0 ? 0 : end < 0 ? memory.length : end;
    };
    const seen: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      run.settle(1);
      seen.push(filled());
    }
    for (let turn = 1; turn < seen.length; turn++) {
      const step = (seen[turn] as number) - (seen[turn - 1] as number);
      expect(step).toBeGreaterThan(0);
      expect(step).toBeLessThanOrEqual(MIB + PAGE);
    }
  });

  it("never get memory over their limit, also not between two slices", () => {
    const run = new Recorded({ sliceFuel: 5_000 });
    const guest = run.scheduler.spawn(hostile.get("MEMORY_BOMB") as WasmProgram, {
      limits: { memoryPages: 9 },
    });
    for (let turn = 0; turn < 50; turn++) {
      run.settle(1);
      expect((run.scheduler.image(guest).sections["memory"] as Uint8Array).length).toBeLessThanOrEqual(
        9 * PAGE,
      );
    }
  });

  it("do not get in with a table that grows without bound, or do not get it to grow", async () => {
    const text = `(module (table $t 1 funcref) (func (export "glia_main") (result i32)
      (table.grow $t (ref.null func) (i32.const 9900000))))`;
    const admitted = await preemptive(text).catch((error: unknown) => error);
    if (isGliaError(admitted)) return;
    const run = new Recorded();
    const guest = run.scheduler.spawn(admitted as WasmProgram);
    run.settle(5);
    expect(run.ended.get(guest)).toEqual({ kind: "finished", status: -1 });
  });

  it.each(REFUSED)("with %s do not get in", async (_, text) => {
    await expect(instrument(assemble(text), { profile: "preemptive" })).rejects.toThrow();
    await expect(createWasmEngine().admit(assemble(text), ["glia.v1"])).rejects.toSatisfy(
      (error: unknown) =>
        error instanceof UnsupportedFeatureError ||
        hasErrorCode(error, "wasm.unbounded-module") ||
        hasErrorCode(error, "wasm.not-instrumented"),
    );
  });
});

describe("a guest that is deep in its calls when it is stopped", () => {
  const DEPTHS = [10, 1_000, 5_000, 10_000, 20_000, 100_000];
  let program: WasmProgram;
  let bytes: Uint8Array;

  beforeAll(async () => {
    bytes = (await instrument(assemble(DESCENT), { profile: "preemptive" })).bytes;
    program = await createWasmEngine().admit(bytes, ["glia.v1"]);
  });

  const sum = (depth: number): Uint8Array => u32((depth * (depth + 1)) / 2);

  it("goes on where it was, or fails alone with wasm.stack-exhausted, when it is put away after every slice", () => {
    const answered = DEPTHS.map((depth) => {
      const run = new Recorded({ sliceFuel: 5_000, liveGuests: 1 });
      const guest = run.scheduler.spawn(program);
      const beside = run.scheduler.spawn(echo);
      run.settle();
      run.scheduler.post(guest, u32(depth), 1);
      for (let turn = 0; turn < 2_000 && !run.ended.has(guest); turn++) {
        run.scheduler.post(beside, u32(2), 2);
        run.settle(2);
      }
      expect(run.replies.filter(({ token }) => token === 2).length).toBeGreaterThan(0);
      const reply = run.replies.find(({ token }) => token === 1);
      if (reply === undefined) expect(hasErrorCode(run.failure(guest), "wasm.stack-exhausted")).toBe(true);
      else expect(reply.payload).toEqual(sum(depth));
      return reply !== undefined;
    });
    expect(answered[0]).toBe(true);
    expect(answered[1]).toBe(true);
    expect(answered.at(-1)).toBe(false);
    expect(answered.toSorted().toReversed()).toEqual(answered);
  });

  it("does so too when it moves from the main thread to a thread of a pool in the middle of its descent", async () => {
    const pool = createGuestPool({ workers: 1 });
    try {
      await pool.admit("descent", bytes, ["glia.v1"]);
      for (const depth of DEPTHS) {
        const run = new Recorded({ sliceFuel: 5_000 });
        const guest = run.scheduler.spawn(program);
        run.settle();
        run.scheduler.post(guest, u32(depth), 1);
        run.settle(3);
        if (run.ended.has(guest)) continue;
        const snapshot = Buffer.concat([...encodeSnapshot(run.scheduler.image(guest))]);
        await pool.restore("descent", snapshot);
      }
      await pool.admit("echo", await echoBytes(), ["glia.v1"]);
      const beside = await pool.spawn("echo");
      expect(await pool.ask(beside, u32(7))).toEqual(u32(7));
      while (pool.size > 1) await pool.ask(beside, u32(8));
    } finally {
      await pool.close();
    }
  });
});

async function echoBytes(): Promise<Uint8Array> {
  return (await instrument(assemble(GUESTS.echo), { profile: "preemptive" })).bytes;
}
