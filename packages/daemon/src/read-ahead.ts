/** Reading agents while they run, by the pre-copy of `@glia-os/wasm` (docs/spec/precopy.md). */
import { hasErrorCode } from "@glia-os/abi/errors";
import type { AheadCodec } from "@glia-os/cells";
import { PreCopySource, PreCopyTarget, type WasmInstance, type WasmProgram } from "@glia-os/wasm";

/** What guests are refused with that can only be read while they stand still: of the profile `none`, and before their first step. */
const ONLY_FROZEN = ["wasm.not-instrumented", "wasm.not-pending"] as const;

/** The codec of nodes, whose programs and instances all come from the engine of `@glia-os/wasm`. */
export const readAhead: AheadCodec = {
  async read(program, instance) {
    try {
      return new PreCopySource(instance as WasmInstance, await (program as WasmProgram).tracking());
    } catch (error) {
      if (ONLY_FROZEN.some((code) => hasErrorCode(error, code))) return undefined;
      throw error;
    }
  },
  arrive: (program, limits, host) => new PreCopyTarget(program as WasmProgram, limits, host),
};
