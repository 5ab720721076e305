/** The refusals of regions. */
import { KernelError } from "@glia-os/abi/errors/kernel";
import { shown } from "../shown.ts";

/** An access reaches outside a region, or is none. */
export class OutsideRegionError extends KernelError<"kernel.outside-region"> {
  constructor(offset: unknown, length: unknown, size: number) {
    super(
      "kernel.outside-region",
      `${shown(length)} bytes at ${shown(offset)} are not inside a region of ${size} bytes`,
      { details: { size } },
    );
  }
}
