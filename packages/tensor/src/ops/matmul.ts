/**
 * Products: dot, matrix times vector, matrices, batches of matrices (docs/spec/tensor.md, T7, N5, N7).
 *
 * M1. Operands are never copied: kernels take any strides, so transposed views are free.
 */
import type { DotKernel, GemmKernel } from "../backend.ts";
import { BYTES, type DType } from "../dtype.ts";
import { BadOptionError, ShapeMismatchError, WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { broadcastShapes } from "../shape.ts";
import { walk } from "../walk.ts";
import { copy } from "./copies.ts";
import { kernelFor } from "./elementwise.ts";
import { requireApart, requireSameSpace, resultFor } from "./result.ts";

/** Longest inner dimension of an i8 product: 131,071 times 2^14 is less than 2^31. */
const MOST_I8 = 131_071;

/** The product as `numpy.matmul` has it; i8 operands give i32, exactly. */
export function matmul<T extends Handle>(a: T, b: T, out?: T): T {
  if (b.dtype !== a.dtype) throw new WrongDTypeError("matmul, second operand", b.dtype, [a.dtype]);
  if (a.rank === 0 || b.rank === 0)
    throw new ShapeMismatchError("matmul", a.shape, b.shape, ": both need a dimension or more");
  requireSameSpace("matmul", a, b);
  const k = a.shape.at(-1) as number;
  const inner = b.shape.at(b.rank === 1 ? 0 : -2) as number;
  if (k !== inner)
    throw new ShapeMismatchError(
      "matmul",
      a.shape,
      b.shape,
      `do not fit: ${k} columns against ${inner} rows`,
    );
  for (const one of [a, b]) one.at;
  if (a.dtype !== "i8" && (a.rank === 1 || b.rank === 1)) return withVector(a, b, out);
  return withMatrices(a, b, out);
}

/** The sum of products of two vectors of one length; a tensor without dimensions. */
export function dot<T extends Handle>(a: T, b: T, out?: T): T {
  if (a.rank !== 1 || b.rank !== 1)
    throw new ShapeMismatchError("dot", a.shape, b.shape, ": both must have one dimension");
  return matmul(a, b, out);
}

/** One operand is a vector: one dot product for each row or column of the other. */
function withVector<T extends Handle>(a: T, b: T, out: T | undefined): T {
  const kernel: DotKernel = kernelFor("matmul", a.space.backend.kernels.dot, a.dtype);
  const [many, one] = b.rank === 1 ? [a, b] : [b, a];
  const along = many.rank === 1 || many === a ? many.rank - 1 : many.rank - 2;
  const rest = many.shape.map((_, axis) => axis).filter((axis) => axis !== along);
  const lengths = rest.map((axis) => many.shape[axis] as number);
  const result = resultFor("matmul", a, a.dtype, lengths, out);
  if (out !== undefined) for (const operand of [a, b]) requireApart("matmul", out, operand);
  const n = one.size;
  const { at, stride } = walk;
  walk
    .over(lengths)
    .operand(result)
    .strided(
      many.at,
      BYTES[a.dtype],
      lengths,
      rest.map((axis) => many.strides[axis] as number),
    );
  if (!walk.begin()) return result;
  do
    kernel(
      at[0] as number,
      at[1] as number,
      one.at,
      walk.n,
      n,
      stride[0] as number,
      stride[1] as number,
      many.strides[along] as number,
      one.strides[0] as number,
    );
  while (walk.next());
  return result;
}

function gemmOf(a: Handle, k: number): { kernel: GemmKernel; dtype: DType } {
  const { kernels } = a.space.backend;
  if (a.dtype === "i8") {
    if (k > MOST_I8) throw new BadOptionError("matmul of i8", "the inner dimension", k, `at most ${MOST_I8}`);
    return { kernel: kernels.gemmI8, dtype: "i32" };
  }
  if (a.dtype === "f32" || a.dtype === "f64" || a.dtype === "i32")
    return { kernel: kernels.gemm[a.dtype], dtype: a.dtype };
  throw new WrongDTypeError("matmul", a.dtype, ["f32", "f64", "i32", "i8"]);
}

/** A matrix in a batch: a vector counts as a row or a column. */
interface Matrix {
  readonly batch: readonly number[];
  readonly batchStrides: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

function matrixOf({ shape, strides, rank }: Handle, vectorIs: "row" | "column"): Matrix {
  const last = { length: shape.at(-1) as number, stride: strides.at(-1) as number };
  if (rank === 1) {
    const row = vectorIs === "row";
    return {
      batch: [],
      batchStrides: [],
      rows: row ? 1 : last.length,
      columns: row ? last.length : 1,
      rowStride: row ? 0 : last.stride,
      columnStride: row ? last.stride : 0,
    };
  }
  return {
    batch: shape.slice(0, -2),
    batchStrides: strides.slice(0, -2),
    rows: shape.at(-2) as number,
    columns: last.length,
    rowStride: strides.at(-2) as number,
    columnStride: last.stride,
  };
}

function withMatrices<T extends Handle>(a: T, b: T, out: T | undefined): T {
  const left = matrixOf(a, "row");
  const right = matrixOf(b, "column");
  const { kernel, dtype } = gemmOf(a, left.columns);
  const batch = broadcastShapes("matmul", left.batch, right.batch);
  const rows = a.rank === 1 ? [] : [left.rows];
  const columns = b.rank === 1 ? [] : [right.columns];
  const shape = [...batch, ...rows, ...columns];
  const result = resultFor("matmul", a, dtype, shape, out);
  if (out !== undefined) for (const operand of [a, b]) requireApart("matmul", out, operand);
  const target = result.contiguous ? result : a.fresh("matmul", dtype, shape);
  const { at } = walk;
  const run = (to: number, from: number, with_: number) =>
    kernel(
      to,
      from,
      with_,
      left.rows,
      right.columns,
      left.columns,
      right.columns,
      left.rowStride,
      left.columnStride,
      right.rowStride,
      right.columnStride,
    );
  if (batch.length === 0) {
    if (target.size > 0) run(target.at, a.at, b.at);
  } else if (target.size > 0) {
    // An axis of one element keeps the matrices of a batch apart from its rows: `n` of the walk is that one.
    const bytes = BYTES[dtype];
    const matrices = target.strides.slice(0, batch.length);
    walk.over(batch).strided(target.at, bytes, batch, matrices);
    walk.strided(a.at, BYTES[a.dtype], left.batch, left.batchStrides);
    walk.strided(b.at, BYTES[b.dtype], right.batch, right.batchStrides);
    eachMatrix(bytes, BYTES[a.dtype], run);
  }
  if (target === result) return result;
  copy(target, result);
  target.free();
  return result;

  function eachMatrix(toBytes: number, fromBytes: number, multiply: typeof run): void {
    if (!walk.begin()) return;
    do
      for (let i = 0; i < walk.n; i++)
        multiply(
          (at[0] as number) + i * (walk.stride[0] as number) * toBytes,
          (at[1] as number) + i * (walk.stride[1] as number) * fromBytes,
          (at[2] as number) + i * (walk.stride[2] as number) * fromBytes,
        );
    while (walk.next());
  }
}
