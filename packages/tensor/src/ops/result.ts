/** Where an operation writes: a tensor it makes, or the out-parameter it was given (docs/spec/tensor.md, T4). */
import { BYTES, type DType } from "../dtype.ts";
import { BadLayoutError, OtherSpaceError, ShapeMismatchError, WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { sameShape } from "../shape.ts";

/** The result of an operation on `a`. @throws WrongDTypeError, ShapeMismatchError, OtherSpaceError, TooLargeError, QuotaExceededError */
export function resultFor<T extends Handle>(
  operation: string,
  a: T,
  dtype: DType,
  shape: readonly number[],
  out: T | undefined,
): T {
  if (out === undefined) return a.fresh(operation, dtype, shape);
  if (out.dtype !== dtype) throw new WrongDTypeError(`${operation}, out`, out.dtype, [dtype]);
  if (!sameShape(out.shape, shape))
    throw new ShapeMismatchError(
      operation,
      out.shape,
      shape,
      "are the out-parameter's and the result's: they differ",
    );
  requireSameSpace(operation, a, out);
  for (let axis = 0; axis < shape.length; axis++)
    if (out.strides[axis] === 0 && (shape[axis] as number) > 1)
      throw new BadLayoutError(operation, "the out-parameter repeats elements");
  return out;
}

/** @throws OtherSpaceError */
export function requireSameSpace(operation: string, a: Handle, b: Handle): void {
  if (a.space !== b.space) throw new OtherSpaceError(operation);
}

/** `out` is `a`, element for element, or shares nothing with it. @throws BadLayoutError */
export function requireInPlaceOrApart(operation: string, out: Handle, a: Handle): void {
  if (out === a || out.block !== a.block) return;
  if (
    out.at === a.at &&
    out.dtype === a.dtype &&
    sameShape(out.shape, a.shape) &&
    sameShape(out.strides, a.strides)
  )
    return;
  requireApart(operation, out, a);
}

/** `out` shares no memory with `a`. @throws BadLayoutError */
export function requireApart(operation: string, out: Handle, a: Handle): void {
  if (out.block !== a.block || out.size === 0 || a.size === 0) return;
  const one = extent(out);
  const other = extent(a);
  if (one.from < other.to && other.from < one.to)
    throw new BadLayoutError(operation, "the out-parameter shares memory with an operand in another order");
}

/** The range of bytes that holds every element. */
function extent(handle: Handle): { from: number; to: number } {
  const bytes = BYTES[handle.dtype];
  let from = handle.at;
  let to = handle.at + bytes;
  for (const [axis, length] of handle.shape.entries()) {
    const reach = (length - 1) * (handle.strides[axis] as number) * bytes;
    if (reach < 0) from += reach;
    else to += reach;
  }
  return { from, to };
}
