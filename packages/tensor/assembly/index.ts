/** The kernels' exports: one module of pure functions over the memory that the host brings. */
export * from "./casts";
export * from "./comparing";
export * from "./elementwise";
export * from "./gemm";
export { gemmI8, probeDot, setDot } from "./gemm-int8";
export * from "./integer-sums";
export * from "./moves";
export * from "./order";
export { peak_f32 } from "./peak";
export {
  exp_f32, exp_f64, gelu_f32, gelu_f64, log_f32, log_f64, sigmoid_f32, sigmoid_f64, silu_f32, silu_f64, tanh_f32, tanh_f64,
} from "./real";
export {
  argmax_f32, argmax_f64, argmax_i32, argmin_f32, argmin_f64, argmin_i32, dot_f32, dot_f64, mean_f32, mean_f64, norm_f32, norm_f64,
  reduceMax_f32, reduceMax_f64, reduceMax_i32, reduceMin_f32, reduceMin_f64, reduceMin_i32, sum_f32, sum_f64, variance_f32,
  variance_f64,
} from "./reductions";
export { layerNorm_f32, layerNorm_f64, rmsNorm_f32, rmsNorm_f64, softmax_f32, softmax_f64 } from "./rows";
export { set_work, work_bytes } from "./work";
