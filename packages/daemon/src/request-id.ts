/** Names of mutations that may be repeated safely. */
import { toHex } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";

/** A fresh request id: 16 random bytes as text. */
export function requestId(random: Random): string {
  return toHex(random.bytes(new Uint8Array(16)));
}
