/**
 * Convolution (cross-correlation, as neural networks mean it): the columns of each image as a matrix, and one matrix product.
 *
 * C1. Temporary memory: one image's columns, channels * kh * kw * oh * ow elements.
 */
import type { Float } from "../dtype.ts";
import { BadOptionError, ShapeMismatchError, WrongDTypeError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import { contiguous, copy } from "./copies.ts";
import { binary } from "./elementwise.ts";
import { requireApart, requireSameSpace, resultFor } from "./result.ts";
import { reshape } from "./views.ts";

/** How a convolution steps; numbers apply to both directions. */
export interface ConvolutionOptions<T> {
  /** From 1. Default 1. */
  readonly stride?: number | readonly [number, number];
  /** Zeros around the image, from 0. Default 0. */
  readonly padding?: number | readonly [number, number];
  /** Distance of the kernel's elements, from 1. Default 1. */
  readonly dilation?: number | readonly [number, number];
  /** One number for each output channel. */
  readonly bias?: T;
}

/** Images [n, channels, height, width] with kernels [filters, channels, kh, kw]: [n, filters, oh, ow]. */
export function conv2d<T extends Handle>(
  images: T,
  filters: T,
  options: ConvolutionOptions<T> = {},
  out?: T,
): T {
  const plan = planOf(images, filters, options);
  const shape = [plan.images, plan.filters, plan.high, plan.wide];
  const result = resultFor("conv2d", images, images.dtype, shape, out);
  if (out !== undefined)
    for (const one of [images, filters, options.bias])
      if (one !== undefined) requireApart("conv2d", out, one);
  const source = contiguous(images);
  const weights = contiguous(filters);
  const target = result.contiguous ? result : images.fresh("conv2d", images.dtype, shape);
  const columns = images.fresh("conv2d", images.dtype, [plan.depth, plan.high * plan.wide]);
  try {
    multiply(plan, source, weights, columns, target);
    if (options.bias !== undefined) addBias(target, options.bias);
    if (target !== result) copy(target, result);
    return result;
  } finally {
    columns.free();
    for (const [used, given] of [
      [source, images],
      [weights, filters],
      [target, result],
    ] as const)
      if (used !== given) used.free();
  }
}

/** Signals [n, channels, length] with kernels [filters, channels, k]: [n, filters, ol]. */
export function conv1d<T extends Handle>(
  signals: T,
  filters: T,
  options: ConvolutionOptions<T> = {},
  out?: T,
): T {
  if (signals.rank !== 3 || filters.rank !== 3)
    throw new ShapeMismatchError("conv1d", signals.shape, filters.shape, ": both must have three dimensions");
  const wide = (value: number | readonly [number, number] | undefined, rest: number) =>
    value === undefined ? rest : typeof value === "number" ? value : value[1];
  const flat = <H extends Handle>(a: H) => reshape(a, [...a.shape.slice(0, 2), 1, a.shape[2] as number]);
  const [image, kernel] = [flat(signals), flat(filters)];
  try {
    const result = conv2d(image, kernel, {
      ...options,
      stride: [1, wide(options.stride, 1)],
      padding: [0, wide(options.padding, 0)],
      dilation: [1, wide(options.dilation, 1)],
    });
    const signal = reshape(result, [
      result.shape[0] as number,
      result.shape[1] as number,
      result.shape[3] as number,
    ]);
    result.free();
    if (out === undefined) return signal;
    resultFor("conv1d", signals, signals.dtype, signal.shape, out);
    copy(signal, out);
    signal.free();
    return out;
  } finally {
    for (const one of [image, kernel]) one.free();
  }
}

interface Plan {
  readonly images: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly filters: number;
  readonly kh: number;
  readonly kw: number;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly high: number;
  readonly wide: number;
  /** Rows of the matrix of columns. */
  readonly depth: number;
}

function planOf<T extends Handle>(images: T, filters: T, options: ConvolutionOptions<T>): Plan {
  if (images.dtype !== "f32" && images.dtype !== "f64")
    throw new WrongDTypeError("conv2d", images.dtype, ["f32", "f64"]);
  for (const one of [filters, options.bias]) {
    if (one === undefined) continue;
    if (one.dtype !== images.dtype)
      throw new WrongDTypeError("conv2d, filters or bias", one.dtype, [images.dtype]);
    requireSameSpace("conv2d", images, one);
    one.at;
  }
  images.at;
  if (images.rank !== 4 || filters.rank !== 4)
    throw new ShapeMismatchError("conv2d", images.shape, filters.shape, ": both must have four dimensions");
  const [count, channels, height, width] = images.shape as [number, number, number, number];
  const [outputs, inputs, kh, kw] = filters.shape as [number, number, number, number];
  if (channels !== inputs)
    throw new ShapeMismatchError(
      "conv2d",
      images.shape,
      filters.shape,
      `do not fit: ${channels} channels against ${inputs}`,
    );
  const { bias } = options;
  if (bias !== undefined && (bias.rank !== 1 || bias.shape[0] !== outputs))
    throw new ShapeMismatchError(
      "conv2d",
      filters.shape,
      bias.shape,
      ": the bias needs one number for each filter",
    );
  const stride = pairOf("stride", options.stride, 1);
  const padding = pairOf("padding", options.padding, 0);
  const dilation = pairOf("dilation", options.dilation, 1);
  const reach = (length: number, k: number, at: 0 | 1) =>
    Math.floor((length + 2 * padding[at] - dilation[at] * (k - 1) - 1) / stride[at]) + 1;
  const [high, wide] = [reach(height, kh, 0), reach(width, kw, 1)];
  if (high < 1 || wide < 1 || kh < 1 || kw < 1)
    throw new ShapeMismatchError(
      "conv2d",
      images.shape,
      filters.shape,
      ": the kernel is empty or larger than the padded image",
    );
  const depth = channels * kh * kw;
  return {
    images: count,
    channels,
    height,
    width,
    filters: outputs,
    kh,
    kw,
    stride,
    padding,
    dilation,
    high,
    wide,
    depth,
  };
}

function pairOf(
  name: string,
  value: number | readonly [number, number] | undefined,
  least: 0 | 1,
): readonly [number, number] {
  const pair = value === undefined ? [least, least] : typeof value === "number" ? [value, value] : value;
  for (const one of pair)
    if (!Number.isInteger(one) || one < least || one > 65_535)
      throw new BadOptionError("conv2d", name, one, `a whole number from ${least} to 65535`);
  return pair as readonly [number, number];
}

function multiply(plan: Plan, source: Handle, weights: Handle, columns: Handle, target: Handle): void {
  const { kernels } = source.space.backend;
  const dtype = source.dtype as Float;
  const bytes = dtype === "f32" ? 4 : 8;
  const { channels, height, width, kh, kw, stride, padding, dilation, high, wide, depth } = plan;
  const area = high * wide;
  for (let i = 0; i < plan.images; i++) {
    const image = source.at + i * channels * height * width * bytes;
    kernels.im2col[dtype](
      columns.at,
      image,
      channels,
      height,
      width,
      kh,
      kw,
      ...stride,
      ...padding,
      ...dilation,
    );
    const to = target.at + i * plan.filters * area * bytes;
    kernels.gemm[dtype](to, weights.at, columns.at, plan.filters, area, depth, area, depth, 1, area, 1);
  }
}

function addBias<T extends Handle>(target: T, bias: T): void {
  const column = reshape(bias, [-1, 1, 1]);
  binary("conv2d", target.space.backend.kernels.add, target, column, target);
  column.free();
}
