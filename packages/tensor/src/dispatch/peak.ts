/** The rate of multiply-adds that this machine's vectors reach through this engine: the ceiling that products are measured by. */
import { instantiateKernels } from "../wasm/kernel-exports.ts";
import { kernelModule } from "../wasm/kernel-file.ts";
import { WORK_AT } from "../wasm/wasm-backend.ts";
import { engine } from "../wasm/web-assembly.ts";

/**
 * Runs `rounds` times 12 independent multiply-adds of four f32 (96 floating-point operations), all in registers; `relaxed` fuses them
 * where the processor does. @throws {BadBackendError} where the engine lacks the instructions
 */
export function kernelPeak(kernels: "simd" | "relaxed"): (rounds: number) => void {
  const memory = new (engine().Memory)({ initial: 1, maximum: 65_536, shared: false });
  const { peak_f32 } = instantiateKernels(kernelModule(kernels), memory, WORK_AT);
  return (rounds) => void peak_f32(rounds, 0.999, 0.001);
}
