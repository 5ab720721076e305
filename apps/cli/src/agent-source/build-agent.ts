/** `glia agent build`: an agent's source becomes a module. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { SYS_MODULE } from "@glia-os/abi/wire";
import { buildAgent } from "@glia-os/guest-js/build";
import type { Context } from "../context.ts";
import { FolderUnwritableError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import type { AgentBuildOptions } from "./build-options.ts";
import { requireSource } from "./readable-source.ts";

/** What an agent is granted that speaks with others. */
const AGENTS_GRANT = "service/agents";
const ASSEMBLYSCRIPT = /\bfrom\s*["']@glia-os\/guest-as(?:\/|["'])/;

/** Run it. */
export async function agentBuild(
  path: string,
  options: AgentBuildOptions,
  context: Context,
): Promise<ExitCode> {
  requireSource(path);
  if (isAssemblyScript(path, options)) {
    const { buildAssemblyScript } = await import("./build-assemblyscript.ts");
    return buildAssemblyScript(path, options, context);
  }
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
  const { hash, startedAt, warnings, log, grants } = module;
  const bytes = module.bytes.length;
  terminal.record({ ok: true, module: out, map, bytes, hash, startedAt, warnings, log, grants });
  for (const warning of warnings) terminal.line(`warning: ${warning}`);
  for (const line of log) terminal.line(`log: ${line}`);
  const when = startedAt === "build" ? "started ahead" : "starts at every spawn";
  terminal.line(`${out}: ${Math.ceil(bytes / 1024)} KiB, ${when}`);
  if (grants.includes(SYS_MODULE) && !grants.includes(AGENTS_GRANT))
    terminal.line(`It uses fetch: spawn it with --grant ${grants.join(" ")} service/http`);
  else if (grants.includes(AGENTS_GRANT)) terminal.line(`Spawn it with --grant ${grants.join(" ")}`);
  return EXIT.ok;
}

/** What the options say, or what the source imports. */
function isAssemblyScript(path: string, { lang }: AgentBuildOptions): boolean {
  if (lang !== "auto") return lang === "assemblyscript";
  return ASSEMBLYSCRIPT.test(readFileSync(path, "utf8"));
}
