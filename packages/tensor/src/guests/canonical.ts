/** NaN as bytes that are the same on every machine (docs/spec/tensor.md, N11). */
import type { DType } from "../dtype.ts";

/** Overwrite every NaN among elements with the canonical one: 7fc00000 or 7ff8000000000000. */
export function canonicalNaN(dtype: DType, elements: Uint8Array): void {
  if (dtype !== "f32" && dtype !== "f64") return;
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  if (dtype === "f32") {
    for (let at = 0; at < elements.length; at += 4)
      if ((view.getUint32(at, true) & 0x7fffffff) > 0x7f800000) view.setUint32(at, 0x7fc00000, true);
    return;
  }
  for (let at = 0; at < elements.length; at += 8)
    if (Number.isNaN(view.getFloat64(at, true))) view.setBigUint64(at, 0x7ff8000000000000n, true);
}
