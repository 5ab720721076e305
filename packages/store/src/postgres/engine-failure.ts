/** What an error of PostgreSQL means to the person who has to act (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
import type { GliaError } from "@glia-os/abi/errors";
import { EngineUnreachableError } from "../engine/errors.ts";
import { CannotOpenError, NotWritableError, StoreFullError, WriteFailedError } from "../errors.ts";

/** An error that the server reported itself. */
interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly severity: string;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Classes of SQLSTATE after which the same request may succeed: transaction rollback, insufficient resources, intervention. */
const PASSING = /^(40|53|57|55P03|58)/;
const FULL = ["53100"];
const FORBIDDEN = ["42501", "25006"];
/** Wrong credentials, and databases or schemas that do not exist. */
const NO_WAY_IN = /^(28|3D|3F)/;

/** Whether the server answered with an error. */
export function isServerError(error: unknown): error is ServerError {
  return (
    error instanceof Error &&
    "severity" in error &&
    "code" in error &&
    typeof error.code === "string" &&
    SQLSTATE.test(error.code)
  );
}

/** The typed refusal for an error before a commit was sent. */
export function engineFailure(error: unknown, place: string): GliaError {
  const message = error instanceof Error ? error.message : String(error);
  if (!isServerError(error)) return new EngineUnreachableError(place, message || "the connection failed");
  const { code } = error;
  if (FULL.includes(code)) return new StoreFullError(message);
  if (FORBIDDEN.includes(code)) return new NotWritableError(place);
  if (NO_WAY_IN.test(code)) return new CannotOpenError(place, message);
  if (PASSING.test(code)) return new EngineUnreachableError(place, message);
  return new WriteFailedError(message);
}
