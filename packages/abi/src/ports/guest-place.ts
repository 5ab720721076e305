/**
 * A place that runs guests for tasks in another thread: it steps them, and whoever placed one performs its calls.
 *
 * GL1. What a guest does comes as news, in the order it did it. After a call, or when its lease of fuel is used up, it stands still until
 *      {@link PlacedGuest.goOn}.
 * GL2. Between two `goOn` at most {@link GUEST_NOTES} notes come: log lines beyond are dropped, capabilities beyond are not bound.
 * GL3. The place grants the guest nothing on its own: what it binds is among `initial`, was looked up, or came with a message.
 * GL4. `ended` is told once, last, whatever it ended of; after {@link PlacedGuest.end} nothing is told.
 */
import type { CallResult, EngineLimits, GuestCapability, InstanceImage, PendingCall } from "./engine.ts";

/** Most notes of a guest before it is told to go on (GL2). */
export const GUEST_NOTES = 4096;

/** What a guest did without waiting. */
export type GuestNote =
  | { readonly kind: "log"; readonly level: number; readonly text: string }
  | { readonly kind: "reply"; readonly payload: Uint8Array }
  /** A row that `handle` stands for: derived from `parent`, named by its target, or accepted as number `accepted` of the last message. */
  | {
      readonly kind: "bind";
      readonly handle: number;
      readonly row: GuestCapability;
      readonly parent: number;
      readonly accepted?: number;
    }
  | { readonly kind: "drop" | "revoke"; readonly handle: number };

/** Bytes of a guest that a call points at. */
export interface GuestRange {
  readonly pointer: number;
  readonly bytes: Uint8Array;
}

/** What a guest came to. `running`: it goes on. `spent`: its lease of fuel is used up. */
export type GuestStand =
  | { readonly kind: "running" | "spent" }
  | { readonly kind: "pending"; readonly call: PendingCall; readonly ranges: readonly GuestRange[] };

/** Something a guest did (GL1). */
export interface GuestNews {
  readonly notes: readonly GuestNote[];
  /** Fuel of its whole life so far. */
  readonly fuelUsed: number;
  readonly stand: GuestStand;
}

/** How a placed guest ended. */
export type PlacedGuestEnd =
  | { readonly kind: "finished"; readonly status: number }
  | { readonly kind: "failed"; readonly error: unknown };

/** The answer to a call. */
export interface GuestAnswer {
  readonly result: CallResult;
  /** Of a message: whether it may be replied to, and the rights of each capability that came with it. */
  readonly message?: { readonly asked: boolean; readonly grants: readonly number[] };
}

/** Who performs a placed guest's calls. Nothing of it may throw. */
export interface GuestListener {
  news(news: GuestNews): void;
  ended(end: PlacedGuestEnd): void;
}

/** What a guest starts with. */
export interface GuestPlacement {
  readonly limits: Partial<EngineLimits>;
  /** What it holds. */
  readonly initial: readonly GuestCapability[];
  /** Whether targets that are not among `initial` may be bound, because who performs `lookup` decides about them. */
  readonly names: boolean;
  /** Go on with this state instead of from the start. */
  readonly image?: InstanceImage;
  /** Fuel until it is `spent`, of a pre-emptive guest: a whole number from 1. */
  readonly leaseFuel: number;
}

/** A guest that was placed. */
export interface PlacedGuest {
  /** Go on after news that it is `pending`, with the answer, or `spent`, without. */
  goOn(answer?: GuestAnswer): void;
  /** End it. Idempotent. */
  end(): void;
}

/** Places guests of one program. */
export interface GuestPlace {
  /** @throws a typed error when there is no room. What is found out later comes as `ended`. */
  place(placement: GuestPlacement, listener: GuestListener): PlacedGuest;
}
