export type { Backend, Kernels, TensorMemory } from "./backend.ts";
export type { ArrayOf, DType, Float, Numeric } from "./dtype.ts";
export {
  BadAxisError,
  BadBackendError,
  BadLayoutError,
  BadOptionError,
  BadShapeError,
  EmptyError,
  FreedError,
  OtherSpaceError,
  QuotaExceededError,
  ShapeMismatchError,
  TooLargeError,
  WrongDTypeError,
} from "./errors.ts";
