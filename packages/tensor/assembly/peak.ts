/**
 * How fast this processor multiplies and adds vectors of four `f32` through this engine: the ceiling that products are measured by.
 */
import { madd } from "./lanes";

/** `times` rounds of twelve independent multiply-adds of four lanes: 96 operations each. The result depends on all of them;
 * the operands are parameters, because an engine may make a constant vector anew at each use. */
export function peak_f32(times: i32, factor: f32, term: f32): f32 {
  const x = f32x4.splat(factor), y = f32x4.splat(term);
  let c0 = f32x4.splat(1), c1 = f32x4.splat(2), c2 = f32x4.splat(3), c3 = f32x4.splat(4);
  let c4 = f32x4.splat(5), c5 = f32x4.splat(6), c6 = f32x4.splat(7), c7 = f32x4.splat(8);
  let c8 = f32x4.splat(9), c9 = f32x4.splat(10), ca = f32x4.splat(11), cb = f32x4.splat(12);
  for (let i = 0; i < times; i++) {
    c0 = madd<f32>(c0, x, y), c1 = madd<f32>(c1, x, y), c2 = madd<f32>(c2, x, y), c3 = madd<f32>(c3, x, y);
    c4 = madd<f32>(c4, x, y), c5 = madd<f32>(c5, x, y), c6 = madd<f32>(c6, x, y), c7 = madd<f32>(c7, x, y);
    c8 = madd<f32>(c8, x, y), c9 = madd<f32>(c9, x, y), ca = madd<f32>(ca, x, y), cb = madd<f32>(cb, x, y);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  const t = f32x4.add(s, f32x4.add(f32x4.add(c8, c9), f32x4.add(ca, cb)));
  return f32x4.extract_lane(t, 0) + f32x4.extract_lane(t, 1) + f32x4.extract_lane(t, 2) + f32x4.extract_lane(t, 3);
}
