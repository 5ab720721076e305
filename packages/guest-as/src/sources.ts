/** The SDK's AssemblyScript sources and the compiler flags guests need. */
import { fileURLToPath } from "node:url";

/** The folder of the SDK's sources (`index.ts`, `host.ts`, `inbox.ts`, ...), for `asc` to read. */
export const assemblySources: string = fileURLToPath(new URL("../assembly", import.meta.url));

/** Most memory a guest compiled with {@link ascArguments} may ask for, in 64 KiB pages: 100 MiB. */
const MAXIMUM_PAGES = 1600;

/**
 * Arguments for `asc` 0.28 that compile the guest `entry` to `output`: optimised, memory with a maximum, the garbage
 * collector that runs while allocating, and vectors of 128 bits for guests that use them. Run the result through `instrument` of `@glia-os/wasm/pipeline`.
 */
export function ascArguments(entry: string, output: string): readonly string[] {
  return [
    entry,
    "--outFile",
    output,
    "-O3",
    "--runtime",
    "incremental",
    "--maximumMemory",
    String(MAXIMUM_PAGES),
    "--enable",
    "simd",
    "--use",
    "abort=",
  ];
}
