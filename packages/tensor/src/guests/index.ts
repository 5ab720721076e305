/** Entry point `@glia-os/tensor/guests`: tensors for WebAssembly guests. */
export { TENSOR_FUNCTIONS, TENSOR_MODULE, type TensorFunction } from "@glia-os/abi/wire";
export { GUEST_BINARY, GUEST_REDUCE, GUEST_UNARY } from "./functions.ts";
export type { GuestTensor } from "./guest-tensors.ts";
export { type TensorHostOptions, tensorHostModule } from "./tensor-module.ts";
