/** The orders and roundings that docs/spec/tensor.md states, written out a second time, against the reference backend to the bit. */
import { SeededRandom } from "@glia-os/abi/testing";
import { describe, expect, it } from "vitest";
import { type Float, Space, scalarBackend, Tensor } from "../src/index.ts";

const space = new Space({ backend: scalarBackend() });
const lengths = [1, 2, 15, 16, 17, 100, 4096, 4097, 9001];

const rounding: Readonly<Record<Float, (value: number) => number>> = {
  f32: Math.fround,
  f64: (value) => value,
};

/** N5, as its sentences read. */
function total(terms: readonly number[], dtype: Float): number {
  const round = rounding[dtype];
  const lanes = dtype === "f32" ? 16 : 8;
  let sum = 0;
  for (let first = 0; first < terms.length; first += 4096) {
    const stripes: number[] = new Array(lanes).fill(0);
    for (const [i, term] of terms.slice(first, first + 4096).entries())
      stripes[i % lanes] = round((stripes[i % lanes] as number) + term);
    while (stripes.length > 1) {
      const upper = stripes.splice(stripes.length / 2);
      for (const [j, value] of upper.entries()) stripes[j] = round((stripes[j] as number) + value);
    }
    sum += stripes[0] as number;
  }
  return sum;
}

function numbers(count: number, dtype: Float, seed: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => rounding[dtype]((random.uint32() / 2 ** 31 - 1) * 10));
}

function tensor(values: readonly number[], dtype: Float): Tensor {
  return Tensor.from(Float64Array.from(values), { dtype, space });
}

for (const dtype of ["f32", "f64"] as const) {
  const round = rounding[dtype];
  describe(`${dtype}: to the bit what the specification states`, () => {
    it("sum, mean, norm and dot add in stripes of blocks (N5), whatever the strides", () => {
      for (const n of lengths) {
        const [x, y] = [numbers(n, dtype, 1), numbers(n, dtype, 2)];
        const [a, b] = [tensor(x, dtype), tensor(y, dtype)];
        const said = `n ${n}`;
        expect(a.sum().item(), said).toBe(round(total(x, dtype)));
        expect(a.mean().item(), said).toBe(round(total(x, dtype) / n));
        const squares = x.map((value) => round(value * value));
        expect(a.norm().item(), said).toBe(round(Math.sqrt(total(squares, dtype))));
        const products = x.map((value, i) => round(value * (y[i] as number)));
        expect(a.dot(b).item(), said).toBe(round(total(products, dtype)));
        const column = Tensor.zeros([n, 3], { dtype, space }).slice(undefined, 1);
        a.copy(column);
        expect(column.sum().item(), `${said}, stride 3`).toBe(round(total(x, dtype)));
      }
    });

    it("variance has two rounded passes (N6)", () => {
      for (const n of lengths.filter((one) => one > 1)) {
        const x = numbers(n, dtype, 3);
        const mean = round(total(x, dtype) / n);
        const squares = x.map((value) => round(round(value - mean) * round(value - mean)));
        expect(tensor(x, dtype).variance({ ddof: 1 }).item()).toBe(round(total(squares, dtype) / (n - 1)));
      }
    });

    it("a matrix product rounds each product and each sum, the inner index ascending (N7)", () => {
      const [m, k, n] = [5, 37, 7];
      const [x, y] = [numbers(m * k, dtype, 4), numbers(k * n, dtype, 5)];
      const product = tensor(x, dtype)
        .reshape([m, k])
        .matmul(tensor(y, dtype).reshape([k, n]))
        .toTypedArray();
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let p = 0; p < k; p++)
            sum = round(sum + round((x[i * k + p] as number) * (y[p * n + j] as number)));
          expect(product[i * n + j]).toBe(sum);
        }
    });

    it("layerNorm and rmsNorm round each step (N8)", () => {
      const n = 50;
      const [x, gain, shift] = [6, 7, 8].map((seed) => numbers(n, dtype, seed)) as [
        number[],
        number[],
        number[],
      ];
      const options = { gain: tensor(gain, dtype), shift: tensor(shift, dtype), epsilon: 1e-5 };
      const mean = round(total(x, dtype) / n);
      const variance = round(
        total(
          x.map((value) => round(round(value - mean) * round(value - mean))),
          dtype,
        ) / n,
      );
      const scaled = (value: number, factor: number, i: number) =>
        round(round(round(value * factor) * (gain[i] as number)) + (shift[i] as number));
      const layer = x.map((value, i) =>
        scaled(round(value - mean), round(1 / Math.sqrt(variance + 1e-5)), i),
      );
      expect(Array.from(tensor(x, dtype).layerNorm(options).toTypedArray())).toEqual(layer);
      const squares =
        total(
          x.map((value) => round(value * value)),
          dtype,
        ) / n;
      const root = x.map((value, i) => scaled(value, round(1 / Math.sqrt(squares + 1e-5)), i));
      expect(Array.from(tensor(x, dtype).rmsNorm(options).toTypedArray())).toEqual(root);
    });
  });
}
