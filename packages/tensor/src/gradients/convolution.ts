/**
 * Convolution on a tape.
 *
 * With the columns of an image as a matrix C (one row for each element of a filter, one column for each place), the result is W C. So dW = dY Cᵀ, and
 * the columns' gradient Wᵀ dY goes back to the pixels they were copied from.
 */
import type { ConvolutionOptions } from "../ops/convolution.ts";
import { Tensor } from "../tensor.ts";
import type { Variable } from "./tape.ts";

/** As of `Tensor.conv2d`, with the bias as a variable. */
export interface ConvolutionSteps extends Omit<ConvolutionOptions<Tensor>, "bias"> {
  readonly bias?: Variable;
}

/** Images [n, channels, height, width] with filters [f, channels, kh, kw]: [n, f, oh, ow]. */
export function conv2d(images: Variable, filters: Variable, options: ConvolutionSteps = {}): Variable {
  const { tape } = images;
  const { bias, ...steps } = options;
  tape.require("conv2d", [images, filters, bias]);
  const result = images.value.conv2d(filters.value, {
    ...steps,
    ...(bias === undefined ? {} : { bias: bias.value }),
  });
  return tape.note(result, (dy) => {
    const { dtype, space } = dy;
    const sources = sourcesOf(images.value.shape, filters.value.shape, dy.shape, steps);
    const [count = 0, many = 0] = dy.shape;
    const places = dy.size / Math.max(1, count * many);
    const depth = sources.length / Math.max(1, places);
    const pixels = images.value.toTypedArray();
    const back = Tensor.zeros(images.value.shape, { dtype, space });
    const slope = Tensor.zeros([many, depth], { dtype, space });
    space.scope(() => {
      const across = filters.value.reshape([many, depth]).transpose();
      const columns = Tensor.zeros([depth, places], { dtype, space });
      const each = pixels.length / Math.max(1, count);
      for (let image = 0; image < count; image++) {
        const dOut = dy.slice(image).reshape([many, places]);
        const copied = columns.data;
        for (const [at, from] of sources.entries()) copied[at] = from < 0 ? 0 : pixels[image * each + from]!;
        slope.addScaled(dOut.matmul(columns.transpose()), 1);
        const returned = across.matmul(dOut);
        const [to, from] = [back.data, returned.data];
        for (const [at, place] of sources.entries()) if (place >= 0) to[image * each + place]! += from[at]!;
      }
    });
    tape.pass(images, back);
    tape.pass(filters, slope.reshape(filters.value.shape));
    tape.keep(slope);
    if (bias !== undefined) tape.pass(bias, dy.sum({ axis: [0, 2, 3] }));
  });
}

const both = (
  value: number | readonly [number, number] | undefined,
  rest: number,
): readonly [number, number] =>
  value === undefined ? [rest, rest] : typeof value === "number" ? [value, value] : value;

/** For each element of the matrix of columns, the pixel of one image it was copied from, or -1 for padding. */
function sourcesOf(
  images: readonly number[],
  filters: readonly number[],
  result: readonly number[],
  { stride, padding, dilation }: Omit<ConvolutionSteps, "bias">,
): Int32Array {
  const [, channels = 0, height = 0, width = 0] = images;
  const [, , kh = 0, kw = 0] = filters;
  const [, , high = 0, wide = 0] = result;
  const [[sy, sx], [py, px], [dy, dx]] = [both(stride, 1), both(padding, 0), both(dilation, 1)];
  const sources = new Int32Array(channels * kh * kw * high * wide);
  let at = 0;
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < kh; i++)
      for (let j = 0; j < kw; j++)
        for (let y = 0; y < high; y++)
          for (let x = 0; x < wide; x++) {
            const [row, column] = [y * sy - py + i * dy, x * sx - px + j * dx];
            const isInside = row >= 0 && row < height && column >= 0 && column < width;
            sources[at++] = isInside ? (channel * height + row) * width + column : -1;
          }
  return sources;
}
