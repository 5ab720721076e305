import { isGliaError } from "@glia-os/abi/errors";

/** The code of what a call throws; "nothing thrown" when it returns. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return isGliaError(error) ? error.code : String(error);
  }
  return "nothing thrown";
}
