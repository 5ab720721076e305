/** What happens to the guests of a pool, as it is told to whoever made it. */
import type { RemoteError } from "@glia-os/abi/errors";
import type { GuestLostError } from "../scheduler/errors.ts";

/** How a guest of a pool ended; `lost` when its thread died. */
export type PoolGuestEnd =
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: RemoteError }
  | { readonly kind: "stopped" }
  | { readonly kind: "lost"; readonly error: GuestLostError };

/** What is told of guests, in the pool's thread. */
export interface PoolEvents {
  logged?(guest: number, level: number, text: string): void;
  output?(guest: number, stream: 1 | 2, bytes: Uint8Array): void;
  ended?(guest: number, end: PoolGuestEnd): void;
}
