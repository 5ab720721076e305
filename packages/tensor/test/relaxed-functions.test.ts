/** Functions of the relaxed kernels against float64: 4 units in the last place over their whole range, and the limits of the page on tensors. */
import { describe, expect, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { wasmBackend } from "../src/backends.ts";
import { ulp } from "../src/testing/twin-memory.ts";

await currentKernels();

const POINTS = process.env["GLIA_SOAK"] === "1" ? 4_000_000 : 40_000;
const { memory, reserved, kernels } = wasmBackend("relaxed", 64 << 20);
const LEAST_NORMAL = 2 ** -126;

const functions = {
  exp: Math.exp,
  log: Math.log,
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  silu: (x: number) => x / (1 + Math.exp(-x)),
} as const;

function applied(name: keyof typeof functions, values: Float32Array): Float32Array {
  const bytes = values.length * 4;
  expect(memory.grow(reserved + 2 * bytes)).toBe(true);
  memory.f32.set(values, reserved / 4);
  kernels[name].f32(reserved + bytes, reserved, values.length, 1, 1);
  return memory.f32.slice(reserved / 4 + values.length, reserved / 4 + 2 * values.length);
}

describe("a relaxed function of f32", () => {
  for (const name of Object.keys(functions) as (keyof typeof functions)[]) {
    it(`is within 4 units in the last place of the true value: ${name}, ${POINTS} points`, () => {
      const values = Float32Array.from({ length: POINTS }, (_, i) => {
        const at = i / POINTS;
        if (name === "log") return 1e-38 * 10 ** (76 * at);
        // Half of the points near zero, half over the whole range.
        return i % 2 === 0 ? 240 * at - 120 : (at - 0.5) ** 3 * 8;
      });
      let worst = 0;
      applied(name, values).forEach((is, i) => {
        const wanted = functions[name](values[i]!);
        if (Math.abs(wanted) < LEAST_NORMAL || !Number.isFinite(Math.fround(wanted))) return;
        worst = Math.max(worst, Math.abs(is - wanted) / ulp("f32", wanted));
      });
      console.log(`${name}: worst error ${worst.toFixed(2)} units`);
      expect(worst).toBeLessThanOrEqual(4);
    });
  }

  it("keeps its limits whatever stands beside them in a vector", () => {
    const limits: readonly (readonly [keyof typeof functions, number, number])[] = [
      ["exp", Number.NEGATIVE_INFINITY, 0],
      ["exp", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      ["exp", 89, Number.POSITIVE_INFINITY],
      ["exp", Number.NaN, Number.NaN],
      ["sigmoid", Number.NEGATIVE_INFINITY, 0],
      ["sigmoid", 1000, 1],
      ["silu", Number.NEGATIVE_INFINITY, -0],
      ["silu", Number.NaN, Number.NaN],
      ["tanh", -0, -0],
      ["log", -1, Number.NaN],
      ["log", -0, Number.NEGATIVE_INFINITY],
    ];
    for (const [name, x, wanted] of limits)
      for (const place of [0, 1, 2, 3]) {
        const values = new Float32Array(4).fill(1);
        values[place] = x;
        const results = applied(name, values);
        expect(results[place], `${name}(${x})`).toBe(wanted);
        const beside = results[(place + 1) % 4]!;
        expect(Math.abs(beside - functions[name](1))).toBeLessThanOrEqual(4 * ulp("f32", 1));
      }
  });
});
