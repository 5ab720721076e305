/** Puts the kernels into `dist/kernels`, for what is published, and `build/kernels`, for what runs from source. Run after `tsup`. */
import { join } from "node:path";
import { copyKernels } from "./kernels.ts";

await copyKernels(join(import.meta.dirname, "..", "dist", "kernels"));
