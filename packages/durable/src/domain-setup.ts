/** What a domain is made with, and what comes into it. */
import type { Journal, Timers } from "@glia-os/abi/ports";
import type { KernelService } from "@glia-os/kernel/services";
import type { AskedCall } from "./domain-run.ts";
import type { LargeValues } from "./large-values.ts";
import type { Delivery, Receipt } from "./mailbox-delivery.ts";
import type { Outcome } from "./record.ts";
import type { Secrets } from "./secrets.ts";

/** What a domain needs of its surroundings. */
export interface DomainSetup {
  readonly journal: Journal;
  readonly timers: Timers;
  /** The time outside, in whole milliseconds since the Unix epoch. Never goes back. */
  nowMs(): number;
  readonly secrets: Secrets;
  /** Bytes of journal before a checkpoint from which on they are removed. */
  readonly historyBytes: number;
  /** The service behind a name that the domain uses. */
  serviceOf(name: string): KernelService;
}

/** Whether a domain runs here. `stopped`: it was closed with its process and goes on after the next recovery. */
export type DomainState = "running" | "ended" | "lost" | "stopped";

/** Where a domain goes on in its journal. */
export interface DomainPlace {
  readonly nextSeq: number;
  readonly epoch: number;
  readonly values?: LargeValues | undefined;
  /** Bytes its journal has already. */
  readonly bytes?: number;
}

/** What waits to come into a domain. */
export type Input =
  | { readonly kind: "message"; readonly payload: unknown; readonly accepted: PromiseWithResolvers<void> }
  | { readonly kind: "cancel"; readonly reason: unknown; readonly accepted: PromiseWithResolvers<void> }
  /** The message at a place of a delivery, and those after it. */
  | {
      readonly kind: "mail";
      readonly delivery: Delivery;
      readonly at: number;
      readonly accepted: PromiseWithResolvers<Receipt>;
    }
  | { readonly kind: "outcome"; readonly call: AskedCall; readonly outcome: Outcome }
  | { readonly kind: "timer" };
