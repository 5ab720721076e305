/** The numbers of operations in `glia.tensor.v1` (docs/spec/tensor.md, G1 to G7). Never renumbered. */

/** Operations on each element, by their number. */
export const GUEST_UNARY = [
  "neg",
  "abs",
  "sqrt",
  "exp",
  "log",
  "tanh",
  "sigmoid",
  "relu",
  "gelu",
  "silu",
  "copy",
] as const;

/** Operations on pairs of elements, by their number. */
export const GUEST_BINARY = [
  "add",
  "sub",
  "mul",
  "div",
  "minimum",
  "maximum",
  "equal",
  "less",
  "lessEqual",
] as const;

/** Reductions, by their number. */
export const GUEST_REDUCE = ["sum", "mean", "min", "max", "argmin", "argmax", "norm", "variance"] as const;
