/** One class per refusal of the overlay. Codes, what changed and what to do: packages/abi/src/errors/codes/overlay.ts. */
import { OverlayError } from "@glia-os/abi/errors/overlay";

/** A bound of the overlay was reached. */
export class OverlayLimitError extends OverlayError<"overlay.limit"> {
  constructor(what: string, max: number) {
    super("overlay.limit", `${what}: there may be ${max}`, { details: { what, max } });
  }
}

/** A signed record that is forged, expired, older than the known one, or not storable here. */
export class RecordRefusedError extends OverlayError<"overlay.record-refused"> {
  constructor(why: string) {
    super("overlay.record-refused", `the record was refused: ${why}`, { details: { why } });
  }
}

/** The record store, or the share of one publisher in it, is full. */
export class RecordStoreFullError extends OverlayError<"overlay.store-full"> {
  constructor(what: string, max: number) {
    super("overlay.store-full", `${what} holds ${max} records, as many as it may`, { details: { max } });
  }
}

/** A node whose role is not to serve others. */
export class NotServingError extends OverlayError<"overlay.not-serving"> {
  constructor(what: string) {
    super("overlay.not-serving", `this node does not serve ${what}`);
  }
}

/** A routed or broadcast message that was not taken. */
export class MessageRefusedError extends OverlayError<"overlay.message-refused"> {
  constructor(why: string) {
    super("overlay.message-refused", `the message was refused: ${why}`, { details: { why } });
  }
}

/** A destination that no session and no relay leads to. */
export class NoRouteError extends OverlayError<"overlay.no-route"> {
  constructor(node: string, why: string) {
    super("overlay.no-route", `no way leads to node ${node.slice(0, 12)}: ${why}`, { details: { node } });
  }
}

/** A blob that none of the asked nodes could give whole. */
export class BlobNotFoundError extends OverlayError<"overlay.blob-not-found"> {
  constructor(hash: string, why: string) {
    super("overlay.blob-not-found", `blob ${hash.slice(0, 12)} could not be fetched: ${why}`, {
      details: { hash },
    });
  }
}

/** A job that a node does not take. */
export class JobRefusedError extends OverlayError<"overlay.job-refused"> {
  constructor(id: string, why: string) {
    super("overlay.job-refused", `job ${id} was refused: ${why}`, { details: { id, why } });
  }
}

/** A job whose node did not say how it ended. */
export class JobUnknownError extends OverlayError<"overlay.job-unknown"> {
  constructor(id: string, node: string, cause: unknown) {
    super("overlay.job-unknown", `node ${node.slice(0, 12)} did not say how job ${id} ended`, {
      cause,
      details: { id, node },
    });
  }
}

/** A survey that too few voters answered. */
export class NoQuorumError extends OverlayError<"overlay.no-quorum"> {
  constructor(answered: number, needed: number) {
    super("overlay.no-quorum", `${answered} voters answered, ${needed} are needed`, {
      details: { answered, needed },
    });
  }
}
