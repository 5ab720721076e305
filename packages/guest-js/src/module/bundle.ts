/** Bundles an agent and everything it imports into one module of JavaScript, with esbuild. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Esbuild from "esbuild";
import { BundleFailedError, EsbuildMissingError } from "../errors.ts";

/** Where the agent's source is: a file, or text with a file name and the folder its imports are looked up from. */
export type AgentSource =
  | { readonly entry: string }
  | { readonly source: string; readonly name?: string; readonly folder?: string };

/** A bundle. */
export interface Bundle {
  /** One module without imports. */
  readonly code: string;
  /** Its source map as JSON, sources included. It stays with the host: positions in errors are mapped by `mapPositions`. */
  readonly map: string;
  /** What the bundler warned of. */
  readonly warnings: readonly string[];
}

/** What the bundle's first file imports. */
const AGENT = "glia:agent";
const IS_AGENT = /^glia:agent$/;
const PACKAGE = "@glia-os/guest-js";
const DEFINITIONS = "@glia-os/cells/agent";
const fromSource = import.meta.url.endsWith(".ts");

function ownFile(source: string, built: string): string {
  return fileURLToPath(new URL(fromSource ? source : built, import.meta.url));
}

/** Make one script of an agent. Positions of problems are in the agent's own sources. @throws EsbuildMissingError, BundleFailedError */
export async function bundleAgent(source: AgentSource, minify = false): Promise<Bundle> {
  const esbuild = await loadEsbuild();
  try {
    const result = await esbuild.build({
      ...input(source),
      inject: [ownFile("../guest/web.ts", "./web.js")],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2023",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: fromSource ? ["@glia-os/source", "import", "default"] : ["import", "default"],
      logOverride: { "import-is-undefined": "silent" },
      sourcemap: "external",
      minify,
      outfile: "agent.js",
      logLevel: "silent",
    });
    const text = (ending: string): string =>
      result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
    return { code: text(".js"), map: text(".map"), warnings: result.warnings.map(described) };
  } catch (cause) {
    if (cause instanceof BundleFailedError) throw cause;
    const problems = (cause as { errors?: Esbuild.Message[] }).errors?.map(described);
    throw new BundleFailedError(problems ?? [String(cause)], cause);
  }
}

async function loadEsbuild(): Promise<typeof Esbuild> {
  try {
    return await import("esbuild");
  } catch (cause) {
    throw new EsbuildMissingError(cause);
  }
}

function described({ text, location }: Esbuild.Message): string {
  return location === null ? text : `${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

/** The globals come first, so that every module of the bundle finds them; a definition that the agent exports is run last. */
function input(source: AgentSource): { stdin: Esbuild.StdinOptions; plugins: Esbuild.Plugin[] } {
  const globals = `import ${JSON.stringify(`${PACKAGE}/globals`)};`;
  const start = (agent: string, resolveDir: string): Esbuild.StdinOptions => ({
    contents: `${globals}import * as program from ${JSON.stringify(agent)};globalThis.glia$serve?.(program);`,
    resolveDir,
    sourcefile: "glia:start",
  });
  if ("entry" in source) {
    const path = resolve(source.entry);
    if (!existsSync(path)) throw new BundleFailedError([`there is no file ${source.entry}`], undefined);
    return { stdin: start(AGENT, dirname(path)), plugins: [agentFile(path), guestApi, definitions] };
  }
  const folder = resolve(source.folder ?? ".");
  const text = agentText(source.source, source.name ?? "agent.ts", folder);
  return { stdin: start(AGENT, folder), plugins: [text, guestApi, definitions] };
}

/** The entry runs whatever its package says of side effects. */
function agentFile(path: string): Esbuild.Plugin {
  return {
    name: "agent",
    setup(build) {
      build.onResolve({ filter: IS_AGENT }, () => ({ path, sideEffects: true }));
    },
  };
}

function agentText(contents: string, name: string, folder: string): Esbuild.Plugin {
  const loader = /\.m?(js|ts)x?$/.exec(name)?.[0].replace(/^\.m?/, "") ?? "ts";
  return {
    name: "agent",
    setup(build) {
      build.onResolve({ filter: IS_AGENT }, () => ({ path: name, namespace: "agent" }));
      build.onLoad({ filter: /.*/, namespace: "agent" }, () => ({
        contents,
        resolveDir: folder,
        loader: loader as Esbuild.Loader,
      }));
    },
  };
}

/** The guest API is always this package's own, wherever the agent lies. */
const guestApi: Esbuild.Plugin = {
  name: "guest-api",
  setup(build) {
    build.onResolve({ filter: /^@glia-os\/guest-js(\/globals)?$/ }, ({ path }) => ({
      path:
        path === PACKAGE
          ? ownFile("../index.ts", "./index.js")
          : ownFile("../guest/globals.ts", "./globals.js"),
      sideEffects: true,
    }));
  },
};

/**
 * The agent SDK of `@glia-os/cells` is the one this package is built with, so that what a definition is made with and what runs it agree. Only
 * a program that imports it has what runs definitions in its bundle.
 */
const definitions: Esbuild.Plugin = {
  name: "definitions",
  setup(build) {
    const served = ownFile("../guest/definition.ts", "./definition.js");
    const here = { resolveDir: dirname(served), kind: "import-statement", pluginData: served } as const;
    build.onResolve({ filter: /^@glia-os\/cells\/[a-z-]+$/ }, ({ path, importer, pluginData }) => {
      if (pluginData === served) return undefined;
      const ours = dirname(importer) === dirname(served);
      if (path === DEFINITIONS && !ours) return { path: served, sideEffects: true };
      return build.resolve(path, here);
    });
  },
};
