import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Part, Space, Tensor } from "../src/index.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 5000 : 200;

/** A tensor as nested values in float64: coordinates to value. The oracle knows nothing of strides. */
interface Oracle {
  readonly shape: readonly number[];
  at(place: readonly number[]): number;
}

function oracleOf(shape: readonly number[], values: readonly number[]): Oracle {
  const at = (place: readonly number[]) =>
    values[place.reduce((index, one, axis) => index * (shape[axis] as number) + one, 0)] as number;
  return { shape, at };
}

function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, length) => all.flatMap((place) => Array.from({ length }, (_, i) => [...place, i])),
    [[]],
  );
}

/** Views that can be put on top of each other, with what they do to the oracle. */
type Step =
  | { readonly flip: number }
  | { readonly reverse: number }
  | { readonly cut: number }
  | { readonly flat: true };

const steps = fc.array(
  fc.oneof(
    fc.record({ flip: fc.nat(5) }),
    fc.record({ reverse: fc.nat(5) }),
    fc.record({ cut: fc.nat(5) }),
    fc.constant({ flat: true as const }),
  ),
  { maxLength: 4 },
);

const start = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    values: fc.array(fc.integer({ min: -50, max: 50 }), {
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    }),
  }),
);

function viewed(tensor: Tensor, oracle: Oracle, step: Step): [Tensor, Oracle] {
  const { shape } = oracle;
  if ("flip" in step) {
    const axis = step.flip % shape.length;
    const order = [axis, ...shape.map((_, one) => one).filter((one) => one !== axis)];
    const back = shape.map((_, one) => order.indexOf(one));
    const moved = order.map((one) => shape[one] as number);
    return [
      tensor.transpose(order),
      { shape: moved, at: (p) => oracle.at(back.map((one) => p[one] as number)) },
    ];
  }
  if ("reverse" in step) {
    const axis = step.reverse % shape.length;
    const parts: Part[] = shape.map((_, one) => (one === axis ? { step: -1 } : undefined));
    const at = (p: readonly number[]) =>
      oracle.at(p.map((one, index) => (index === axis ? (shape[axis] as number) - 1 - one : one)));
    return [tensor.slice(...parts), { shape, at }];
  }
  if ("cut" in step) {
    const axis = step.cut % shape.length;
    const length = Math.ceil((shape[axis] as number) / 2);
    const parts: Part[] = shape.map((_, one) => (one === axis ? { step: 2 } : undefined));
    const cut = shape.map((one, index) => (index === axis ? length : one));
    return [
      tensor.slice(...parts),
      { shape: cut, at: (p) => oracle.at(p.map((one, i) => (i === axis ? 2 * one : one))) },
    ];
  }
  const values = places(shape).map((place) => oracle.at(place));
  return [tensor.reshape([-1]), oracleOf([values.length], values)];
}

function expectSame(tensor: Tensor, oracle: Oracle, tolerance = 0): void {
  expect(tensor.shape).toEqual(oracle.shape);
  const flat = tensor.toTypedArray();
  for (const [index, place] of places(oracle.shape).entries()) {
    const wanted = oracle.at(place);
    const near = Math.abs((flat[index] as number) - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
    expect(near || Object.is(flat[index], wanted), `at ${place}: ${flat[index]}, not ${wanted}`).toBe(true);
  }
}

describe(`a float64 oracle that knows only coordinates (${runs} runs each, a fourth for convolution)`, () => {
  it("views of views, reductions of them and what is computed from them agree with it", () => {
    fc.assert(
      fc.property(start, steps, fc.nat(3), ({ shape, values }, views, axisSeed) => {
        using space = new Space();
        let [tensor, oracle] = [
          Tensor.from(Float32Array.from(values), { shape, space }),
          oracleOf(shape, values),
        ];
        for (const step of views) [tensor, oracle] = viewed(tensor, oracle, step);
        expectSame(tensor, oracle);
        expectSame(tensor.mul(2).add(tensor), { shape: oracle.shape, at: (p) => 3 * oracle.at(p) });
        const axis = axisSeed % oracle.shape.length;
        const rest = oracle.shape.toSpliced(axis, 1);
        const row = (p: readonly number[]) =>
          Array.from({ length: oracle.shape[axis] as number }, (_, i) =>
            oracle.at([...p.slice(0, axis), i, ...p.slice(axis)]),
          );
        expectSame(tensor.sum({ axis }), { shape: rest, at: (p) => row(p).reduce((a, b) => a + b, 0) });
        expectSame(tensor.max({ axis }), { shape: rest, at: (p) => Math.max(...row(p)) });
        expectSame(tensor.argmin({ axis }), { shape: rest, at: (p) => row(p).indexOf(Math.min(...row(p))) });
        const soft = (p: readonly number[]) => {
          const all = row(p.toSpliced(axis, 1)).map((value) => value / 32);
          const total = all.reduce((sum, value) => sum + Math.exp(value), 0);
          return Math.exp(oracle.at(p) / 32) / total;
        };
        expectSame(tensor.div(32).softmax(axis), { shape: oracle.shape, at: soft }, 1e-5);
      }),
      { numRuns: runs },
    );
  });

  it("broadcast operands agree with it, whatever sizes of 1 and missing dimensions they have", () => {
    const pair = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }).chain((shape) => {
      const part = fc
        .tuple(fc.nat(shape.length), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
        .map(([missing, ones]) => shape.slice(missing).map((length, axis) => (ones[axis] ? 1 : length)));
      return fc.tuple(part, part, fc.integer());
    });
    fc.assert(
      fc.property(pair, ([left, right, seed]) => {
        using space = new Space();
        const value = (index: number) => ((index * 37 + seed) % 101) - 50;
        const make = (shape: readonly number[], salt: number): [Tensor, Oracle] => {
          const values = places(shape).map((_, index) => value(index + salt));
          return [Tensor.from(Int32Array.from(values), { shape, space }), oracleOf(shape, values)];
        };
        const [a, x] = make(left, 0);
        const [b, y] = make(right, 5);
        const rank = Math.max(left.length, right.length);
        const shape = Array.from({ length: rank }, (_, axis) =>
          Math.max(left[axis - rank + left.length] ?? 1, right[axis - rank + right.length] ?? 1),
        );
        const own = (oracle: Oracle, p: readonly number[]) =>
          oracle.at(
            oracle.shape.map((length, axis) =>
              length === 1 ? 0 : (p[axis + rank - oracle.shape.length] as number),
            ),
          );
        expectSame(a.sub(b), { shape, at: (p) => own(x, p) - own(y, p) });
        expectSame(a.less(b), { shape, at: (p) => Number(own(x, p) < own(y, p)) });
      }),
      { numRuns: runs },
    );
  });

  it("convolution agrees with its definition, at any stride, padding and dilation", () => {
    const setting = fc.record({
      image: fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })),
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      channels: fc.integer({ min: 1, max: 3 }),
      filters: fc.integer({ min: 1, max: 3 }),
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 2, max: 3 }),
      dilation: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(
        setting,
        ({ image: [h, w], kernel: [kh, kw], channels, filters, stride, padding, dilation }) => {
          using space = new Space();
          const images = Tensor.arange(0, 2 * channels * h * w, 1, { space }).reshape([2, channels, h, w]);
          const weights = Tensor.arange(-3, filters * channels * kh * kw - 3, 1, { space }).reshape([
            filters,
            channels,
            kh,
            kw,
          ]);
          const [x, k] = [images.toTypedArray(), weights.toTypedArray()];
          const reach = (length: number, size: number) =>
            Math.floor((length + 2 * padding - dilation * (size - 1) - 1) / stride) + 1;
          const shape = [2, filters, reach(h, kh), reach(w, kw)];
          if (shape.some((length) => length < 1)) return;
          const at = ([n, f, i, j]: readonly number[]) => {
            let sum = f as number;
            for (const [c, p, q] of places([channels, kh, kw]) as [number, number, number][]) {
              const [row, column] = [
                (i as number) * stride + p * dilation - padding,
                (j as number) * stride + q * dilation - padding,
              ];
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              const pixel = x[(((n as number) * channels + c) * h + row) * w + column] as number;
              sum += pixel * (k[(((f as number) * channels + c) * kh + p) * kw + q] as number);
            }
            return sum;
          };
          const bias = Tensor.arange(0, filters, 1, { space });
          expectSame(images.conv2d(weights, { stride, padding, dilation, bias }), { shape, at }, 1e-6);
        },
      ),
      { numRuns: runs / 4 },
    );
  });
});
