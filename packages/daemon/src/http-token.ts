/**
 * The token that opens a node's HTTP face, in a file that only its user can read.
 *
 * HT1. The token is 32 random bytes; a file that is there is taken, one that others may read or that holds something else is refused.
 * HT2. A given token is compared by digests in constant time.
 * HT3. Another file in its place is another token from the next request on: the old one opens nothing any more. Without a file a new token is made.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { writeFlushed } from "./durable-file.ts";
import { TokenFileError } from "./errors.ts";

const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const OTHERS = 0o077;

/** The token in this file, made if there is none. @throws {TokenFileError} (HT1) */
export function loadOrCreateHttpToken(path: string): string {
  return new HttpToken(path).text;
}

/** The token in a file, as it is now (HT3). */
export class HttpToken {
  readonly #path: string;
  #text = "";
  #stamp = "";

  /** @throws {TokenFileError} (HT1) */
  constructor(path: string) {
    this.#path = path;
    this.#text = this.text;
  }

  /** The token. @throws {TokenFileError} when the file cannot be used now */
  get text(): string {
    try {
      const found = statSync(this.#path);
      const stamp = `${found.ino} ${found.mtimeMs} ${found.size} ${found.mode}`;
      if (stamp !== this.#stamp) {
        this.#text = read(this.#path, found);
        this.#stamp = stamp;
      }
    } catch (error) {
      if (error instanceof TokenFileError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") throw new TokenFileError(this.#path, String(code ?? error));
      this.#text = create(this.#path);
    }
    return this.#text;
  }
}

function read(path: string, { mode }: Stats): string {
  if (process.platform !== "win32" && (mode & OTHERS) !== 0)
    throw new TokenFileError(path, "others than its user may read it");
  const token = readFileSync(path, "utf8").trim();
  if (!TOKEN.test(token)) throw new TokenFileError(path, "it holds no token of this program");
  return token;
}

function create(path: string): string {
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
