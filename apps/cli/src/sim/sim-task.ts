/** What the thread of `glia sim` is given, and what it answers. */
import type { MembershipProfile } from "@glia-os/mesh-core";
import type { MachineFault, MessageCounts } from "@glia-os/sim";

/** Seeds to run. */
export interface SimTask {
  readonly nodes: number;
  readonly scenario: string;
  readonly seeds: readonly (number | string)[];
  readonly profile: MembershipProfile;
  readonly durationMs: number | undefined;
  /** What M1, M2 and M6 allow after the last fault. */
  readonly convergeMs: number | undefined;
  readonly faults: readonly MachineFault[] | undefined;
}

/** One run in figures. Times in milliseconds. */
export interface SimRun {
  readonly seed: number | string;
  readonly nodes: number;
  readonly scenario: string;
  readonly profile: string;
  readonly virtualMs: number;
  readonly realMs: number;
  readonly events: number;
  readonly messages: MessageCounts;
  readonly traceHash: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly crashes: number;
  /** Crashes that somebody noticed before the machine was back. */
  readonly noticed: number;
  /** Medians over those. */
  readonly firstMs: number | undefined;
  readonly allMs: number | undefined;
  readonly healthyDeaths: number;
  readonly falseViews: number;
  readonly idlePerSecond: number;
  readonly violation: { readonly atMs: number; readonly what: string } | undefined;
}

/** A violation with the faults that are needed for it. */
export interface SimFailure {
  readonly seed: number | string;
  readonly what: string;
  readonly faults: readonly MachineFault[];
  readonly minimal: boolean;
}

/** What the thread says. */
export type SimNews =
  | {
      readonly kind: "progress";
      readonly seed: number | string;
      readonly virtualMs: number;
      readonly durationMs: number;
    }
  | { readonly kind: "run"; readonly run: SimRun }
  | { readonly kind: "shrinking" }
  | { readonly kind: "failure"; readonly failure: SimFailure }
  | { readonly kind: "done" };
