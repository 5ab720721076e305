/** Every backend in WebAssembly keeps the contract; `simd`, `fixed` and threads with plain kernels give the reference's bits. */
import { describe, it } from "vitest";
import { currentKernels } from "../scripts/kernels.ts";
import { fixedBackend, wasmBackend } from "../src/backends.ts";
import { backendContract } from "../src/testing/index.ts";

await currentKernels();

describe("the backend simd keeps the contract, to the bit", () => {
  for (const { title, run } of backendContract(() => wasmBackend("simd"), { exact: true })) it(title, run);
});

describe("the backend fixed keeps the contract, to the bit", () => {
  for (const { title, run } of backendContract(() => fixedBackend(), { exact: true, seed: 2 }))
    it(title, run);
});

describe("the backend relaxed keeps the contract within its tolerances", () => {
  for (const { title, run } of backendContract(() => wasmBackend("relaxed"), { seed: 3 })) it(title, run);
});
