/** What the thread of `glia wasm run` is given, and what it tells. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { EngineLimits } from "@glia-os/abi/ports";
import type { WasiLaunch } from "@glia-os/wasm";

/** A guest to run. */
export interface GuestJob {
  /** The instrumented module. */
  readonly module: Uint8Array;
  /** A snapshot to go on from, instead of a start. */
  readonly snapshot?: Uint8Array;
  readonly launch: WasiLaunch;
  readonly limits: Partial<EngineLimits>;
  /** Messages for `receive`, in order. */
  readonly messages: readonly Uint8Array[];
  /** When to stop and take a snapshot; without it, at the end only. */
  readonly stop?: {
    /** Fuel used by then, counted from the guest's first start; without it, when a message is waited for and none is left. */
    readonly fuel?: number;
  };
}

/** What the thread is started with. */
export interface GuestThreadData {
  readonly job: GuestJob;
  /** One i32: news the main thread has not shown yet. */
  readonly unseen: SharedArrayBuffer;
}

/** Most news on the way: a guest that writes faster than its reader reads waits. */
export const MOST_UNSEEN = 1024;

/** How it ended. */
export type GuestEnd =
  | { readonly kind: "finished"; readonly status: number }
  /** It waits for a message and there is none left. */
  | { readonly kind: "waiting" }
  | { readonly kind: "failed"; readonly error: ErrorRecord }
  | { readonly kind: "stopped"; readonly snapshot: Uint8Array; readonly at: string };

/** What the thread tells, in order; `ended` is last. */
export type GuestNews =
  | { readonly kind: "output"; readonly stream: 1 | 2; readonly bytes: Uint8Array }
  | { readonly kind: "log"; readonly level: number; readonly text: string }
  | { readonly kind: "reply"; readonly bytes: Uint8Array }
  | {
      readonly kind: "ended";
      readonly end: GuestEnd;
      readonly fuelUsed: number;
      readonly memoryBytes: number;
      /** Messages the guest took. */
      readonly taken: number;
    };
