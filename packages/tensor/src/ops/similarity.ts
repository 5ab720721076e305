/** Cosine similarity. */
import type { Handle } from "../handle.ts";
import { broadcastShapes } from "../shape.ts";
import { fill, select } from "./copies.ts";
import { binary } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reduce } from "./reduce.ts";
import { resultFor } from "./result.ts";

/**
 * The cosine of the angle between each row of `a` and the vector `b`: their dot product over the product of their norms, all in the dtype.
 * 0 where either is all zeros.
 */
export function cosineSimilarity<T extends Handle>(a: T, b: T, out?: T): T {
  const products = matmul(a, b);
  const temporary: T[] = [products];
  const keep = (one: T): T => {
    temporary.push(one);
    return one;
  };
  try {
    const { kernels } = a.space.backend;
    const rows = keep(reduce({ name: "cosineSimilarity" }, kernels.norm, a, { axis: -1 }));
    const row = keep(reduce({ name: "cosineSimilarity" }, kernels.norm, b, { axis: -1 }));
    const shape = broadcastShapes("cosineSimilarity", rows.shape, row.shape);
    const result = resultFor("cosineSimilarity", a, a.dtype, shape, out);
    const norms = keep(binary("cosineSimilarity", kernels.mul, rows, row));
    const none = keep(binary("cosineSimilarity", kernels.equal, norms, 0, undefined, "bool"));
    const quotients = keep(binary("cosineSimilarity", kernels.div, products, norms));
    const zeros = keep(fill(a.fresh("cosineSimilarity", a.dtype, []), 0));
    return select(none, zeros, quotients, result);
  } finally {
    for (const one of temporary) one.free();
  }
}
