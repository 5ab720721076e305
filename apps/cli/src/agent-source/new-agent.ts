/** `glia agent new`: a folder with an agent to begin with. */
import { readdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { makeFolder } from "create-glia";
import type { Context } from "../context.ts";
import { FolderInUseError, FolderUnwritableError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { assemblyscriptFiles } from "./assemblyscript-template.ts";
import { typescriptFiles } from "./typescript-template.ts";

/** Its options. */
export interface AgentNewOptions {
  readonly lang: "typescript" | "assemblyscript";
}

/** Run it. */
export async function agentNew(
  folder: string,
  options: AgentNewOptions,
  context: Context,
): Promise<ExitCode> {
  const path = resolve(folder);
  const name = basename(path);
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name))
    throw new UsageError(
      `"${name.slice(0, 80)}" cannot be the name of an agent`,
      "Use small letters, digits, dots, dashes and underscores, at most 64.",
    );
  requireEmpty(path);
  const files = options.lang === "assemblyscript" ? assemblyscriptFiles(name) : typescriptFiles(name);
  try {
    makeFolder(path);
    for (const [file, content] of Object.entries(files))
      writeFileSync(join(path, file), content, { flag: "wx" });
  } catch (cause) {
    throw new FolderUnwritableError(path, cause);
  }
  context.terminal.record({ ok: true, folder: path, files: Object.keys(files) });
  context.terminal.line(`${path}: ${Object.keys(files).join(", ")}`);
  context.terminal.line(
    `Next: cd ${folder} && glia agent build agent.ts && glia agent spawn agent.wasm --as ${name}`,
  );
  return EXIT.ok;
}

function requireEmpty(path: string): void {
  let held: string[];
  try {
    held = readdirSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new FolderUnwritableError(path, cause);
  }
  if (held.length > 0) throw new FolderInUseError(path);
}
