/** The columns of a convolution as a matrix; see `Im2colKernel`. */
import type { Im2colKernel } from "../backend.ts";
import type { FloatArray, Lens } from "./lens.ts";

/** The kernel of one float dtype. */
export function im2col({ view, shift }: Lens<FloatArray>): Im2colKernel {
  return (out, image, channels, height, width, kh, kw, strideH, strideW, padH, padW, dilH, dilW) => {
    const x = view();
    const high = Math.floor((height + 2 * padH - dilH * (kh - 1) - 1) / strideH) + 1;
    const wide = Math.floor((width + 2 * padW - dilW * (kw - 1) - 1) / strideW) + 1;
    let to = out >>> shift;
    for (let row = 0; row < channels * kh * kw; row++) {
      const plane = (image >>> shift) + Math.floor(row / (kh * kw)) * height * width;
      const top = Math.floor((row % (kh * kw)) / kw) * dilH - padH;
      const left = (row % kw) * dilW - padW;
      for (let i = 0; i < high; i++) {
        const y = top + i * strideH;
        const inside = y >= 0 && y < height;
        for (let j = 0; j < wide; j++) {
          const at = left + j * strideW;
          x[to++] = inside && at >= 0 && at < width ? (x[plane + y * width + at] as number) : 0;
        }
      }
    }
  };
}
