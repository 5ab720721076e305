/** The operations of a network on a tape, each with its derivative. Values are those of the methods of `Tensor` of the same name. */
import { BadOptionError, ShapeMismatchError } from "../errors.ts";
import { Tensor } from "../tensor.ts";
import type { Variable } from "./tape.ts";

/** Gives x w + b for rows x: [n, i] by [i, o] plus [o]. dx = dy wᵀ, dw = xᵀ dy, db = the sum of dy over rows. */
export function linear(x: Variable, weights: Variable, bias?: Variable): Variable {
  const { tape } = x;
  tape.require("linear", [x, weights, bias]);
  if (x.value.rank !== 2 || weights.value.rank !== 2)
    throw new ShapeMismatchError("linear", x.value.shape, weights.value.shape, ": both must be matrices");
  const product = x.value.matmul(weights.value);
  try {
    if (bias !== undefined) product.add(bias.value, product);
  } catch (error) {
    product.free();
    throw error;
  }
  return tape.note(product, (dy) => {
    tape.pass(
      x,
      across(weights.value, (turned) => dy.matmul(turned)),
    );
    tape.pass(
      weights,
      across(x.value, (turned) => turned.matmul(dy)),
    );
    if (bias !== undefined) tape.pass(bias, dy.sum({ axis: 0 }));
  });
}

/** Gives max(x, 0), whose derivative at 0 is taken as 0. */
export function relu(x: Variable): Variable {
  const { tape } = x;
  tape.require("relu", [x]);
  return tape.note(x.value.relu(), (dy) => {
    const isOff = tape.keep(x.value.lessEqual(0));
    const none = tape.keep(Tensor.zeros([], { dtype: dy.dtype, space: dy.space }));
    tape.pass(x, isOff.select(none, dy));
  });
}

/** The sum of two of one shape. */
export function add(a: Variable, b: Variable): Variable {
  const { tape } = a;
  tape.require("add", [a, b]);
  if (a.value.shape.join() !== b.value.shape.join())
    throw new ShapeMismatchError("add", a.value.shape, b.value.shape, "must be equal here");
  return tape.note(a.value.add(b.value), (dy) => {
    tape.pass(a, dy.copy());
    tape.pass(b, dy.copy());
  });
}

/** The same elements in another shape. */
export function reshape(x: Variable, shape: readonly number[]): Variable {
  const { tape } = x;
  tape.require("reshape", [x]);
  return tape.note(reshaped(x.value, shape), (dy) => tape.pass(x, reshaped(dy, x.value.shape)));
}

/**
 * The mean over rows of -log softmax(row)[label]: a tensor of one element. `logits` is [n, classes], `labels` n whole numbers below `classes`.
 * dx = (softmax - 1 at the label) / n. @throws BadOptionError, ShapeMismatchError
 */
export function crossEntropy(logits: Variable, labels: ArrayLike<number>): Variable {
  const { tape, value } = logits;
  tape.require("crossEntropy", [logits]);
  const [rows = 0, classes = 0] = value.shape;
  if (value.rank !== 2 || labels.length !== rows || rows === 0)
    throw new ShapeMismatchError(
      "crossEntropy",
      value.shape,
      [labels.length],
      "are no rows and one label for each",
    );
  const at = Array.from(labels, (label, row) => {
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new BadOptionError("crossEntropy", "a label", label, `a whole number from 0 to ${classes - 1}`);
    return row * classes + label;
  });
  const likely = tape.keep(value.softmax(-1));
  const scores = value.toTypedArray();
  let sum = 0;
  for (const [row, place] of at.entries()) sum += logOfSum(scores, row * classes, classes) - scores[place]!;
  const { dtype, space } = value;
  return tape.note(Tensor.full([], sum / rows, { dtype, space }), (dy) => {
    const slope = likely.copy();
    const elements = slope.data;
    for (const place of at) elements[place]! -= 1;
    slope.mul(dy.item() / rows, slope);
    tape.pass(logits, slope);
  });
}

/** log(sum of exp) of a part of an array, by way of its maximum. */
function logOfSum(values: ArrayLike<number>, first: number, count: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = first; i < first + count; i++) most = Math.max(most, values[i]!);
  let sum = 0;
  for (let i = first; i < first + count; i++) sum += Math.exp(values[i]! - most);
  return most + Math.log(sum);
}

/**
 * Rows of mean 0 and variance 1 along the last axis, times a gain, plus a shift. With h the normed rows, r = 1/sqrt(variance + epsilon) and
 * g = dy gain: dx = r (g - mean(g) - h mean(g h)).
 */
export function layerNorm(
  x: Variable,
  options: { readonly gain?: Variable; readonly shift?: Variable; readonly epsilon?: number } = {},
): Variable {
  const { tape, value } = x;
  const { gain, shift, epsilon = 1e-5 } = options;
  tape.require("layerNorm", [x, gain, shift]);
  const normed = tape.keep(value.layerNorm({ epsilon }));
  const result = value.layerNorm({
    epsilon,
    ...(gain === undefined ? {} : { gain: gain.value }),
    ...(shift === undefined ? {} : { shift: shift.value }),
  });
  return tape.note(result, (dy) => {
    const rows = Array.from({ length: value.rank - 1 }, (_, axis) => axis);
    const slope = value.space.scope(() => {
      const last = { axis: -1, keepDims: true };
      const spread = value.variance({ ...last, ddof: 0 });
      const root = spread.add(epsilon).sqrt();
      const g = gain === undefined ? dy : dy.mul(gain.value);
      const even = g.sub(g.mean(last));
      return even.sub(normed.mul(g.mul(normed).mean(last))).div(root);
    });
    tape.pass(x, slope);
    if (gain !== undefined)
      tape.pass(
        gain,
        value.space.scope(() => dy.mul(normed).sum({ axis: rows })),
      );
    if (shift !== undefined) tape.pass(shift, dy.sum({ axis: rows }));
  });
}

/** `work` with the transposed matrix, a view that is freed. */
function across(matrix: Tensor, work: (turned: Tensor) => Tensor): Tensor {
  const turned = matrix.transpose();
  try {
    return work(turned);
  } finally {
    turned.free();
  }
}

/** A copy in another shape: a view would tie two variables together. */
function reshaped(a: Tensor, shape: readonly number[]): Tensor {
  const view = a.reshape(shape);
  const apart = view.copy();
  view.free();
  return apart;
}
