/** What the thread of a guest whose pages are on their way and the thread of the agents say to each other: plain data, in order. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type {
  CallResult,
  EngineLimits,
  GuestCapability,
  GuestNote,
  GuestRange,
  InstanceImage,
  PendingCall,
} from "@glia-os/abi/ports";
import type { LentProgram, PostCopyHandover, PresenceModules } from "@glia-os/wasm";

/** How the thread is started. */
export interface GuestThreadSetup {
  readonly program: LentProgram;
  readonly limits: Partial<EngineLimits>;
  /** What it may hold. */
  readonly offered: readonly GuestCapability[];
}

/** How a step ended. */
export type StepEnd =
  /** `ranges`: what a call on a capability points at. */
  | { readonly kind: "pending"; readonly call: PendingCall; readonly ranges: readonly GuestRange[] }
  | { readonly kind: "yielded" }
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: ErrorRecord };

/** To the guest's thread. */
export type ToGuestThread =
  | { readonly handover: PostCopyHandover }
  /** `mayReply`: whether a reply would reach anybody. */
  | { readonly step: CallResult | undefined; readonly fuel: number; readonly mayReply: boolean }
  /** The end of a step, without one: of the call that it came with. */
  | { readonly stand: PendingCall }
  /** Give the guest away: all of its pages are there. */
  | { readonly leave: true };

/** From it. What a step says comes before its end. */
export type FromGuestThread =
  /** `made`: the forms of its module, which every thread of the process can use. */
  | { readonly ready: true; readonly made?: PresenceModules }
  | { readonly refused: ErrorRecord }
  | { readonly log: readonly [level: number, text: string] }
  /** What it did with its capabilities, and its replies. */
  | { readonly notes: readonly GuestNote[] }
  | { readonly end: StepEnd }
  /** The guest without its memory, which both threads have. */
  | { readonly image: InstanceImage };
