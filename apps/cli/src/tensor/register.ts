/** The commands `glia bench ...`. */
import type { Command } from "commander";
import { group, type Registrar } from "../registrar.ts";

/** Add them to `glia`. */
export function addBench(program: Command, register: Registrar): void {
  const bench = group(program, "bench", "Measure this machine.");
  const tensor = register.leaf(
    bench,
    "tensor",
    "Measure how fast this machine computes with tensors, with each backend that works here; takes some seconds.",
    ["glia bench tensor", "glia bench tensor --backend relaxed --threads 4", "glia bench tensor --json"],
  );
  tensor
    .summary("Measure how fast this machine computes with tensors")
    .option("--backend <name>", "measure this one only: scalar, simd, relaxed, fixed or threads")
    .option("--threads <n>", "threads of the backend threads, 2 to 16", "2");
  register.runs(tensor, async () => (await import("./bench-tensor.ts")).benchTensor);
}
