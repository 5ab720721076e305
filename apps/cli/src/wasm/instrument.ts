/** `glia wasm instrument FILE`: a module that a node takes, from one as its compiler made it. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Profile } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { FolderUnwritableError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { formatBytes } from "../terminal/amount.ts";
import { readyModule } from "./module-file.ts";

/** Its options. */
export interface InstrumentOptions {
  readonly profile: Profile;
  readonly out?: string;
}

/** Run it. */
export async function wasmInstrument(
  path: string,
  { profile, out: named }: InstrumentOptions,
  context: Context,
): Promise<ExitCode> {
  const { bytes, report } = await readyModule(path, profile, context);
  if (report.instrumented !== undefined)
    throw new UsageError(
      `${path} is instrumented already, with the profile ${report.instrumented.profile}`,
      "Use it as it is, or instrument the module that the compiler made.",
    );
  const out = resolve(named ?? `${path.replace(/\.wasm$/i, "")}.${profile}.wasm`);
  try {
    writeFileSync(out, bytes);
  } catch (cause) {
    throw new FolderUnwritableError(out, cause);
  }
  context.terminal.record({ ok: true, module: out, profile, bytes: bytes.length });
  context.terminal.line(`${out}: ${formatBytes(bytes.length)}, profile ${profile}`);
  return EXIT.ok;
}
