import { BUMP_MARKS_MAX, BumpPool } from "@glia-os/rt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";
import { garbageOf } from "./garbage-of.ts";

describe("a bump pool", () => {
  it("hands memory out front to back, at multiples of 8, until it is full", () => {
    const pool = new BumpPool({ bytes: 64 });
    const [a, b] = [pool.alloc(1), pool.alloc(9)];
    expect(b - a).toBe(16);
    expect(pool.alloc(8) - b).toBe(24);
    expect(pool.tryAlloc(1)).toBe(-1);
    expect(pool.statistics()).toMatchObject({ usedBytes: 56, blocks: 3 });
  });

  it("refuses what does not fit, and what never could", () => {
    const pool = new BumpPool({ bytes: 64 });
    pool.alloc(40);
    expect(codeOf(() => pool.alloc(16))).toBe("rt.pool-exhausted");
    expect(codeOf(() => pool.alloc(57))).toBe("rt.too-large");
    for (const bad of [0, -1, 1.5, Number.NaN]) expect(codeOf(() => pool.alloc(bad))).toBe("rt.bad-option");
    expect(pool.tryAlloc(Number.NaN)).toBe(-1);
    expect(pool.statistics()).toMatchObject({ blocks: 1, failures: 2 });
    pool.alloc(8);
    expect(pool.statistics()).toMatchObject({ usedBytes: 64, capacityBytes: 64 });
  });

  it("is empty after a reset, and remembers its peak (BP1)", () => {
    const pool = new BumpPool({ bytes: 256 });
    const first = pool.alloc(100);
    pool.reset();
    expect(pool.statistics()).toMatchObject({ usedBytes: 0, blocks: 0, peakBytes: 112, allocations: 1 });
    expect(pool.alloc(10)).toBe(first);
  });

  it("takes back to a mark, again and again; a mark that was taken back is refused (BP2)", () => {
    const pool = new BumpPool({ bytes: 1024 });
    pool.alloc(8);
    const outer = pool.mark();
    const kept = pool.alloc(8);
    const inner = pool.mark();
    pool.alloc(8);
    pool.reset(inner);
    pool.alloc(8);
    pool.reset(inner);
    expect(pool.statistics().blocks).toBe(2);
    pool.reset(outer);
    expect(pool.statistics().blocks).toBe(1);
    expect(codeOf(() => pool.reset(inner))).toBe("rt.bad-block");
    expect(pool.alloc(8)).toBe(kept);
    const other = pool.mark();
    expect(codeOf(() => pool.reset(inner))).toBe("rt.bad-block");
    pool.reset(other);
    for (const bad of [0, -1, 0.5, Number.NaN, 1e15])
      expect(codeOf(() => pool.reset(bad))).toBe("rt.bad-block");
    expect(pool.statistics().blocks).toBe(2);
  });

  it("has 16 marks at once and says so", () => {
    const pool = new BumpPool({ bytes: 64 });
    for (let i = 0; i < BUMP_MARKS_MAX; i++) pool.mark();
    expect(codeOf(() => pool.mark())).toBe("rt.pool-exhausted");
    pool.reset();
    pool.mark();
  });

  it("notices a write past the end: of the last block at a reset, of any by check (BP3)", () => {
    const pool = new BumpPool({ bytes: 256 });
    const [a, b] = [pool.alloc(8), pool.alloc(8)];
    new Uint8Array(pool.buffer, a, 9)[8] = 7;
    expect(codeOf(() => pool.check())).toBe("rt.overflow");
    pool.reset();
    expect(pool.alloc(8)).toBe(a);
    expect(pool.alloc(8)).toBe(b);
    new Uint8Array(pool.buffer, b, 9)[8] = 7;
    expect(codeOf(() => pool.reset())).toBe("rt.overflow");
    expect(pool.statistics().blocks).toBe(2);
  });

  it("agrees with a model of a stack over any sequence of calls", () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant("alloc" as const), n: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ op: fc.constant("mark" as const), n: fc.constant(0) }),
      fc.record({ op: fc.constant("reset" as const), n: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const pool = new BumpPool({ bytes: 512 });
        let live: { at: number; bytes: number }[] = [];
        let marks: { id: number; blocks: number }[] = [];
        for (const { op, n } of steps) {
          if (op === "alloc") {
            const at = pool.tryAlloc(n);
            if (at >= 0) live.push({ at, bytes: n });
          } else if (op === "mark" && marks.length < BUMP_MARKS_MAX) {
            marks.push({ id: pool.mark(), blocks: live.length });
          } else if (op === "reset") {
            const to = marks[n];
            pool.reset(to?.id);
            live = live.slice(0, to?.blocks ?? 0);
            marks = to === undefined ? [] : marks.slice(0, n + 1);
          }
          pool.check();
          expect(pool.statistics().blocks).toBe(live.length);
          for (const [i, { at, bytes }] of live.entries())
            expect(at + bytes <= (live[i + 1]?.at ?? Number.POSITIVE_INFINITY)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("goes on in another owner's hands, and refuses options and memory that are no pool (PM1, PM2)", () => {
    const buffer = new SharedArrayBuffer(4096);
    const at = new BumpPool({ bytes: 128, buffer, byteOffset: 8 }).alloc(8);
    expect(BumpPool.attach(buffer, 8).alloc(8)).toBe(at + 16);
    expect(codeOf(() => BumpPool.attach(buffer, 16))).toBe("rt.bad-option");
    for (const bytes of [0, 12, 17, 2 ** 30, Number.NaN])
      expect(codeOf(() => new BumpPool({ bytes }))).toBe("rt.bad-option");
    expect(codeOf(() => new BumpPool({ bytes: 4096, buffer }))).toBe("rt.bad-option");
  });

  it("makes no garbage (BP1)", () => {
    const pool = new BumpPool({ bytes: 4096 });
    const mark = pool.mark();
    const bytes = garbageOf(() => {
      pool.tryAlloc(24);
      pool.tryAlloc(100);
      pool.reset(mark);
    });
    expect(bytes).toBeLessThan(1);
  });
});
