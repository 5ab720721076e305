import { createTestKernel, runToCompletion, SeededRandom, VirtualClock } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

test("a virtual clock moves only when told, and never back", () => {
  const clock = new VirtualClock(1000);
  clock.advance(5);
  clock.advanceTo(7);
  expect([clock.monotonicMs(), clock.wallMs()]).toEqual([7, 1007]);
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(codeOf(() => clock.advance(bad))).toBe("kernel.bad-option");
  expect(codeOf(() => clock.advanceTo(3))).toBe("kernel.bad-option");
});

test("F1: a fork depends on seed and labels only, not on what was drawn before", () => {
  const fresh = new SeededRandom(7);
  const used = new SeededRandom(7);
  for (let i = 0; i < 100; i++) used.uint32();
  const draw = (random: { uint32(): number }) => Array.from({ length: 4 }, () => random.uint32());
  expect(draw(used.fork("a").fork("b"))).toEqual(draw(fresh.fork("a").fork("b")));
  expect(draw(fresh.fork("a"))).not.toEqual(draw(fresh.fork("b")));
  expect(draw(fresh.fork("a"))).not.toEqual(draw(fresh.fork("a").fork("")));
});

test("seeded numbers are the same on every engine, fill their range and have balanced bits", () => {
  const random = new SeededRandom(1);
  expect(Array.from({ length: 4 }, () => random.uint32())).toEqual([
    350175097, 640680501, 3603964963, 713971460,
  ]);
  const ones = new Array<number>(32).fill(0);
  const draws = 20_000;
  for (let i = 0; i < draws; i++) {
    const word = random.uint32();
    expect(word >= 0 && word <= 0xffffffff && Number.isInteger(word)).toBe(true);
    for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
  }
  // Six standard deviations of a fair coin.
  for (const count of ones) expect(Math.abs(count - draws / 2)).toBeLessThan(6 * Math.sqrt(draws / 4));
});

test("bytes fills any length and continues the stream word by word", () => {
  const words = new SeededRandom("x");
  const expected = new Uint8Array(new Uint32Array([words.uint32(), words.uint32()]).buffer);
  expect(new SeededRandom("x").bytes(new Uint8Array(7))).toEqual(expected.subarray(0, 7));
});

test("a run that rests on nothing but events from outside is stuck, and one that never rests is refused", () => {
  const stuck = createTestKernel();
  stuck.kernel.spawn(function* (sys) {
    yield* sys.waitOn("never");
  });
  expect(runToCompletion(stuck.kernel, stuck.clock)).toBe("stuck");
  const restless = createTestKernel();
  restless.kernel.spawn(function* (sys) {
    for (;;) yield* sys.sleep(1);
  });
  expect(codeOf(() => runToCompletion(restless.kernel, restless.clock, 100))).toBe("kernel.bad-option");
});
