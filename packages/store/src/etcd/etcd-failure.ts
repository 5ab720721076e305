/** What a refusal of etcd means to the person who has to act (codes of gRPC: https://grpc.io/docs/guides/status-codes/). */
import type { GliaError } from "@glia-os/abi/errors";
import { EngineUnfitError, EngineUnreachableError, OutcomeUnknownError } from "../engine/errors.ts";
import { CannotOpenError, NotWritableError, StoreFullError, WriteFailedError } from "../errors.ts";

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const UNAUTHENTICATED = 16;
const NOT_FOUND = 404;

/** An answer that is no success. */
export interface EtcdRefusal {
  /** Of HTTP. */
  readonly status: number;
  /** Of gRPC; `undefined` when the body is none of etcd's. */
  readonly code: number | undefined;
  readonly message: string;
}

/** The typed refusal. `committing` says whether the request would have changed something. */
export function etcdFailure(refusal: EtcdRefusal, place: string, committing: boolean): GliaError {
  const { status, code, message } = refusal;
  if (code === undefined && status === NOT_FOUND)
    return new EngineUnfitError(place, "it has no JSON gateway of etcd 3.4 or newer at /v3");
  if (code === RESOURCE_EXHAUSTED && message.includes("space exceeded")) return new StoreFullError(message);
  if (code === RESOURCE_EXHAUSTED) return new EngineUnreachableError(place, message);
  if (code === PERMISSION_DENIED) return new NotWritableError(place);
  // With users switched on, etcd 3.4 answers a request without one as an invalid argument.
  if (code === UNAUTHENTICATED || (code === INVALID_ARGUMENT && message.includes("user name is empty")))
    return new CannotOpenError(place, message);
  if (code === INVALID_ARGUMENT) return new WriteFailedError(message);
  const why = message === "" ? `it answered with status ${status}` : message;
  return committing ? new OutcomeUnknownError(place, why) : new EngineUnreachableError(place, why);
}
