/** Copies that follow a guest (GC1 to GC3 of guest-copy.ts). */
import type { InstanceImage } from "@glia-os/abi/ports";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  checkpointOf,
  createWasmEngine,
  GuestCopy,
  InstanceEndedError,
  NotPendingError,
  SnapshotMismatchError,
  type WasmProgram,
} from "../src/index.ts";
import { instrument } from "../src/pipeline/index.ts";
import { assemble, RecordingHost, u32 } from "./guest.ts";
import { GUESTS } from "./hosted.ts";

/**
 * For each message (u32) it writes the number to that address of its memory, grows when it is odd, fills a range, and waits at a
 * depth that depends on it.
 */
const WRITER = `(module
  (import "glia.v1" "receive" (func $receive (param i32 i32) (result i32)))
  (import "glia.v1" "reply" (func $reply (param i32 i32) (result i32)))
  (memory 16 20) (global $sum (mut i64) (i64.const 1))
  (func $at (param $depth i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (return (call $receive (i32.const 16) (i32.const 4)))))
    (i32.add (call $at (i32.sub (local.get $depth) (i32.const 1))) (i32.const 0)))
  (func (export "glia_main") (result i32) (local $n i32)
    (loop $again
      (drop (call $at (i32.and (local.get $n) (i32.const 7))))
      (local.set $n (i32.load (i32.const 16)))
      (i32.store (local.get $n) (local.get $n))
      (if (i32.and (local.get $n) (i32.const 1)) (then (drop (memory.grow (i32.const 1)))))
      (memory.fill (i32.add (local.get $n) (i32.const 30000)) (local.get $n) (i32.const 9000))
      (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 31)) (i64.extend_i32_u (local.get $n))))
      (i64.store (i32.const 32) (global.get $sum))
      (drop (call $reply (i32.const 32) (i32.const 8)))
      (br $again)) (unreachable)))`;

let program: WasmProgram;
let other: WasmProgram;

beforeAll(async () => {
  const admit = async (text: string): Promise<WasmProgram> =>
    createWasmEngine().admit((await instrument(assemble(text), { profile: "preemptive" })).bytes, [
      "glia.v1",
    ]);
  program = await admit(WRITER);
  other = await admit(GUESTS.echo);
});

/** One name for a state: SHA-256 over all of it. Comparing a mebibyte element by element takes seconds. */
const named = (image: InstanceImage): string => checkpointOf(image).id;

const message = fc.integer({ min: 64, max: 900_000 });

describe("a copy that follows a guest", () => {
  it("is the guest's state after every step, and a guest restored from it goes on as the guest does (GC1)", async () => {
    const tracking = await program.tracking();
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), message, (messages, last) => {
        const [host, later] = [new RecordingHost(), new RecordingHost()];
        const one = program.instantiate({}, host);
        one.step();
        const copy = new GuestCopy(one, tracking);
        for (const value of messages) {
          one.step({ value: 4, payload: u32(value) });
          copy.follow();
          expect(named(copy.image())).toBe(named(one.snapshot()));
        }
        const again = program.restore(copy.image(), {}, later);
        one.step({ value: 4, payload: u32(last) });
        again.step({ value: 4, payload: u32(last) });
        expect(later.replies[0]).toEqual(host.replies.at(-1));
        expect(named(again.snapshot())).toBe(named(one.snapshot()));
        one.dispose();
        again.dispose();
      }),
      { numRuns: 40 },
    );
  });

  it("copies what was written and no more", async () => {
    const one = program.instantiate({}, new RecordingHost());
    one.step();
    const copy = new GuestCopy(one, await program.tracking());
    expect(copy.follow()).toBe(0);
    one.step({ value: 4, payload: u32(500_000) });
    expect(copy.follow()).toBeLessThanOrEqual(5);
    expect(copy.follow()).toBe(0);
    one.dispose();
  });

  it("stays the last state it followed while the guest goes on, ends or is lost (GC2)", async () => {
    const one = program.instantiate({}, new RecordingHost());
    one.step();
    const copy = new GuestCopy(one, await program.tracking());
    one.step({ value: 4, payload: u32(70_000) });
    copy.follow();
    const followed = named(copy.image());
    one.step({ value: 4, payload: u32(90_000) });
    expect(named(copy.image())).toBe(followed);
    one.dispose();
    expect(() => copy.follow()).toThrow(InstanceEndedError);
    expect(named(copy.image())).toBe(followed);
    expect(named(program.restore(copy.image(), {}, new RecordingHost()).snapshot())).toBe(followed);
  });

  it("needs a guest that waits, and the tracking of its own program; released, the guest goes on unmarked", async () => {
    const tracking = await program.tracking();
    const one = program.instantiate({}, new RecordingHost());
    expect(() => new GuestCopy(one, tracking)).toThrow(NotPendingError);
    one.step();
    const theirs = await other.tracking();
    expect(() => new GuestCopy(one, theirs)).toThrow(SnapshotMismatchError);
    const copy = new GuestCopy(one, tracking);
    copy.release();
    const before = named(copy.image());
    expect(one.step({ value: 4, payload: u32(80_000) }).kind).toBe("pending");
    expect(named(copy.image())).toBe(before);
    one.dispose();
  });
});
