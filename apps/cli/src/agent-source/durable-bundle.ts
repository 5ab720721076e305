/** A durable program of several files as one ES module: what a node takes (docs/durable-agents.md). */
import { fileURLToPath } from "node:url";
import type * as Esbuild from "esbuild";
import { ProgramLoadError, UsageError } from "../errors.ts";
import { readModule } from "./read-module.ts";

/** The grant of agents that talk to others. */
const AGENTS_GRANT = "service/agents";

/** The module that definitions are made with: the copy of this command, whose interpreter runs them. */
const DEFINITIONS = "@glia-os/cells/agent";
const OWN_AGENTS: Esbuild.Plugin = {
  name: "glia-definitions",
  setup(build) {
    build.onResolve({ filter: /^@glia-os\/cells\/agent$/ }, () => ({
      path: fileURLToPath(import.meta.resolve(DEFINITIONS)),
      sideEffects: false,
    }));
  },
};
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** A bundle, and what its agents are granted unless somebody says otherwise. */
export interface DurableModule {
  readonly bytes: Uint8Array;
  /** Undefined where nobody could look at what the bundle exports. */
  readonly grants: readonly string[] | undefined;
}

/** The bundle of an entry file. The same sources give the same bytes. @throws {ProgramLoadError} where the sources are wrong, {UsageError} without esbuild */
export async function durableBundle(path: string): Promise<Uint8Array> {
  return (await durableModule(path)).bytes;
}

/** The same of a source, or a bundle as it is in its file; an agent made by `agent()` may talk to others. @throws as {@link durableBundle} */
export async function durableModule(path: string): Promise<DurableModule> {
  if (/\.[cm]?ts$/i.test(path)) {
    const { bytes, exports } = await bundled(path);
    return { bytes, grants: grantsOf(exports) };
  }
  const { exports } = await bundled(path).catch(() => ({ exports: undefined }));
  return { bytes: readModule(path), grants: exports && grantsOf(exports) };
}

/** What exports `program` is no agent made by `agent()`. */
function grantsOf(exports: readonly string[]): readonly string[] {
  const isAgent = !exports.includes("program") && (exports.includes("agent") || exports.includes("default"));
  return isAgent ? [AGENTS_GRANT] : [];
}

async function bundled(
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly exports: readonly string[] }> {
  const { build } = await esbuild();
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2024",
      platform: "node",
      legalComments: "none",
      logLevel: "silent",
      metafile: true,
      plugins: [OWN_AGENTS],
      ...(FROM_SOURCE ? { conditions: ["@glia-os/source"] } : {}),
      outfile: "bundle.js",
    });
    const [output] = Object.values(metafile.outputs);
    return { bytes: outputFiles[0]?.contents ?? new Uint8Array(), exports: output?.exports ?? [] };
  } catch (cause) {
    const [problem] = (cause as Partial<Esbuild.BuildFailure>).errors ?? [];
    const { location, text = String(cause) } = problem ?? {};
    const site = location ? `${location.file}:${location.line}:${location.column + 1}` : undefined;
    throw new ProgramLoadError(path, site, text);
  }
}

async function esbuild(): Promise<typeof Esbuild> {
  try {
    return await import("esbuild");
  } catch {
    throw new UsageError(
      "a durable program in TypeScript needs the package esbuild, which is not installed",
      "Install it with `npm install esbuild`, or give a bundle.",
    );
  }
}
