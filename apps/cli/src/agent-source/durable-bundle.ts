/** A durable program of several files as one ES module: what a node takes (docs/durable-agents.md). */
import type * as Esbuild from "esbuild";
import { ProgramLoadError, UsageError } from "../errors.ts";

/** The bundle of an entry file. The same sources give the same bytes. @throws {ProgramLoadError} where the sources are wrong, {UsageError} without esbuild */
export async function durableBundle(path: string): Promise<Uint8Array> {
  const { build } = await esbuild();
  try {
    const { outputFiles } = await build({
      entryPoints: [path],
      bundle: true,
      write: false,
      format: "esm",
      target: "es2024",
      platform: "node",
      legalComments: "none",
      logLevel: "silent",
    });
    return outputFiles[0]?.contents ?? new Uint8Array();
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
