import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type DType, type Nested, type Part, Space, Tensor } from "../src/index.ts";

interface Written {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
}

interface Case {
  readonly op: string;
  readonly in: readonly Written[];
  readonly args: Args;
  readonly out: Written;
}

interface Args {
  readonly axis?: number | readonly number[] | null;
  readonly keepDims?: boolean;
  readonly ddof?: number;
  readonly order?: readonly number[];
  readonly shape?: readonly number[];
  readonly parts?: readonly (number | readonly [number | null, number | null, number | null])[];
  readonly dtype?: DType;
  readonly start?: number;
  readonly end?: number;
  readonly step?: number;
}

const cases = JSON.parse(readFileSync(new URL("fixtures/numpy.json", import.meta.url), "utf8")) as Case[];
const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  "-inf": -Infinity,
  "-0": -0,
};

/** Operations that add up terms: in another order than NumPy does. */
const sums = new Set(["sum", "mean", "variance", "norm", "matmul"]);

/** Of two zeros, which one NumPy gives depends on their order; N2 orders them. */
const zeros = new Set(["minimum", "maximum"]);

function numbers({ data }: Written): number[] {
  return data.map((value) => (typeof value === "string" ? (words[value] as number) : Number(value)));
}

function perform({ op, args }: Case, [a, b, c]: readonly Tensor[], space: Space): Tensor {
  const over = {
    ...(args.axis === null || args.axis === undefined ? {} : { axis: args.axis }),
    ...(args.keepDims === undefined ? {} : { keepDims: args.keepDims }),
    ...(args.ddof === undefined ? {} : { ddof: args.ddof }),
  };
  if (op === "arange") return Tensor.arange(args.start as number, args.end, args.step, { ...args, space });
  if (a === undefined) throw new RangeError(`${op} without an operand`);
  switch (op) {
    case "transpose":
      return a.transpose(args.order);
    case "transposeReshape":
      return a.transpose(args.order).reshape(args.shape as readonly number[]);
    case "slice":
      return a.slice(...(args.parts ?? []).map(partOf));
    case "broadcastTo":
      return a.broadcastTo(args.shape as readonly number[]);
    case "cast":
      return a.cast(args.dtype as DType);
    case "select":
      return a.select(b as Tensor, c as Tensor);
    default: {
      const method = a[op as "add"] as (this: Tensor, ...more: unknown[]) => Tensor;
      return method.call(a, b ?? (Object.keys(over).length > 0 ? over : undefined));
    }
  }
}

function partOf(part: number | readonly [number | null, number | null, number | null]): Part {
  if (typeof part === "number") return part;
  const [from, to, step] = part;
  return {
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(step === null ? {} : { step }),
  };
}

describe(`shapes, views and values are NumPy's (${cases.length} recorded results)`, () => {
  const names = new Set(cases.map(({ op }) => op));
  for (const name of names)
    it(`${name} gives NumPy's shape, dtype and elements`, () => {
      for (const one of cases.filter(({ op }) => op === name)) {
        using space = new Space();
        const inputs = one.in.map((input) =>
          Tensor.from(Float64Array.from(numbers(input)), { dtype: input.dtype, shape: input.shape, space }),
        );
        const result = perform(one, inputs, space);
        const said = JSON.stringify({ ...one, out: undefined }).slice(0, 300);
        expect([result.dtype, ...result.shape], said).toEqual([one.out.dtype, ...one.out.shape]);
        compare(result, one.out, sums.has(name) ? 1e-5 : zeros.has(name) ? 1e-300 : 0, said);
      }
    });
});

function compare(result: Tensor, wanted: Written, tolerance: number, said: string): void {
  const is = result.toTypedArray();
  const exact = wanted.dtype === "f32" ? Math.fround : (value: number) => value;
  for (const [index, raw] of numbers(wanted).entries()) {
    const value = exact(raw);
    const got = is[index] as number;
    if (
      Object.is(got, value) ||
      (tolerance > 0 && Math.abs(got - value) <= tolerance * Math.max(1, Math.abs(value)))
    )
      continue;
    expect.fail(`${said}: element ${index} is ${got}, NumPy gives ${value}`);
  }
}

describe("nested arrays", () => {
  it("go in and come out the same, for every dtype", () => {
    const values: readonly (readonly [DType, Nested])[] = [
      [
        "f32",
        [
          [1.5, -2],
          [0, 4],
        ],
      ],
      ["f64", [0.1, 0.2]],
      ["i32", [[[2147483647]], [[-2147483648]]]],
      ["i8", [[-128, 127]]],
      ["u8", [255]],
      [
        "bool",
        [
          [true, false],
          [false, true],
        ],
      ],
      ["f32", 7],
      ["f32", []],
    ];
    for (const [dtype, value] of values) expect(Tensor.from(value, { dtype }).toArray()).toEqual(value);
  });
});
