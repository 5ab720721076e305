/** The refusals of a store on a database server, one class per failure. They survive a worker boundary as `store/errors.ts` says (R1). */
import type { GliaError } from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";

/** The server does not answer, refuses connections or ended one before a change was committed. */
export class EngineUnreachableError extends StoreError<"store.engine-unreachable"> {
  constructor(place: string, why: string) {
    super("store.engine-unreachable", `${place} did not answer: ${why}`, { details: { place, why } });
  }
}

/** The connection was lost while a change was being committed. */
export class OutcomeUnknownError extends StoreError<"store.outcome-unknown"> {
  constructor(place: string, why: string) {
    super("store.outcome-unknown", `${place} did not say whether it committed: ${why}`, {
      details: { place, why },
    });
  }
}

/** The server is set up in a way that cannot keep what it acknowledges. */
export class EngineUnfitError extends StoreError<"store.engine-unfit"> {
  constructor(place: string, why: string) {
    super("store.engine-unfit", `${place} cannot hold a store: ${why}`, { details: { place, why } });
  }
}

type Details = Readonly<Record<string, unknown>>;

const reasons = (d: Details): [string, string] => [String(d["place"]), String(d["why"])];

/** The classes above by code, from the details of a record. */
export const REVIVE_ENGINE = {
  "store.engine-unfit": (d: Details): GliaError => new EngineUnfitError(...reasons(d)),
  "store.engine-unreachable": (d: Details): GliaError => new EngineUnreachableError(...reasons(d)),
  "store.outcome-unknown": (d: Details): GliaError => new OutcomeUnknownError(...reasons(d)),
} as const;
