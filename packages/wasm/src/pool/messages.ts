/**
 * What a pool and its workers say to each other: batches of commands one way, batches of reports the other.
 *
 * PM1. Every command with a `request` is answered by one `done` or `refused` with the same number, in the order of the commands.
 * PM2. Guests are known by the pool's numbers on both sides. A `spawn` is answered with the number that the worker's heartbeat shows.
 * PM3. Every message posted with a token is answered by one `replied` or `unanswered` with it.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { GuestAnswer, GuestNews, GuestPlacement } from "@glia-os/abi/ports";
import type { GuestOptions, SchedulerCounts } from "../scheduler/index.ts";

/** What a worker is told. */
export type Command =
  | {
      readonly kind: "admit";
      readonly request: number;
      readonly name: string;
      readonly bytes: Uint8Array;
      readonly grants: readonly string[];
    }
  | {
      readonly kind: "spawn";
      readonly request: number;
      readonly guest: number;
      readonly program: string;
      readonly options: GuestOptions | undefined;
      /** A snapshot to continue. */
      readonly snapshot: Uint8Array | undefined;
    }
  | {
      /** A guest whose calls the pool's thread performs (port `GuestPlace`). */
      readonly kind: "attend";
      readonly request: number;
      readonly guest: number;
      readonly program: string;
      readonly placement: GuestPlacement;
    }
  | { readonly kind: "goOn"; readonly guest: number; readonly answer: GuestAnswer | undefined }
  | { readonly kind: "post"; readonly guest: number; readonly token: number; readonly payload: Uint8Array }
  | { readonly kind: "stop"; readonly request: number; readonly guest: number }
  | { readonly kind: "snapshot"; readonly request: number; readonly guest: number }
  | { readonly kind: "hibernate"; readonly request: number; readonly most: number }
  | { readonly kind: "counts"; readonly request: number }
  | { readonly kind: "ping"; readonly request: number };

/** How a guest ended, in a form that crosses threads. */
export type EndRecord =
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: ErrorRecord }
  | { readonly kind: "stopped" };

/** What a worker tells. */
export type Report =
  /** So many more commands have been performed. */
  | { readonly kind: "taken"; readonly commands: number }
  | { readonly kind: "done"; readonly request: number; readonly value: number | Uint8Array | SchedulerCounts }
  | { readonly kind: "refused"; readonly request: number; readonly error: ErrorRecord }
  | { readonly kind: "replied"; readonly token: number; readonly payload: Uint8Array }
  | { readonly kind: "unanswered"; readonly token: number; readonly error: ErrorRecord | undefined }
  | { readonly kind: "logged"; readonly guest: number; readonly level: number; readonly text: string }
  | {
      readonly kind: "output";
      readonly guest: number;
      readonly stream: 1 | 2;
      readonly bytes: Uint8Array;
    }
  /** What an attended guest did. */
  | { readonly kind: "news"; readonly guest: number; readonly news: GuestNews }
  | { readonly kind: "ended"; readonly guest: number; readonly end: EndRecord };

/** What a worker is started with. */
export interface WorkerStart {
  readonly heartbeat: SharedArrayBuffer;
  readonly guests: number;
  readonly liveGuests: number;
  readonly idleMs: number;
  /** A module that gives host modules and answers; see {@link PoolSetup}. */
  readonly setup: string | undefined;
}
