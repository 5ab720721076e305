/** The host modules that guests of a node are offered, in whichever of its threads they run. */
import type { HostModule } from "@glia-os/abi/ports";
import { tensorHostModule } from "@glia-os/tensor/guests";
import { wasiPreview1 } from "@glia-os/wasm";

/** WASI without arguments, variables, input and files: an agent gets messages, and what it writes goes to the log of its node. */
export function guestModules(): readonly HostModule[] {
  return [wasiPreview1({ args: ["agent"] }), tensorHostModule()];
}
