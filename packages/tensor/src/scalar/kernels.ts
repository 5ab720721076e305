/** Every kernel in plain JavaScript, over any memory: the reference for values, and what a backend does not have of its own. */
import type { Kernels, TensorMemory } from "../backend.ts";
import type { DType, Numeric } from "../dtype.ts";
import { floatElements } from "./float-elements.ts";
import { floatReductions } from "./float-reductions.ts";
import { gemm32, gemm64 } from "./gemm.ts";
import { im2col } from "./im2col.ts";
import { integerElements, signedElements } from "./integer-elements.ts";
import { integerDot, integerGemm, integerSum } from "./integer-reductions.ts";
import { type AnyArray, type Lens, type Lenses, lensesOf } from "./lens.ts";
import * as moves from "./moves.ts";
import { extreme, place, topK } from "./order.ts";
import { quantize } from "./quantize.ts";
import { rowKernels } from "./rows.ts";

/** The kernels over a memory. They give the bits of docs/spec/tensor.md (N12). */
export function scalarKernels(memory: TensorMemory): Kernels {
  const lens = lensesOf(memory);
  return {
    ...moving(lens),
    ...arithmetic(lens),
    ...comparing(lens),
    ...products(lens),
    quantize: quantize(memory),
  };
}

function every<K>(lens: Lenses, make: (of: Lens<AnyArray>, dtype: DType) => K): Record<DType, K> {
  return { ...numbers(lens, make), bool: make(lens.bool, "bool") };
}

function numbers<K>(lens: Lenses, make: (of: Lens<AnyArray>, dtype: Numeric) => K): Record<Numeric, K> {
  return {
    f32: make(lens.f32, "f32"),
    f64: make(lens.f64, "f64"),
    i32: make(lens.i32, "i32"),
    i8: make(lens.i8, "i8"),
    u8: make(lens.u8, "u8"),
  };
}

function moving(lens: Lenses): Pick<Kernels, "fill" | "copy" | "cast" | "select"> {
  return {
    fill: every(lens, moves.fill),
    copy: every(lens, moves.copy),
    cast: every(lens, (from) => every(lens, (to, target) => moves.cast(from, to, target))),
    select: every(lens, (of) => moves.select(of, lens.bool)),
  };
}

type Elements = ReturnType<typeof floatElements>;
type Reductions = ReturnType<typeof floatReductions>;
type Arithmetic = Pick<Kernels, keyof Elements | keyof Reductions>;

function arithmetic(lens: Lenses): Arithmetic {
  const f32 = { ...floatElements(lens.f32), ...floatReductions(lens.f32, "f32") };
  const f64 = { ...floatElements(lens.f64), ...floatReductions(lens.f64, "f64") };
  const i32 = { ...integerElements(lens.i32), ...signedElements(lens.i32) };
  const i8 = { ...integerElements(lens.i8), ...signedElements(lens.i8) };
  const u8 = integerElements(lens.u8);
  const all = <Name extends keyof typeof u8>(name: Name) => ({
    f32: f32[name],
    f64: f64[name],
    i32: i32[name],
    i8: i8[name],
    u8: u8[name],
  });
  const signed = (name: "neg" | "abs") => ({ f32: f32[name], f64: f64[name], i32: i32[name], i8: i8[name] });
  const float = <Name extends keyof typeof f32>(name: Name) => ({ f32: f32[name], f64: f64[name] });
  return {
    add: all("add"),
    sub: all("sub"),
    mul: all("mul"),
    min: all("min"),
    max: all("max"),
    div: float("div"),
    axpy: float("axpy"),
    neg: signed("neg"),
    abs: signed("abs"),
    sqrt: float("sqrt"),
    exp: float("exp"),
    log: float("log"),
    tanh: float("tanh"),
    sigmoid: float("sigmoid"),
    relu: float("relu"),
    gelu: float("gelu"),
    silu: float("silu"),
    mean: float("mean"),
    norm: float("norm"),
    variance: float("variance"),
    dot: { ...float("dot"), i32: integerDot(lens.i32) },
    sum: {
      ...float("sum"),
      i32: integerSum(lens.i32, lens.i32),
      i8: integerSum(lens.i8, lens.i32),
      u8: integerSum(lens.u8, lens.i32),
      bool: integerSum(lens.bool, lens.i32),
    },
  };
}

type Comparing = Pick<
  Kernels,
  "equal" | "less" | "lessEqual" | "reduceMin" | "reduceMax" | "argmin" | "argmax" | "topK"
>;

function comparing(lens: Lenses): Comparing {
  return {
    equal: every(lens, (of) => moves.compare(of, lens.bool, (a, b) => a === b)),
    less: numbers(lens, (of) => moves.compare(of, lens.bool, (a, b) => a < b)),
    lessEqual: numbers(lens, (of) => moves.compare(of, lens.bool, (a, b) => a <= b)),
    reduceMin: numbers(lens, (of) => extreme(of, Math.min)),
    reduceMax: numbers(lens, (of) => extreme(of, Math.max)),
    argmin: numbers(lens, (of) => place(of, lens.i32, (a, b) => a < b)),
    argmax: numbers(lens, (of) => place(of, lens.i32, (a, b) => a > b)),
    topK: numbers(lens, (of) => topK(of, lens.i32)),
  };
}

type Products = Pick<Kernels, "gemm" | "gemmI8" | "softmax" | "layerNorm" | "rmsNorm" | "im2col">;

function products(lens: Lenses): Products {
  const f32 = rowKernels(lens.f32, "f32");
  const f64 = rowKernels(lens.f64, "f64");
  return {
    gemm: { f32: gemm32(lens.f32), f64: gemm64(lens.f64), i32: integerGemm(lens.i32, lens.i32) },
    gemmI8: integerGemm(lens.i8, lens.i32),
    softmax: { f32: f32.softmax, f64: f64.softmax },
    layerNorm: { f32: f32.layerNorm, f64: f64.layerNorm },
    rmsNorm: { f32: f32.rmsNorm, f64: f64.rmsNorm },
    im2col: { f32: im2col(lens.f32), f64: im2col(lens.f64) },
  };
}
