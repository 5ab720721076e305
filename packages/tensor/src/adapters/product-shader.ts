/**
 * The product of two matrices in WGSL.
 *
 * A workgroup of 16 x 16 makes a tile of 64 x 64 of the result: it copies slices of both operands, 16 deep, into its own memory, and each
 * invocation keeps 4 x 4 sums. What lies over an edge counts as 0 and is not written.
 */

/** Rows and columns of the result that one workgroup makes. */
export const TILE = 64;

/** Bindings: 0 to 2 the matrices a, b and c, 3 the size as m, n, k and 0. */
export const PRODUCT_SHADER: string = `
struct Size { m: u32, n: u32, k: u32, none: u32 }

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> size: Size;

var<workgroup> slice_a: array<f32, 1024>;
var<workgroup> slice_b: array<f32, 1024>;

@compute @workgroup_size(16, 16)
fn product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) me: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let top = group.y * ${TILE}u;
  let left = group.x * ${TILE}u;
  var sums: array<f32, 16>;
  for (var first = 0u; first < size.k; first += 16u) {
    for (var part = 0u; part < 4u; part++) {
      let at = index + part * 256u;
      let row = top + at / 16u;
      let a_depth = first + at % 16u;
      var value = 0.0;
      if (row < size.m && a_depth < size.k) { value = a[row * size.k + a_depth]; }
      slice_a[at] = value;
      let column = left + at % 64u;
      let b_depth = first + at / 64u;
      value = 0.0;
      if (column < size.n && b_depth < size.k) { value = b[b_depth * size.n + column]; }
      slice_b[at] = value;
    }
    workgroupBarrier();
    for (var depth = 0u; depth < 16u; depth++) {
      var line: array<f32, 4>;
      for (var x = 0u; x < 4u; x++) { line[x] = slice_b[depth * 64u + me.x * 4u + x]; }
      for (var y = 0u; y < 4u; y++) {
        let factor = slice_a[(me.y * 4u + y) * 16u + depth];
        for (var x = 0u; x < 4u; x++) { sums[y * 4u + x] += factor * line[x]; }
      }
    }
    workgroupBarrier();
  }
  for (var y = 0u; y < 4u; y++) {
    for (var x = 0u; x < 4u; x++) {
      let row = top + me.y * 4u + y;
      let column = left + me.x * 4u + x;
      if (row < size.m && column < size.n) { c[row * size.n + column] = sums[y * 4u + x]; }
    }
  }
}
`;
