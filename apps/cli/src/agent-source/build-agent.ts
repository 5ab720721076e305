/** `glia agent build`: an agent's source becomes a module. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { buildAgent, type StartAt } from "@glia-os/guest-js/build";
import type { Context } from "../context.ts";
import { FolderUnwritableError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** Its options. */
export interface AgentBuildOptions {
  readonly out?: string;
  readonly start: StartAt | "auto";
  readonly minify?: boolean;
}

/** Run it. */
export async function agentBuild(
  path: string,
  options: AgentBuildOptions,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  const module = await buildAgent({ entry: path }, { start: options.start, minify: options.minify === true });
  const out = resolve(options.out ?? path.replace(/\.[cm]?[jt]sx?$/i, "").concat(".wasm"));
  const map = `${out}.map`;
  try {
    writeFileSync(out, module.bytes);
    writeFileSync(map, module.map);
  } catch (cause) {
    throw new FolderUnwritableError(out, cause);
  }
  const { hash, startedAt, warnings, log } = module;
  terminal.record({ ok: true, module: out, map, bytes: module.bytes.length, hash, startedAt, warnings, log });
  for (const warning of warnings) terminal.line(`warning: ${warning}`);
  for (const line of log) terminal.line(`log: ${line}`);
  const when = startedAt === "build" ? "started ahead" : "starts at every spawn";
  terminal.line(`${out}: ${Math.ceil(module.bytes.length / 1024)} KiB, ${when}`);
  return EXIT.ok;
}
