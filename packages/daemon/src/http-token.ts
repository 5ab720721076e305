/**
 * The token that opens a node's HTTP face, in a file that only its user can read.
 *
 * HT1. The token is 32 random bytes; a file that is there is taken, one that others may read or that holds something else is refused.
 * HT2. A given token is compared by digests in constant time.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { writeFlushed } from "./durable-file.ts";
import { TokenFileError } from "./errors.ts";

const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const OTHERS = 0o077;

/** The token in this file, made if there is none. @throws {TokenFileError} (HT1) */
export function loadOrCreateHttpToken(path: string): string {
  try {
    if (process.platform !== "win32" && (statSync(path).mode & OTHERS) !== 0)
      throw new TokenFileError(path, "others than its user may read it");
    const token = readFileSync(path, "utf8").trim();
    if (!TOKEN.test(token)) throw new TokenFileError(path, "it holds no token of this program");
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return createToken(path);
    if (error instanceof TokenFileError) throw error;
    throw new TokenFileError(path, String((error as NodeJS.ErrnoException).code ?? error));
  }
}

function createToken(path: string): string {
  const token = randomBytes(32).toString("base64url");
  try {
    writeFlushed(path, `${token}\n`);
  } catch (error) {
    throw new TokenFileError(path, String((error as NodeJS.ErrnoException).code ?? error));
  }
  return token;
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

/** Whether an `Authorization` header carries the token (HT2). */
export function bearsToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token));
}
