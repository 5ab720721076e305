import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { hasErrorCode } from "@glia-os/abi/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Space, scalarBackend, Tensor } from "../src/index.ts";
import { Heap } from "../src/memory/heap.ts";
import { Pool, sizeOf } from "../src/memory/pool.ts";

describe("a space's quota", () => {
  it("refuses what would go over it before memory is touched, and names the figures", () => {
    const space = new Space({ limitBytes: 4096 });
    const kept = Tensor.zeros([512], { space });
    const reach = space.use().reachBytes;
    for (const shape of [[1024], [1_000_000], [500_000_000]])
      expect(() => Tensor.zeros(shape, { space })).toThrow(/2048 of 4096 bytes are in use/);
    expect(space.use()).toMatchObject({ usedBytes: 2048, reachBytes: reach });
    kept.free();
    expect(Tensor.zeros([1024], { space }).size).toBe(1024);
  });

  it("holds where the backend's memory ends before it", () => {
    const space = new Space({ backend: scalarBackend(8192) });
    const made: Tensor[] = [];
    const error = (() => {
      try {
        for (;;) made.push(Tensor.zeros([256], { space }));
      } catch (failure) {
        return failure;
      }
    })();
    expect(hasErrorCode(error, "tensor.quota-exceeded")).toBe(true);
    expect(made).toHaveLength(7);
    made.pop()?.free();
    expect(Tensor.zeros([100], { space }).size, "a greater free block serves").toBe(100);
  });

  it("a closed space gives out nothing, and its tensors refuse every use", () => {
    const space = new Space();
    const [a, out] = [Tensor.ones([4], { space }), Tensor.ones([4], { space })];
    space.close();
    space.close();
    const uses = [
      () => Tensor.zeros([1], { space }),
      () => a.add(1, out),
      () => a.data,

      () => a.sum(),
    ];
    for (const use of uses) expect(use).toThrow(/this space \(backend \w+\) was closed/);
    a.free();
    expect(a.freed).toBe(true);
  });
});

describe("handles", () => {
  it("`using` frees, and free may be called again", () => {
    const space = new Space();
    {
      using a = Tensor.ones([100], { space });
      expect(a.sum().item()).toBe(100);
    }
    const b = Tensor.zeros([100], { space });
    b.free();
    b.free();
    expect(b.freed).toBe(true);
    expect(space.use().usedBytes).toBe(64);
  });

  it("a view keeps the memory of a tensor that was freed, and only the last handle gives it back", () => {
    const space = new Space();
    const a = Tensor.arange(6, undefined, 1, { space });
    const view = a.reshape([2, 3]).transpose();
    a.free();
    Tensor.full([6], 9, { space });
    expect(view.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it("`scope` frees what was made in it and not returned, also when it fails and when it is nested", () => {
    const space = new Space();
    const kept = space.scope(() => {
      const a = Tensor.ones([10], { space });
      const pair = space.scope(() => ({ twice: a.add(a), thrice: a.add(a).add(a) }));
      return pair.twice;
    });
    expect(kept.toArray()).toEqual(new Array(10).fill(2));
    expect(space.use().usedBytes).toBe(64);
    expect(() => space.scope(() => Tensor.ones([10], { space }).add(Tensor.ones([11], { space })))).toThrow();
    expect(space.use().usedBytes).toBe(64);
  });

  it("what was forgotten comes back after it was collected", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const space = new Space();
    (() => {
      for (let i = 0; i < 100; i++) Tensor.zeros([1000], { space });
    })();
    while (space.use().usedBytes > 0) {
      collect();
      await wait(1);
    }
    expect(space.use().blocksTaken).toBe(100);
  });
});

describe("no memory in hot loops", () => {
  it("a training step with out-parameters takes no block", () => {
    const space = new Space();
    const at = { space };
    const [x, w, b] = [Tensor.ones([8, 16], at), Tensor.full([16, 4], 0.1, at), Tensor.zeros([4], at)];
    const [product, sums, greatest] = [
      Tensor.zeros([8, 4], at),
      Tensor.zeros([8, 4], at),
      Tensor.zeros([8, 4], at),
    ];
    const step = () => {
      x.matmul(w, product);
      product.add(b, sums);
      sums.relu(greatest);
      greatest.mul(0.5, greatest);
      greatest.softmax(-1, sums);
      w.addScaled(w, -0.01);
    };
    for (let i = 0; i < 200; i++) step();
    const before = space.use();
    for (let i = 0; i < 1000; i++) step();
    expect(space.use()).toEqual(before);
  });

  it("element-wise operations on tensors of one shape allocate no object", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const space = new Space();
    const [a, b, out] = [1, 2, 3].map((value) => Tensor.full([64], value, { space })) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const rounds = (count: number) => {
      for (let i = 0; i < count; i++) a.add(b, out).mul(b, out).minimum(a, out);
    };
    rounds(20_000);
    const grown = [1, 2, 3, 4, 5].map(() => {
      collect();
      const before = process.memoryUsage().heapUsed;
      rounds(20_000);
      return process.memoryUsage().heapUsed - before;
    });
    // 60,000 operations: one object each would be a megabyte. Other work of the process may allocate, in some of the runs.
    expect(Math.min(...grown)).toBeLessThan(200_000);
  });
});

describe("typed arrays", () => {
  it("`data` shows the memory itself: writes go both ways", () => {
    const a = Tensor.zeros([2, 2]);
    a.data[3] = 5;
    expect(a.toArray()).toEqual([
      [0, 0],
      [0, 5],
    ]);
    const { data } = a;
    a.add(1, a);
    expect(Array.from(data)).toEqual([1, 1, 1, 6]);
  });

  it("a view kept over a growth of memory is detached, never stale", () => {
    const space = new Space();
    const a = Tensor.ones([4], { space });
    const { data } = a;
    Tensor.zeros([1_000_000], { space });
    expect(data.length).toBe(0);
    expect(Array.from(a.data)).toEqual([1, 1, 1, 1]);
  });

  it("`Tensor.over` makes a tensor of elements that lie in the space, without a copy", () => {
    const a = Tensor.arange(6);
    const part = Tensor.over(a, a.data.subarray(2, 6), [2, 2]);
    a.fill(8);
    expect(part.toArray()).toEqual([
      [8, 8],
      [8, 8],
    ]);
    expect(() => Tensor.over(a, new Float32Array(2))).toThrow(/do not lie/);
    expect(() => Tensor.over(a, a.data.subarray(0, 2), [3])).toThrow(/do not fill/);
    const other = Tensor.zeros([6]);
    expect(() => Tensor.over(a, other.data)).toThrow(/do not lie/);
  });

  it("`Tensor.from` of what `data` shows copies it even when memory has to grow for that", () => {
    const space = new Space();
    const a = Tensor.ones([16_000], { space });
    const copied = Tensor.from(a.data, { space });
    expect(copied.sum().item()).toBe(16_000);
  });

  it("tensors of another space are copied over", () => {
    const there = new Space();
    const a = Tensor.from(
      [
        [1, 2],
        [3, 4],
      ],
      { space: there },
    ).transpose();
    expect(Tensor.from(a).toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(Tensor.from(a, { dtype: "i8", shape: [4] }).toArray()).toEqual([1, 3, 2, 4]);
  });
});

describe("the pool", () => {
  it("never gives out overlapping or unaligned blocks, and gives back what it took (500 runs)", () => {
    const action = fc.oneof(
      fc.record({ take: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({ give: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const heap = new Heap();
        const pool = new Pool(heap, 128, 10 ** 9);
        const live: { of: number; offset: number; bytes: number }[] = [];
        for (const one of actions) {
          if ("take" in one) {
            const of = pool.classOf(one.take);
            live.push({ of, offset: pool.take(of), bytes: one.take });
          } else if (live.length > 0) {
            const [gone] = live.splice(one.give % live.length, 1);
            if (gone !== undefined) pool.give(gone.of, gone.offset);
          }
          live.sort((a, b) => a.offset - b.offset);
          for (const [index, { of, offset, bytes }] of live.entries()) {
            expect(offset % 64).toBe(0);
            expect(sizeOf(of)).toBeGreaterThanOrEqual(bytes);
            expect(sizeOf(of)).toBeLessThanOrEqual(Math.max(64, 64 * Math.ceil((bytes * 1.25) / 64)));
            expect(offset + sizeOf(of)).toBeLessThanOrEqual(
              live[index + 1]?.offset ?? heap.buffer.byteLength,
            );
          }
          expect(pool.used).toBe(live.reduce((sum, { of }) => sum + sizeOf(of), 0));
        }
      }),
      { numRuns: 500 },
    );
  });
});
