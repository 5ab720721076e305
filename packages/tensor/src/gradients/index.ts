/** Entry point `@glia-os/tensor/gradients`: reverse-mode gradients of what a network is made of. */
export { type ConvolutionSteps, conv2d } from "./convolution.ts";
export { add, crossEntropy, layerNorm, linear, relu, reshape } from "./operations.ts";
export { Tape, Variable } from "./tape.ts";
