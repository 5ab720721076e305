/** The functions of `glia.sys.v1` that may suspend a guest, for the pipeline. */
import { SYS_IMPORTS, SYS_MODULE } from "@glia-os/abi/wire";

/** As `module/function`. */
export const SYS_SUSPENDING: readonly string[] = SYS_IMPORTS.filter(({ suspends }) => suspends).map(
  ({ name }) => `${SYS_MODULE}/${name}`,
);
