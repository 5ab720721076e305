/** One guest from AssemblyScript source to an instrumented module, in memory. */
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { type Instrumented, instrument } from "@glia-os/wasm/pipeline";

/** Compile and instrument. @throws {CompileFailedError} with the compiler's output */
export async function compileGuest(entry: string): Promise<Instrumented> {
  return instrument(await compileAssemblyScript(entry));
}
