export type { Backend, Kernels, TensorMemory } from "./backend.ts";
export type { ArrayOf, DType, Float, Numeric } from "./dtype.ts";
export {
  AdapterFailedError,
  BadAxisError,
  BadBackendError,
  BadLayoutError,
  BadOptionError,
  BadShapeError,
  EmptyError,
  FreedError,
  OtherSpaceError,
  QueueClosedError,
  QueueFullError,
  QuotaExceededError,
  ShapeMismatchError,
  SpaceClosedError,
  TooLargeError,
  WrongDTypeError,
} from "./errors.ts";
export type { Scoped, SpaceOptions, SpaceUse } from "./memory/space.ts";
export { Space } from "./memory/space.ts";
export type { Nested, Scalar } from "./nested.ts";
export type { ConvolutionOptions } from "./ops/convolution.ts";
export { dequantise, type Quantised, quantise, quantisedMatmul } from "./ops/quantised.ts";
export type { Over } from "./ops/reduce.ts";
export type { Greatest, GreatestOut, NormOptions } from "./ops/rows.ts";
export type { Part, Range } from "./ops/views.ts";
export { scalarBackend } from "./scalar/scalar-backend.ts";
export { defaultSpace, type ElementArray, Tensor, type TensorOptions } from "./tensor.ts";
