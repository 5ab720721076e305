/** The refusals of a replicated journal, one class per failure. They survive a worker boundary as `store/errors.ts` says (R1). */
import type { GliaError } from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";

/** Too few members answer, or hold what was acknowledged. */
export class ReplicaShortError extends StoreError<"store.replica-short"> {
  constructor(group: string, have: number, need: number) {
    super("store.replica-short", `${have} members of ${group} can be used, ${need} are needed`, {
      details: { group, have, need },
    });
  }
}

/** This node does not lead the group, or not any more. */
export class ReplicaLostError extends StoreError<"store.replica-lost"> {
  constructor(group: string, why: string) {
    super("store.replica-lost", `this node does not lead ${group}: ${why}`, { details: { group, why } });
  }
}

/** The group was founded with other members or another number of copies, or the sender is none of its members. */
export class ReplicaForeignError extends StoreError<"store.replica-foreign"> {
  constructor(group: string, why: string) {
    super("store.replica-foreign", `${group} is another group: ${why}`, { details: { group, why } });
  }
}

/** A member missed requests and cannot perform the next one. */
export class ReplicaBehindError extends StoreError<"store.replica-behind"> {
  constructor(group: string, index: number, next: number) {
    super("store.replica-behind", `the member of ${group} is at request ${index}, not at ${next}`, {
      details: { group, index, next },
    });
  }
}

type Details = Readonly<Record<string, unknown>>;

const text = (details: Details, key: string): string => String(details[key]);
const count = (details: Details, key: string): number => Number(details[key]);

/** The classes above by code, from the details of a record. */
export const REVIVE_REPLICA = {
  "store.replica-behind": (d: Details): GliaError =>
    new ReplicaBehindError(text(d, "group"), count(d, "index"), count(d, "next")),
  "store.replica-foreign": (d: Details): GliaError =>
    new ReplicaForeignError(text(d, "group"), text(d, "why")),
  "store.replica-lost": (d: Details): GliaError => new ReplicaLostError(text(d, "group"), text(d, "why")),
  "store.replica-short": (d: Details): GliaError =>
    new ReplicaShortError(text(d, "group"), count(d, "have"), count(d, "need")),
} as const;
