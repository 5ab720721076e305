/** The passphrase of an agent file: from a file, standard input or the environment; never from the command line, which others can read. */
import { readFileSync } from "node:fs";
import { InputUnreadableError } from "../errors.ts";
import { readAll } from "../node/first-line.ts";
import { PassphraseMissingError } from "./errors.ts";

/** Longest passphrase in bytes. */
const PASSPHRASE_MAX = 4096;
const VARIABLE = "GLIA_PASSPHRASE";

/** The passphrase, without the end of its line. @throws {PassphraseMissingError}, {InputUnreadableError} */
export async function passphraseFrom(
  path: string | undefined,
  stdin: NodeJS.ReadStream,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const text = path === undefined ? environment[VARIABLE] : await read(path, stdin);
  if (text === undefined) throw new PassphraseMissingError("there is none");
  const passphrase = text.replace(/\r?\n$/, "");
  if (passphrase === "") throw new PassphraseMissingError("it is empty");
  if (passphrase.length > PASSPHRASE_MAX)
    throw new PassphraseMissingError(`it is longer than ${PASSPHRASE_MAX}`);
  return passphrase;
}

async function read(path: string, stdin: NodeJS.ReadStream): Promise<string> {
  if (path === "-") {
    const bytes = await readAll(stdin, PASSPHRASE_MAX + 2);
    if (bytes === undefined) throw new PassphraseMissingError(`it is longer than ${PASSPHRASE_MAX}`);
    return Buffer.from(bytes).toString("utf8");
  }
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new InputUnreadableError(path, cause);
  }
}
