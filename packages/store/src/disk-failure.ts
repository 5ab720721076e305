/** What a failed call of the file system means to a caller. */
import type { GliaError } from "@glia-os/abi/errors";
import { CannotOpenError, NotWritableError, StoreFullError } from "./errors.ts";

/** Names of errors of the operating system, as Node gives them. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/;

/** The typed refusal for an error of the file system; `undefined` when it is none. */
export function diskFailure(error: unknown): GliaError | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  if (!SYSTEM_CODE.test(error.code)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? error.path : "the journal";
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new StoreFullError(error.message);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new NotWritableError(path);
    default:
      return new CannotOpenError(path, error.message);
  }
}
