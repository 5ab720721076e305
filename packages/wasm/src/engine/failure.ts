/** Says why a guest stopped that did not say so itself: what the engine of this machine threw, as one of our errors. */
import { FuelExhaustedError, GuestTrappedError, HostFailedError, StackExhaustedError } from "../errors.ts";
import { webAssembly } from "../web-assembly.ts";
import type { FuelMeter } from "./fuel-meter.ts";
import type { Suspension } from "./suspension.ts";

/** What is known of the guest: its meter while it ran, its frames while they were being saved. */
interface Circumstances {
  readonly dry: FuelMeter | undefined;
  readonly saving: Suspension | undefined;
}

/** The error for what ended a step. */
export function failureOf(cause: unknown, { dry, saving }: Circumstances): unknown {
  if (dry?.dry === true) return new FuelExhaustedError(dry.used, dry.spent ? "life" : "slice");
  if (cause instanceof RangeError) return new StackExhaustedError("for the native stack", cause);
  if (!(cause instanceof webAssembly.RuntimeError)) return new HostFailedError("(unknown)", cause);
  return saving === undefined
    ? new GuestTrappedError(cause)
    : new StackExhaustedError(`to be suspended in ${saving.bytes} bytes`, cause);
}
