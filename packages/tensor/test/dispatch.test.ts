/** The choice among backends, and the kernels behind it. */
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { choose, chooseAmong, chooseBackend, openBackend, wasmBackend } from "../src/backends.ts";
import { BadBackendError } from "../src/errors.ts";

await currentKernels();

describe("the choice", () => {
  it("takes the fastest that works", () => {
    const candidates = [
      { name: "scalar", gflops: 1 },
      { name: "simd", gflops: 30 },
      { name: "relaxed", gflops: 50 },
    ] as const;
    expect(choose(candidates).name).toBe("relaxed");
    expect(choose([...candidates.slice(0, 2), { name: "relaxed", problem: "refused" }]).name).toBe("simd");
  });

  it("keeps the plainer one where both are equally fast to within a tenth", () => {
    const candidates = [
      { name: "simd", gflops: 30 },
      { name: "relaxed", gflops: 32 },
    ] as const;
    expect(choose(candidates).name).toBe("simd");
  });

  it("is the scalar backend where nothing else works", () => {
    expect(choose([]).name).toBe("scalar");
    expect(choose([{ name: "simd", problem: "refused" }]).name).toBe("scalar");
  });

  it("gives candidates whose code comes late another turn, four at most", () => {
    const rates = [5, 5, 60, 1];
    let turns = 0;
    const simd = { name: "simd", turn: () => 30 } as const;
    const late = chooseAmong([simd, { name: "relaxed", turn: () => rates[turns++]! }]);
    expect(late).toEqual({
      name: "relaxed",
      candidates: [
        { name: "simd", gflops: 30 },
        { name: "relaxed", gflops: 60 },
      ],
    });
    expect(turns).toBe(3);
    turns = 0;
    const never = chooseAmong([simd, { name: "relaxed", turn: () => ++turns }]);
    expect(never.name).toBe("simd");
    expect(turns).toBe(4);
  });

  it("measures nothing where nothing works", () => {
    expect(chooseAmong([{ name: "simd", problem: "refused" }])).toEqual({
      name: "scalar",
      candidates: [{ name: "simd", problem: "refused" }],
    });
  });

  it("is made once and says what every candidate did", () => {
    const choice = chooseBackend();
    expect(choice).toBe(chooseBackend());
    expect(choice.candidates.map(({ name }) => name)).toEqual(["scalar", "simd", "relaxed"]);
    for (const { gflops, problem } of choice.candidates) expect((gflops ?? 0) > 0 || problem).toBeTruthy();
  });
});

describe("a backend by name", () => {
  it("is opened without a choice", () => {
    for (const name of ["scalar", "simd", "relaxed", "fixed"]) expect(openBackend(name).name).toBe(name);
  });

  it("is refused when there is none of that name", () => {
    expect(() => openBackend("cuda")).toThrow(BadBackendError);
    expect(() => openBackend("cuda")).toThrow(/scalar, simd, relaxed, fixed/);
  });
});

describe("memory of a backend in WebAssembly", () => {
  it("grows to its limit and refuses one byte more, changing nothing", () => {
    const { memory, reserved } = wasmBackend("simd", 10 << 20);
    expect(memory.limit).toBeGreaterThanOrEqual(reserved + (10 << 20));
    expect(memory.grow(reserved + (5 << 20))).toBe(true);
    const before = memory.buffer.byteLength;
    expect(memory.grow(memory.limit + 1)).toBe(false);
    expect(memory.buffer.byteLength).toBe(before);
    expect(memory.grow(memory.limit)).toBe(true);
    expect(memory.f32.byteLength).toBe(memory.limit);
  });

  it("keeps its bytes when it grows, and detaches the old views", () => {
    const { memory, reserved } = wasmBackend("relaxed");
    memory.grow(reserved + 64);
    const old = memory.f32;
    old[reserved / 4] = 1.5;
    memory.grow(memory.buffer.byteLength + 1);
    expect(memory.f32[reserved / 4]).toBe(1.5);
    expect(old.length).toBe(0);
  });
});
