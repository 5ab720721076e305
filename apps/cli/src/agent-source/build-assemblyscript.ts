/** `glia agent build` for an agent in AssemblyScript: compiled, instrumented, and looked at. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { RemoteError } from "@glia-os/abi/errors";
import { HOST_MODULE } from "@glia-os/abi/wire";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { inspectModule } from "@glia-os/wasm";
import type { Context } from "../context.ts";
import { FolderUnwritableError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { instrumentInThread } from "../wasm/instrument-thread.ts";
import type { AgentBuildOptions } from "./build-options.ts";

/** Run it. */
export async function buildAssemblyScript(
  path: string,
  options: AgentBuildOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.minify === true || options.start !== "auto")
    throw new UsageError(
      "--minify and --start are for agents in TypeScript and JavaScript",
      "Leave them out: a module of AssemblyScript is optimised always, and starts at every spawn.",
    );
  const { terminal } = context;
  const { profile } = options;
  const original = await compileAssemblyScript(path);
  const news = await instrumentInThread({ original, profile, cache: undefined }, context);
  if ("refused" in news) throw new RemoteError(news.refused);
  const { bytes } = news;
  const out = resolve(options.out ?? path.replace(/\.ts$/i, "").concat(".wasm"));
  try {
    writeFileSync(out, bytes);
  } catch (cause) {
    throw new FolderUnwritableError(out, cause);
  }
  const grants = grantsOf(original);
  const hash = createHash("sha256").update(bytes).digest("hex");
  terminal.record({ ok: true, module: out, bytes: bytes.length, hash, profile, grants });
  terminal.line(`${out}: ${Math.ceil(bytes.length / 1024)} KiB, ${profile}`);
  const more = grants.filter((grant) => grant !== HOST_MODULE);
  if (more.length > 0) terminal.line(`Spawn it with --grant ${grants.join(" ")}`);
  return EXIT.ok;
}

/** The modules it imports from: what it has to be granted. */
function grantsOf(original: Uint8Array): readonly string[] {
  const functions = inspectModule(original).imports.filter(({ kind }) => kind === "function");
  return [...new Set([HOST_MODULE, ...functions.map(({ module }) => module)])];
}
