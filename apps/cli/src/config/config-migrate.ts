/** `glia config migrate`: a configuration gets the version of the format that this Glia writes. */
import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { CONFIG_VERSION, checkConfig } from "@glia-os/daemon/config";
import type { Context } from "../context.ts";
import { FolderUnwritableError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { ConfigUnreadableError } from "./errors.ts";
import { findConfig, readConfigValue } from "./read-config.ts";

/** Run it. Only a JSON file is written; of a program file it says what to write. */
export async function configMigrate(
  named: string | undefined,
  _options: object,
  { terminal }: Context,
): Promise<ExitCode> {
  const file = findConfig(named);
  if (file === undefined) throw new ConfigUnreadableError(process.cwd(), "there is none in this folder");
  const value = await readConfigValue(file);
  checkConfig(value, file);
  const { version, ...rest } = value as { readonly version?: number };
  const done = version === CONFIG_VERSION;
  const written = !done && extname(file) === ".json";
  if (written) write(file, `${JSON.stringify({ version: CONFIG_VERSION, ...rest }, null, 2)}\n`);
  terminal.record({ ok: true, file, from: version ?? null, to: CONFIG_VERSION, written });
  if (done) terminal.line(`${file} is of version ${CONFIG_VERSION}; there is nothing to do.`);
  else if (written) terminal.line(`${file} is of version ${CONFIG_VERSION} now.`);
  else
    terminal.line(
      `Write \`version: ${CONFIG_VERSION}\` into ${file}; a program is not rewritten. All else holds.`,
    );
  return EXIT.ok;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new FolderUnwritableError(file, cause);
  }
}
