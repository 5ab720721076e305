/**
 * A guest's tensor as bytes, for its snapshot (docs/spec/tensor.md, G7).
 *
 * RE1. `u8` version 1, `u8` dtype, `u8` rank, `u8` 0, then `u32` for each dimension, then the elements, little-endian, NaN canonical.
 * RE2. A reader takes exactly this and checks the length before it takes memory.
 */
import { BYTES, DTYPES, type DType } from "../dtype.ts";
import { BadShapeError } from "../errors.ts";
import type { Space } from "../memory/space.ts";
import { sizeOfShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { canonicalNaN } from "./canonical.ts";

const VERSION = 1;
const HEAD = 4;

/** What a record says, before its elements are in a space. */
export interface TensorRecord {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: Uint8Array;
}

/** A record as bytes. */
export function encodeTensor({ dtype, shape, elements }: TensorRecord): Uint8Array {
  const bytes = new Uint8Array(HEAD + 4 * shape.length + elements.length);
  const view = new DataView(bytes.buffer);
  bytes.set([VERSION, DTYPES.indexOf(dtype), shape.length, 0]);
  for (const [axis, length] of shape.entries()) view.setUint32(HEAD + 4 * axis, length, true);
  const target = bytes.subarray(HEAD + 4 * shape.length);
  target.set(elements);
  canonicalNaN(dtype, target);
  return bytes;
}

/** Read a record. @throws BadShapeError, TooLargeError */
export function decodeTensor(bytes: Uint8Array): TensorRecord {
  const [version, code = 255, rank = 255, zero] = bytes;
  const dtype = DTYPES[code];
  if (version !== VERSION || zero !== 0 || dtype === undefined || rank > 8 || bytes.length < HEAD + 4 * rank)
    throw new BadShapeError("decodeTensor", "these bytes are no record of a tensor");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(HEAD + 4 * axis, true));
  const elements = bytes.slice(HEAD + 4 * rank);
  const size = sizeOfShape("decodeTensor", shape) * BYTES[dtype];
  if (elements.length !== size)
    throw new BadShapeError(
      "decodeTensor",
      `a record of ${elements.length} bytes of elements, where its shape needs ${size}`,
    );
  if (dtype === "bool" && elements.some((value) => value > 1))
    throw new BadShapeError("decodeTensor", "a bool is neither 0 nor 1");
  return { dtype, shape, elements };
}

/** The tensor of a record, in a space. @throws QuotaExceededError */
export function materialise({ dtype, shape, elements }: TensorRecord, space: Space): Tensor {
  const tensor = Tensor.zeros(shape, { dtype, space });
  bytesOf(tensor).set(elements);
  return tensor;
}

/** The elements of a contiguous tensor as bytes, in place. */
export function bytesOf(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
