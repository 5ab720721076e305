import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exp, gelu, log, sigmoid, silu, tanh } from "../src/scalar/transcendental.ts";

const functions = { exp, gelu, log, sigmoid, silu, tanh };

type Name = "exp" | "log" | "tanh" | "sigmoid" | "gelu" | "silu";
type Row = readonly [x: number, high: number, low: number];

const values = JSON.parse(
  readFileSync(new URL("fixtures/true-values.json", import.meta.url), "utf8"),
) as Record<Name, Row[]>;

/** Units in the last place of the true value, f64 or f32, between it and what was computed. */
function error(computed: number, high: number, low: number, bits: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(high))) - bits);
  return Math.abs(computed - high - low) / unit;
}

/** The argument of the sigmoid in gelu, which widens its tolerance. */
const widening = (name: Name, x: number): number =>
  name === "gelu" ? 1 + Math.abs(1.6 * (x + 0.044715 * x ** 3)) : 1;

describe("elementary functions against long double", () => {
  for (const name of Object.keys(values) as Name[])
    it(`${name} is within 2 ULP in float64 and, rounded, within 1 ULP in float32 (${values[name].length} points)`, () => {
      let worst = 0;
      for (const [x, high, low] of values[name]) {
        const computed = functions[name](x);
        const wide = error(computed, high, low, 52) / widening(name, x);
        worst = Math.max(worst, wide);
        expect(wide, `${name}(${x}) is ${computed}`).toBeLessThan(2);
        if (Math.abs(high) < 3e38 && Math.abs(high) > 1.2e-38)
          expect(error(Math.fround(computed), high, low, 23), `${name}(${x}) in float32`).toBeLessThan(1);
      }
      console.log(`${name}: worst error ${worst.toFixed(2)} ULP`);
    });

  it("limits and signs of zero are those of N4", () => {
    expect([exp(-Infinity), exp(Infinity), exp(0), exp(710), exp(-746)]).toEqual([
      0,
      Infinity,
      1,
      Infinity,
      0,
    ]);
    expect([log(0), log(-0), log(Infinity), log(1)]).toEqual([-Infinity, -Infinity, Infinity, 0]);
    expect([tanh(Infinity), tanh(-Infinity), tanh(0), tanh(-0)]).toEqual([1, -1, 0, -0]);
    expect([sigmoid(-Infinity), sigmoid(Infinity), sigmoid(0)]).toEqual([0, 1, 0.5]);
    expect([gelu(-Infinity), silu(-Infinity), gelu(Infinity), silu(Infinity)]).toEqual([
      -0,
      -0,
      Infinity,
      Infinity,
    ]);
    for (const f of [exp, log, tanh, sigmoid, gelu, silu]) expect(f(Number.NaN)).toBeNaN();
    expect(log(-1)).toBeNaN();
  });

  it("denormal results and arguments are kept", () => {
    expect(exp(-745.13)).toBe(5e-324);
    expect(log(5e-324)).toBeCloseTo(-744.4400719213812, 10);
    expect(tanh(5e-324)).toBe(5e-324);
  });
});
