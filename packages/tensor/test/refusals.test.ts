import { hasErrorCode } from "@glia-os/abi/errors";
import { describe, expect, it } from "vitest";
import { type DType, quantise, quantisedMatmul, Space, Tensor } from "../src/index.ts";

const two = Tensor.zeros([2, 3]);
const ints = Tensor.zeros([2, 3], { dtype: "i32" });

/** What is refused, with its code and what the message names. */
const refused: readonly (readonly [what: string, code: string, names: RegExp, act: () => unknown])[] = [
  [
    "shapes that do not broadcast",
    "tensor.shape-mismatch",
    /add.*\[2, 3\] and \[4\].*3 against 4/,
    () => two.add(Tensor.zeros([4])),
  ],
  [
    "an out-parameter of another shape",
    "tensor.shape-mismatch",
    /\[3\] and \[2, 3\]/,
    () => two.add(1, Tensor.zeros([3])),
  ],
  ["matrices that do not fit", "tensor.shape-mismatch", /3 columns against 2 rows/, () => two.matmul(two)],
  [
    "a product of tensors without dimensions",
    "tensor.shape-mismatch",
    /need a dimension/,
    () => two.sum().matmul(two),
  ],
  ["a dot product of matrices", "tensor.shape-mismatch", /one dimension/, () => two.dot(two)],
  ["a reshape to another size", "tensor.shape-mismatch", /\[2, 3\] and \[4\]/, () => two.reshape([4])],
  [
    "a reshape with a rest that is not whole",
    "tensor.shape-mismatch",
    /\[4, -1\]/,
    () => two.reshape([4, -1]),
  ],
  ["a broadcast to a smaller shape", "tensor.shape-mismatch", /broadcast/, () => two.broadcastTo([3])],
  [
    "a gain of another length",
    "tensor.shape-mismatch",
    /\[2\]/,
    () => two.layerNorm({ gain: Tensor.ones([2]) }),
  ],
  [
    "a convolution of other channels",
    "tensor.shape-mismatch",
    /1 channels against 2/,
    () => Tensor.zeros([1, 1, 4, 4]).conv2d(Tensor.zeros([1, 2, 2, 2])),
  ],
  [
    "a kernel larger than the image",
    "tensor.shape-mismatch",
    /larger/,
    () => Tensor.zeros([1, 1, 2, 2]).conv2d(Tensor.zeros([1, 1, 3, 3])),
  ],
  ["a convolution of signals of two dimensions", "tensor.shape-mismatch", /three/, () => two.conv1d(two)],
  ["an axis out of range", "tensor.bad-axis", /sum: axis 2 .*rank 2/, () => two.sum({ axis: 2 })],
  ["an axis below the least", "tensor.bad-axis", /-3/, () => two.sum({ axis: -3 })],
  ["an axis that is not whole", "tensor.bad-axis", /0\.5/, () => two.softmax(0.5)],
  ["an axis named twice", "tensor.bad-axis", /twice/, () => two.sum({ axis: [0, -2] })],
  ["more parts than axes", "tensor.bad-axis", /slice/, () => two.slice(0, 0, 0)],
  ["an order that misses an axis", "tensor.bad-shape", /names 1 of 2/, () => two.transpose([0])],
  ["operands of two dtypes", "tensor.wrong-dtype", /i32; it takes f32/, () => two.add(ints)],
  [
    "an operation that does not take the dtype",
    "tensor.wrong-dtype",
    /div.*i32; it takes f32, f64/,
    () => ints.div(2),
  ],
  ["exp of integers", "tensor.wrong-dtype", /exp.*i32/, () => ints.exp()],
  ["arithmetic of bool", "tensor.wrong-dtype", /bool/, () => ints.equal(0).add(1)],
  ["neg of u8", "tensor.wrong-dtype", /u8/, () => Tensor.zeros([1], { dtype: "u8" }).neg()],
  [
    "matmul of u8",
    "tensor.wrong-dtype",
    /u8/,
    () => Tensor.zeros([1, 1], { dtype: "u8" }).matmul(Tensor.zeros([1, 1], { dtype: "u8" })),
  ],
  ["an out-parameter of another dtype", "tensor.wrong-dtype", /out.*i32/, () => two.add(1, ints)],
  ["a condition that is not bool", "tensor.wrong-dtype", /condition/, () => two.select(two, two)],
  ["a dtype nobody knows", "tensor.wrong-dtype", /f16/, () => Tensor.zeros([1], { dtype: "f16" as DType })],
  ["a cast to a dtype nobody knows", "tensor.wrong-dtype", /f16/, () => two.cast("f16" as DType)],
  [
    "a typed array nobody computes with",
    "tensor.wrong-dtype",
    /Uint16Array/,
    () => Tensor.from(new Uint16Array(1) as never),
  ],
  ["quantising of doubles", "tensor.wrong-dtype", /f64/, () => quantise(Tensor.zeros([1], { dtype: "f64" }))],
  [
    "quantised products of f64 values",
    "tensor.wrong-dtype",
    /f32/,
    () => quantisedMatmul({ values: two, scale: 1 }, { values: two.transpose(), scale: 1 }),
  ],
  ["a length below zero", "tensor.bad-shape", /-1/, () => Tensor.zeros([-1])],
  ["a length that is not whole", "tensor.bad-shape", /1\.5/, () => Tensor.zeros([1.5])],
  ["a length that is no number", "tensor.bad-shape", /x/, () => Tensor.zeros(["x" as never])],
  ["a number for a shape", "tensor.bad-shape", /5 is no list/, () => Tensor.zeros(5 as never)],
  ["nothing for a shape", "tensor.bad-shape", /undefined is no list/, () => Tensor.zeros(undefined as never)],
  [
    "nothing for an operand",
    "tensor.wrong-dtype",
    /undefined; it takes a tensor, a number/,
    () => two.add(undefined as never),
  ],
  [
    "nothing for an operand where out is given",
    "tensor.wrong-dtype",
    /undefined/,
    () => two.add(undefined as never, two),
  ],
  ["text for an operand", "tensor.wrong-dtype", /string/, () => two.mul("2" as never)],
  ["nine dimensions", "tensor.bad-shape", /9 dimensions/, () => Tensor.zeros([1, 1, 1, 1, 1, 1, 1, 1, 1])],
  [
    "a ninth dimension added",
    "tensor.bad-shape",
    /9 dimensions/,
    () => Tensor.zeros([1, 1, 1, 1, 1, 1, 1, 1]).unsqueeze(0),
  ],
  ["ragged arrays", "tensor.bad-shape", /ragged.*depth 1/, () => Tensor.from([[1, 2], [3]])],
  ["text among numbers", "tensor.bad-shape", /element 1 is string/, () => Tensor.from([1, "2" as never])],
  [
    "values that do not fill the shape",
    "tensor.bad-shape",
    /3 values/,
    () => Tensor.from([1, 2, 3], { shape: [2] }),
  ],
  ["the only element of several", "tensor.bad-shape", /6 elements/, () => two.item()],
  [
    "2^31 elements",
    "tensor.too-large",
    /2147483648, 1\]/,
    () => Tensor.zeros([2147483648, 1], { dtype: "u8" }),
  ],
  [
    "elements that overflow when multiplied",
    "tensor.too-large",
    /elements/,
    () => Tensor.zeros([2 ** 40, 2 ** 40, 2 ** 40]),
  ],
  [
    "more elements by broadcasting than can be",
    "tensor.too-large",
    /elements/,
    () => two.broadcastTo([2 ** 30, 2, 3]),
  ],
  ["4 GiB", "tensor.too-large", /8589934592 bytes/, () => Tensor.zeros([2 ** 30], { dtype: "f64" })],
  ["the maximum of nothing", "tensor.empty", /max.*\[0, 2\]/, () => Tensor.zeros([0, 2]).max({ axis: 0 })],
  ["the mean of nothing", "tensor.empty", /mean/, () => Tensor.zeros([0]).mean()],
  ["the sample variance of one", "tensor.empty", /2 or more/, () => Tensor.zeros([1]).variance({ ddof: 1 })],
  ["softmax over nothing", "tensor.empty", /softmax/, () => Tensor.zeros([2, 0]).softmax()],
  ["k above the length", "tensor.bad-option", /k is 4.*1 to 3/, () => two.topK(4)],
  ["k of zero", "tensor.bad-option", /k is 0/, () => two.topK(0)],
  ["a negative epsilon", "tensor.bad-option", /epsilon/, () => two.rmsNorm({ epsilon: -1 })],
  ["a step of zero", "tensor.bad-option", /step/, () => two.slice({ step: 0 })],
  ["a place outside", "tensor.bad-option", /2.*-2 to 1/, () => two.slice(2)],
  ["a range of halves", "tensor.bad-option", /from on axis 0 is 0\.5/, () => two.slice({ from: 0.5 })],
  ["an endless arange", "tensor.bad-option", /step/, () => Tensor.arange(0, 1, 0)],
  [
    "a stride of zero",
    "tensor.bad-option",
    /stride is 0/,
    () => Tensor.zeros([1, 1, 2, 2]).conv2d(Tensor.zeros([1, 1, 1, 1]), { stride: 0 }),
  ],
  ["a scale of zero", "tensor.bad-option", /scale is 0/, () => quantise(two, 0)],
  [
    "an i8 product whose sums may overflow",
    "tensor.bad-option",
    /131072/,
    () => Tensor.zeros([1, 131072], { dtype: "i8" }).matmul(Tensor.zeros([131072, 1], { dtype: "i8" })),
  ],
  ["squeezing a thick axis", "tensor.bad-layout", /3 elements/, () => two.squeeze(1)],
  [
    "elements of a view that skips some",
    "tensor.bad-layout",
    /one after the other/,
    () => two.transpose().data,
  ],
  [
    "an out-parameter that repeats elements",
    "tensor.bad-layout",
    /repeats/,
    () => Tensor.zeros([2, 3]).add(1, Tensor.zeros([1, 3]).broadcastTo([2, 3])),
  ],
  [
    "an out-parameter that overlaps in another order",
    "tensor.bad-layout",
    /shares memory/,
    () => {
      const square = Tensor.zeros([3, 3]);
      square.add(1, square.transpose());
    },
  ],
  [
    "a product written over its operand",
    "tensor.bad-layout",
    /shares memory/,
    () => {
      const square = Tensor.zeros([3, 3]);
      square.matmul(square, square);
    },
  ],
  [
    "operands of two spaces",
    "tensor.other-space",
    /add/,
    () => two.add(Tensor.zeros([2, 3], { space: new Space() })),
  ],
  ["a space without room", "tensor.bad-option", /limitBytes is 0/, () => new Space({ limitBytes: 0 })],
];

describe("bad input is refused by a typed error that names the values", () => {
  for (const [what, code, names, act] of refused)
    it(`${what}: ${code}`, () => {
      const error = caught(act);
      expect(hasErrorCode(error, code as never), String(error)).toBe(true);
      expect((error as Error).message).toMatch(names);
    });

  it("nothing is taken and nothing written by what is refused", () => {
    const space = new Space();
    const [a, out] = [Tensor.ones([2, 3], { space }), Tensor.full([2, 2], 7, { space })];
    const before = space.use();
    for (const act of [
      () => a.matmul(a, out),
      () => a.add(Tensor.zeros([2, 3])),
      () => a.add(1, out),
      () => a.sum({ axis: 9 }),
    ])
      expect(caught(act)).toBeInstanceOf(Error);
    expect(space.use()).toEqual(before);
    expect(out.toArray()).toEqual([
      [7, 7],
      [7, 7],
    ]);
  });
});

describe("freed tensors", () => {
  const operations: Readonly<Record<string, (freed: Tensor, good: Tensor) => unknown>> = {
    add: (a, b) => b.add(a),
    "add to a number": (a) => a.add(1),
    "an out-parameter": (a, b) => b.add(1, a),
    addScaled: (a, b) => b.addScaled(a, 1),
    copy: (a) => a.copy(),
    cast: (a) => a.cast("f64"),
    fill: (a) => a.fill(1),
    reshape: (a) => a.reshape([4]),
    transpose: (a) => a.transpose(),
    sum: (a) => a.sum(),
    variance: (a) => a.variance(),
    matmul: (a, b) => b.matmul(a),
    softmax: (a) => a.softmax(),
    layerNorm: (a, b) => b.layerNorm({ gain: a.slice(0) }),
    topK: (a) => a.topK(1),
    select: (a, b) => b.less(0).select(a, b),
    conv2d: (a, b) => b.reshape([1, 1, 2, 2]).conv2d(b.reshape([1, 1, 2, 2]), { bias: a }),
    cosineSimilarity: (a, b) => a.cosineSimilarity(b.slice(0)),
    quantise: (a) => quantise(a),
    item: (a) => a.slice(0, 0).item(),
    data: (a) => a.data,
    toArray: (a) => a.toArray(),
    "Tensor.from": (a) => Tensor.from(a),
    "Tensor.over": (a, b) => Tensor.over(a, b.data),
  };
  for (const [name, use] of Object.entries(operations))
    it(`${name} refuses a freed tensor: tensor.freed, and takes no memory`, () => {
      using space = new Space();
      const good = Tensor.ones([2, 2], { space });
      const freed = Tensor.ones([2, 2], { space });
      freed.free();
      const before = space.use().usedBytes;
      const error = caught(() => space.scope(() => void use(freed, good)));
      expect(hasErrorCode(error, "tensor.freed"), String(error)).toBe(true);
      expect(space.use().usedBytes).toBe(before);
    });
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return expect.fail("it was not refused");
}
