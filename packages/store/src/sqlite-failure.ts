/** What SQLite's result codes mean to the person who has to act (https://www.sqlite.org/rescode.html). */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import type { GliaError } from "@glia-os/abi/errors";
import {
  CannotOpenError,
  CorruptError,
  InUseError,
  NotADatabaseError,
  NotWritableError,
  StoreFullError,
  WriteFailedError,
} from "./errors.ts";

const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;
/** The low byte of an extended result code is the primary one. */
const PRIMARY_MASK = 0xff;

/** The typed refusal for an error that `node:sqlite` threw, or `undefined` when SQLite did not raise it. */
export function sqliteFailure(error: unknown, path: string): GliaError | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  switch (error.errcode & PRIMARY_MASK) {
    case BUSY:
    case LOCKED:
      return new InUseError(path);
    case READONLY:
      return new NotWritableError(path);
    case CORRUPT:
      return new CorruptError(path, error.message);
    case FULL:
      return new StoreFullError(error.message);
    case NOTADB:
      return new NotADatabaseError(path);
    case CANTOPEN:
      return cannotOpen(path, error.message);
    default:
      return new WriteFailedError(error.message);
  }
}

/** SQLite reports a missing folder and a forbidden one alike; the file system tells them apart. */
function cannotOpen(path: string, message: string): GliaError {
  try {
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EACCES" || code === "EROFS" || code === "EPERM") return new NotWritableError(path);
    return new CannotOpenError(path, code === "ENOENT" ? "its folder does not exist" : message);
  }
  return new CannotOpenError(path, message);
}
