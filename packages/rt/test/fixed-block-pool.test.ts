import { FixedBlockPool } from "@glia-os/rt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeOf } from "./code-of.ts";
import { garbageOf } from "./garbage-of.ts";

const small = (): FixedBlockPool => new FixedBlockPool({ blockBytes: 20, blocks: 3 });

describe("a fixed-block pool", () => {
  it("gives each block once and says when none is left (FB2)", () => {
    const pool = small();
    const blocks = [pool.alloc(), pool.alloc(), pool.alloc()];
    expect(new Set(blocks).size).toBe(3);
    expect(pool.tryAlloc()).toBe(-1);
    expect(() => pool.alloc()).toThrow("no block of 20 bytes left; 60 of 60 bytes are used");
    expect(codeOf(() => pool.alloc())).toBe("rt.pool-exhausted");
    pool.free(blocks[1] as number);
    expect(pool.alloc()).toBe(blocks[1]);
  });

  it("refuses a second free, and changes nothing by it (FB2)", () => {
    const pool = small();
    const [a, b] = [pool.alloc(), pool.alloc()];
    pool.free(a);
    expect(codeOf(() => pool.free(a))).toBe("rt.double-free");
    expect(pool.statistics().blocks).toBe(1);
    expect([pool.alloc(), pool.alloc()]).not.toContain(b);
    expect(pool.tryAlloc()).toBe(-1);
  });

  it("refuses what is no block: other offsets, fractions, other pools' blocks, NaN (FB2)", () => {
    const pool = small();
    const at = pool.alloc();
    for (const bad of [at + 1, at - 8, at + 0.5, -1, 1e9, Number.NaN, Number.POSITIVE_INFINITY, 0])
      expect(codeOf(() => pool.free(bad))).toBe("rt.bad-block");
    expect(pool.isAllocated(at)).toBe(true);
  });

  it("notices a write past the end of a block when it is freed, and by check before that (FB3)", () => {
    const pool = small();
    const [, b] = [pool.alloc(), pool.alloc()];
    pool.check();
    new Uint8Array(pool.buffer, b, 20).fill(255);
    pool.check();
    new Uint8Array(pool.buffer, b, 21)[20] = 0;
    expect(codeOf(() => pool.free(b))).toBe("rt.overflow");
    expect(codeOf(() => pool.check())).toBe("rt.overflow");
    expect(pool.isAllocated(b)).toBe(true);
  });

  it("agrees with a model of sets over any sequence of calls", () => {
    const step = fc.oneof(
      fc.constant({ op: "alloc" as const }),
      fc.record({ op: fc.constant("free" as const), which: fc.nat(40) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(step, { maxLength: 120 }),
        (blockBytes, blocks, steps) => {
          const pool = new FixedBlockPool({ blockBytes, blocks });
          const live: number[] = [];
          let [peak, failures] = [0, 0];
          for (const { op, ...rest } of steps) {
            if (op === "alloc") {
              const at = pool.tryAlloc();
              if (live.length === blocks) failures++;
              expect(at < 0).toBe(live.length === blocks);
              if (at < 0) continue;
              expect(live.some((other) => Math.abs(other - at) < blockBytes)).toBe(false);
              expect(at % 8).toBe(0);
              new Uint8Array(pool.buffer, at, blockBytes).fill(live.length);
              live.push(at);
              peak = Math.max(peak, live.length);
            } else if (live.length > 0) {
              const [at] = live.splice(("which" in rest ? rest.which : 0) % live.length, 1) as [number];
              pool.free(at);
              expect(codeOf(() => pool.free(at))).toBe("rt.double-free");
            }
          }
          pool.check();
          const { usedBytes, peakBytes, blocks: used, failures: failed } = pool.statistics();
          expect([usedBytes, peakBytes, used, failed]).toEqual([
            live.length * blockBytes,
            peak * blockBytes,
            live.length,
            failures,
          ]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("goes on in another owner's hands: attached to the same memory, shared or not (PM1)", () => {
    const buffer = new SharedArrayBuffer(64 + FixedBlockPool.bytesFor(20, 3));
    const first = new FixedBlockPool({ blockBytes: 20, blocks: 3, buffer, byteOffset: 64 });
    const at = first.alloc();
    const second = FixedBlockPool.attach(buffer, 64);
    expect(second.isAllocated(at)).toBe(true);
    second.free(at);
    expect(first.statistics().blocks).toBe(0);
  });

  it("refuses to attach to memory without a pool, and every option out of range (PM2)", () => {
    expect(codeOf(() => FixedBlockPool.attach(new ArrayBuffer(4096)))).toBe("rt.bad-option");
    expect(codeOf(() => FixedBlockPool.attach(new ArrayBuffer(8)))).toBe("rt.bad-option");
    const buffer = new ArrayBuffer(64);
    for (const bad of [
      { blockBytes: 0, blocks: 1 },
      { blockBytes: 1.5, blocks: 1 },
      { blockBytes: 8, blocks: 0 },
      { blockBytes: 8, blocks: 2 ** 24 + 1 },
      { blockBytes: 2 ** 30, blocks: 4 },
      { blockBytes: 8, blocks: 100, buffer },
      { blockBytes: 8, blocks: 1, buffer, byteOffset: 4 },
      { blockBytes: 8, blocks: 1, byteOffset: 8 },
    ])
      expect(codeOf(() => new FixedBlockPool(bad))).toBe("rt.bad-option");
  });

  it("makes no garbage: a million pairs of alloc and free leave the heap as it was (FB1)", () => {
    const pool = new FixedBlockPool({ blockBytes: 64, blocks: 128 });
    expect(garbageOf(() => pool.free(pool.tryAlloc()))).toBeLessThan(1);
  });
});
