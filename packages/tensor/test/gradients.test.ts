/** Gradients against finite differences in float64, and a network that learns by them. */
import { describe, expect, it } from "vitest";
import {
  add,
  conv2d,
  crossEntropy,
  layerNorm,
  linear,
  relu,
  reshape,
  Tape,
  type Variable,
} from "../src/gradients/index.ts";
import { Space, scalarBackend, Tensor } from "../src/index.ts";

const space = new Space({ backend: scalarBackend() });

function random(shape: readonly number[], seed: number, dtype: "f32" | "f64" = "f64"): Tensor {
  let state = seed * 7919 + 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const values = Float64Array.from({ length: shape.reduce((all, one) => all * one, 1) }, next);
  return Tensor.from(dtype === "f64" ? values : Float32Array.from(values), { shape, space });
}

const STEP = 1e-5;

/**
 * Compare the gradients of a program with central differences: (f(x + h) - f(x - h)) / 2h is off by some h^2 and by the rounding of f over h, so both
 * are near 1e-9 here.
 */
function expectGradients(
  inputs: readonly Tensor[],
  program: (inputs: readonly Variable[]) => Variable,
): void {
  const before = space.use().usedBytes;
  const lossOf = (): number => {
    using tape = new Tape();
    return program(inputs.map((input) => tape.variable(input))).value.item();
  };
  const tape = new Tape();
  const variables = inputs.map((input) => tape.variable(input));
  tape.backward(program(variables));
  for (const [which, { gradient, value }] of variables.entries()) {
    expect(gradient?.shape, `input ${which}`).toEqual(value.shape);
    const slopes = gradient!.toTypedArray();
    for (let at = 0; at < value.size; at++) {
      const was = value.data[at]!;
      value.data[at] = was + STEP;
      const above = lossOf();
      value.data[at] = was - STEP;
      const below = lossOf();
      value.data[at] = was;
      const wanted = (above - below) / (2 * STEP);
      expect(Math.abs(slopes[at]! - wanted), `input ${which}, element ${at}`).toBeLessThan(1e-7);
    }
  }
  tape.free();
  expect(space.use().usedBytes).toBe(before);
}

/** A loss that weighs every element differently, so that no error cancels. */
function lossOf(x: Variable, rows: number): Variable {
  const columns = x.value.size / rows;
  return crossEntropy(
    reshape(x, [rows, columns]),
    Array.from({ length: rows }, (_, row) => (3 * row + 1) % columns),
  );
}

describe("gradients agree with finite differences (GR1)", () => {
  it("of linear layers with and without a bias", () => {
    const inputs = [random([3, 4], 1), random([4, 5], 2), random([5], 3)];
    expectGradients(inputs, ([x, w, b]) => lossOf(linear(x!, w!, b!), 3));
    expectGradients(inputs.slice(0, 2), ([x, w]) => lossOf(linear(x!, w!), 3));
  });

  it("of relu, sums of two paths, and a variable that is used twice", () => {
    expectGradients([random([4, 6], 4)], ([x]) => lossOf(relu(x!), 4));
    expectGradients([random([4, 6], 5)], ([x]) => lossOf(add(relu(x!), x!), 4));
    expectGradients([random([4, 4], 6)], ([x]) => lossOf(linear(x!, x!), 4));
  });

  it("of softmax cross-entropy, of large scores too", () => {
    const scores = random([5, 7], 7);
    scores.mul(30, scores);
    expectGradients([scores], ([x]) => crossEntropy(x!, [0, 6, 3, 3, 1]));
  });

  it("of layer norm with gain and shift, and without, of two and three dimensions", () => {
    expectGradients([random([3, 6], 8), random([6], 9), random([6], 10)], ([x, gain, shift]) =>
      lossOf(layerNorm(x!, { gain: gain!, shift: shift! }), 3),
    );
    expectGradients([random([2, 3, 5], 11), random([5], 12)], ([x, gain]) =>
      lossOf(layerNorm(x!, { gain: gain!, epsilon: 0.1 }), 2),
    );
  });

  it("of convolutions with strides, padding, dilation and bias", () => {
    const images = random([2, 3, 6, 5], 13);
    const filters = random([4, 3, 2, 3], 14);
    const bias = random([4], 15);
    for (const steps of [
      {},
      { stride: 2 },
      { padding: [1, 2] as const },
      { dilation: [2, 1] as const, padding: 1, stride: [1, 2] as const },
    ])
      expectGradients([images, filters, bias], ([x, w, b]) =>
        lossOf(conv2d(x!, w!, { ...steps, bias: b! }), 2),
      );
  });

  it("of a network of all of them", () => {
    const inputs = [
      random([2, 1, 6, 6], 16),
      random([3, 1, 3, 3], 17),
      random([3], 18),
      random([48, 5], 19),
      random([5], 20),
    ];
    expectGradients(inputs, ([x, filters, bias, w, b]) => {
      const seen = relu(conv2d(x!, filters!, { bias: bias! }));
      return crossEntropy(layerNorm(linear(reshape(seen, [2, 48]), w!, b!)), [4, 0]);
    });
  });
});

it("a network of f32 learns a rule that no line can tell, by the gradients of tapes", () => {
  const [w1, b1, w2, b2] = [
    random([2, 16], 1, "f32"),
    random([16], 2, "f32"),
    random([16, 2], 3, "f32"),
    random([2], 4, "f32"),
  ];
  const points = random([64, 2], 5, "f32");
  const labels = Array.from({ length: 64 }, (_, row) =>
    points.data[2 * row]! * points.data[2 * row + 1]! > 0 ? 1 : 0,
  );
  const before = space.use().usedBytes;
  let loss = 0;
  for (let step = 0; step < 400; step++) {
    using tape = new Tape();
    const weights = [w1, b1, w2, b2].map((one) => tape.variable(one));
    const [v1, c1, v2, c2] = weights as [Variable, Variable, Variable, Variable];
    const result = crossEntropy(linear(relu(linear(tape.variable(points), v1, c1)), v2, c2), labels);
    tape.backward(result);
    loss = result.value.item();
    for (const { value, gradient } of weights) value.addScaled(gradient!, -0.5);
  }
  console.log(`loss after 400 steps: ${loss.toFixed(4)}`);
  expect(loss).toBeLessThan(0.1);
  expect(space.use().usedBytes).toBe(before);
});

describe("a tape refuses, and takes nothing", () => {
  const codeOf = (work: () => unknown): string => {
    try {
      work();
      return "nothing thrown";
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it("what does not fit, labels that are none, results of more than one element, and use after it was played (GR3)", () => {
    const tape = new Tape();
    const x = tape.variable(random([3, 4], 1));
    const other = new Tape().variable(random([4, 4], 2));
    const used = space.use().usedBytes;
    expect(codeOf(() => linear(x, other))).toBe("tensor.bad-option");
    expect(codeOf(() => linear(x, tape.variable(random([5, 2], 1))))).toBe("tensor.shape-mismatch");
    expect(codeOf(() => linear(x, tape.variable(random([4, 2], 1)), tape.variable(random([7], 1))))).toBe(
      "tensor.shape-mismatch",
    );
    expect(codeOf(() => add(x, tape.variable(random([4], 1))))).toBe("tensor.shape-mismatch");
    for (const labels of [
      [0, 1, 4],
      [0, 1, -1],
      [0, 1, 0.5],
      [0, 1, Number.NaN],
    ])
      expect(codeOf(() => crossEntropy(x, labels))).toBe("tensor.bad-option");
    expect(codeOf(() => crossEntropy(x, [0, 1]))).toBe("tensor.shape-mismatch");
    expect(codeOf(() => tape.variable(Tensor.zeros([2], { dtype: "i32", space })))).toBe(
      "tensor.wrong-dtype",
    );
    expect(codeOf(() => tape.backward(x))).toBe("tensor.bad-option");
    const loss = crossEntropy(x, [0, 1, 2]);
    tape.backward(loss);
    expect(codeOf(() => tape.backward(loss))).toBe("tensor.bad-option");
    expect(codeOf(() => relu(x))).toBe("tensor.bad-option");
    tape.free();
    tape.free();
    expect(x.gradient).toBeUndefined();
    expect(space.use().usedBytes).toBeGreaterThanOrEqual(used);
  });
});
