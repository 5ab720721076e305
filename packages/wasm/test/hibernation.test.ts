/** Guests that are put away and wake (GS2 of scheduler.ts, HB1 and HB2 of hibernation.ts). */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { HostMemoryError, type WasmProgram } from "../src/index.ts";
import { u32 } from "./guest.ts";
import { hosted, Recorded } from "./hosted.ts";

let sum: WasmProgram;
let spin: WasmProgram;

beforeAll(async () => {
  sum = await hosted("sum");
  spin = await hosted("spin");
});

function numberIn(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

type Act =
  | { readonly kind: "post"; readonly guest: number; readonly value: number }
  | { readonly kind: "turns" | "hibernate"; readonly count: number };

const GUEST_COUNT = 6;
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("post" as const),
        guest: fc.integer({ min: 1, max: GUEST_COUNT }),
        value: fc.nat({ max: 1_000_000 }),
      }),
    },
    fc.record({ kind: fc.constantFrom("turns" as const, "hibernate" as const), count: fc.nat({ max: 5 }) }),
  ),
  { maxLength: 60 },
);

/** What guests answered, in order, when at most `liveGuests` of them are in memory. */
function replies(script: readonly Act[], liveGuests: number): Record<number, number[]> {
  const run = new Recorded({ liveGuests, sliceFuel: 40 });
  for (let guest = 1; guest <= GUEST_COUNT; guest++) run.scheduler.spawn(sum);
  for (const act of script) {
    if (act.kind === "post") run.scheduler.post(act.guest, u32(act.value));
    else if (act.kind === "turns") run.settle(act.count);
    else run.scheduler.hibernateIdle(act.count);
    expect(run.scheduler.counts.live).toBeLessThanOrEqual(liveGuests);
  }
  run.settle();
  const all: Record<number, number[]> = {};
  for (const { guest, payload } of run.replies) (all[guest] ??= []).push(numberIn(payload));
  return all;
}

describe("hibernation", () => {
  it("changes nothing that guests answer, whenever they are put away, also between two slices (GS2)", () => {
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 3 }), (script, liveGuests) => {
        expect(replies(script, liveGuests)).toEqual(replies(script, 8000));
      }),
      { numRuns: 150 },
    );
  });

  it("keeps an idle guest in a few hundred bytes, as an increment to its program's first wait (HB1)", () => {
    const run = new Recorded();
    for (let guest = 0; guest < 50; guest++) run.scheduler.post(run.scheduler.spawn(sum), u32(guest));
    run.settle();
    expect(run.scheduler.hibernateIdle(20)).toBe(20);
    const { frozenBytes, live } = run.scheduler.counts;
    expect(live).toBe(30);
    expect(frozenBytes / 20).toBeLessThan(600);
    expect(run.scheduler.hibernateIdle(1000)).toBe(30);
    expect(run.scheduler.hibernateIdle(1000)).toBe(0);
  });

  it("keeps a guest whose memory has little in common with the first one's as a snapshot of its own (HB1)", async () => {
    const program = await hosted("greedy");
    const run = new Recorded({ random: noise() });
    const guest = run.scheduler.spawn(program, { hostCallsPerSecond: 1 });
    run.settle(3);
    run.scheduler.hibernateIdle(1);
    expect(run.scheduler.counts.frozenBytes).toBeGreaterThan(65_536);
    expect(run.scheduler.image(guest).sections["memory"]).toHaveLength(65_536);
    run.nowMs = 1e6;
    run.settle(1);
    expect(run.ended.size).toBe(0);
    expect(run.scheduler.counts.frozenBytes).toBe(0);
  });

  it("gives the turns of guests that never wait to all of them, when fewer fit in memory (GS1, GS2)", () => {
    const run = new Recorded({ liveGuests: 3 });
    const guests = Array.from({ length: 10 }, () => run.scheduler.spawn(spin));
    run.settle(100);
    const counts = guests.map((guest) =>
      numberIn(run.scheduler.image(guest).sections["memory"] as Uint8Array),
    );
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
  });

  it("keeps waits: a sleeping guest that was put away wakes when it is due, one that waits for a message does not", async () => {
    const run = new Recorded();
    const sleeper = run.scheduler.spawn(await hosted("sleeper"));
    const waiting = run.scheduler.spawn(sum);
    run.settle();
    expect(run.scheduler.hibernateIdle(10)).toBe(2);
    run.nowMs = 1000;
    expect(run.settle()).toBe(1);
    expect(run.ended.get(sleeper)).toEqual({ kind: "finished", status: 3 });
    expect(run.scheduler.counts).toMatchObject({ guests: 1, live: 0 });
    run.scheduler.post(waiting, u32(4));
    run.settle();
    expect(numberIn(run.replies[0]?.payload as Uint8Array)).toBe(4);
  });

  it("takes images of guests that are away, and continues them in another scheduler", () => {
    const run = new Recorded();
    const guest = run.scheduler.spawn(sum);
    run.scheduler.post(guest, u32(40));
    run.settle();
    const live = run.scheduler.image(guest);
    run.scheduler.hibernateIdle(1);
    expect(run.scheduler.image(guest)).toEqual(live);
    const other = new Recorded();
    const moved = other.scheduler.restore(sum, live);
    expect(other.settle()).toBe(0);
    other.scheduler.post(moved, u32(2));
    other.settle();
    expect(numberIn(other.replies[0]?.payload as Uint8Array)).toBe(42);
    run.scheduler.post(guest, u32(2));
    run.settle();
    expect(run.scheduler.image(guest)).toEqual(other.scheduler.image(moved));
    expect(run.scheduler.image(guest).pending.requestId).toBe(live.pending.requestId + 1);
  });

  it("makes do with what the process has room for, and does not ask for more at every turn", () => {
    let [room, refused] = [3, 0];
    const guarded =
      <Given extends unknown[], Made extends { dispose(): void }>(make: (...given: Given) => Made) =>
      (...given: Given): Made => {
        if (room === 0) {
          refused += 1;
          throw new HostMemoryError(1, new RangeError("no room"));
        }
        const made = make(...given);
        room -= 1;
        const dispose = made.dispose.bind(made);
        made.dispose = () => {
          room += 1;
          dispose();
        };
        return made;
      };
    const tight = { ...sum, instantiate: guarded(sum.instantiate), restore: guarded(sum.restore) };
    const run = new Recorded();
    const guests = Array.from({ length: 20 }, () => run.scheduler.spawn(tight));
    for (let round = 1; round <= 5; round++) {
      for (const guest of guests) run.scheduler.post(guest, u32(guest));
      run.settle();
    }
    expect(run.ended.size).toBe(0);
    expect(run.replies).toHaveLength(100);
    expect(run.replies.every(({ guest, payload }) => numberIn(payload) % guest === 0)).toBe(true);
    expect(run.scheduler.counts.live).toBeLessThanOrEqual(3);
    expect(refused).toBe(1);
  });

  it("ends the guest whose image does not fit its program, and no other", () => {
    const run = new Recorded();
    const guest = run.scheduler.spawn(sum);
    const wrong = { ...imageOf(run, guest), moduleHash: "00".repeat(32) };
    const restored = run.scheduler.restore(sum, wrong);
    run.scheduler.post(restored, u32(1));
    run.scheduler.post(guest, u32(1));
    run.settle();
    expect(String(run.failure(restored))).toContain("the module");
    expect(run.replies).toHaveLength(1);
  });

  it("carries tens of thousands of guests in one process, each with its own state", {
    timeout: 600_000,
  }, () => {
    const count = process.env["GLIA_SOAK"] === "1" ? 100_000 : 20_000;
    const run = new Recorded({ liveGuests: 500 });
    for (let guest = 1; guest <= count; guest++) {
      expect(run.scheduler.spawn(sum)).toBe(guest);
      run.scheduler.post(guest, u32(guest));
    }
    run.settle();
    const { guests, live, frozenBytes } = run.scheduler.counts;
    expect([guests, live]).toEqual([count, 500]);
    expect(frozenBytes / (count - 500)).toBeLessThan(600);
    const chosen = fc.sample(fc.integer({ min: 1, max: count }), 1000);
    run.replies.length = 0;
    for (const guest of chosen) run.scheduler.post(guest, u32(1));
    run.settle();
    const times = new Map<number, number>();
    for (const { guest, payload } of run.replies) {
      times.set(guest, (times.get(guest) ?? 0) + 1);
      expect(numberIn(payload)).toBe(guest + (times.get(guest) as number));
    }
    expect(run.replies).toHaveLength(1000);
  });
});

/** Bytes that do not compress. */
function noise(): (target: Uint8Array) => void {
  let state = 1;
  return (target) => {
    for (let at = 0; at < target.length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      target[at] = state >>> 24;
    }
  };
}

function imageOf(run: Recorded, guest: number): ReturnType<Recorded["scheduler"]["image"]> {
  run.settle();
  return run.scheduler.image(guest);
}
