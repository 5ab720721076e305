/**
 * A durable program in realms of its own: its file and what that imports become one script, which is run anew whenever the program begins.
 *
 * SP1. The services of the file stay outside: they are there to reach the world.
 * SP2. Packages of Glia are the copies this command uses. Any other module that is no file refuses what is taken from it.
 */
import { dirname, resolve } from "node:path";
import type { DurableProgram } from "@glia-os/durable";
import { positionMapper } from "@glia-os/guest-js/build";
import { createSealedScript, type SystemAmbientGuard } from "@glia-os/hal";
import type * as Esbuild from "esbuild";
import { ProgramLoadError, UsageError } from "../errors.ts";
import type { BesideDomain, LoadedDurable } from "./load-durable.ts";

/** A sealed program. */
export interface SealedProgram {
  readonly program: DurableProgram;
  readonly beside: LoadedDurable["beside"];
  readonly guard: SystemAmbientGuard;
  /** A text with the positions of the script as positions in the files it was made of. */
  positioned(text: string): string;
}

const GLIA = /^(?:glia|@glia-os\/[a-z-]+)(?:\/|$)/;
/** The name that `positionMapper` looks for. */
const SCRIPT = "agent.js";

/** Seal a program that was loaded from a file. @throws {UsageError} {ProgramLoadError} */
export async function sealedProgram({ file, path, program, beside }: LoadedDurable): Promise<SealedProgram> {
  const { code, map, imports } = await bundled(file, path);
  const glia = imports.filter((name) => GLIA.test(name));
  const modules = Object.fromEntries(
    await Promise.all(glia.map(async (name) => [name, await import(name)] as const)),
  );
  const positioned = positionMapper(map);
  const script = createSealedScript({ source: code, file: SCRIPT, modules });
  const sealed = (whole: DurableProgram, found: (exports: Exports) => DurableProgram): DurableProgram => ({
    ...whole,
    run: (input) => found(script.load() as unknown as Exports).run(input),
  });
  const others = Object.entries(beside).map(([name, each]) => {
    const found = ({ domains }: Exports): DurableProgram => (domains[name] as BesideDomain).program;
    return [name, { ...each, program: sealed(each.program, found) }] as const;
  });
  return {
    program: sealed(program, (exports) => exports.default),
    beside: Object.fromEntries(others),
    guard: script.guard,
    positioned,
  };
}

/** What a program file exports, in a realm. */
interface Exports {
  readonly default: DurableProgram;
  readonly domains: LoadedDurable["beside"];
}

interface Bundled {
  readonly code: string;
  readonly map: string;
  /** Modules that are not part of the script. */
  readonly imports: readonly string[];
}

async function bundled(file: string, path: string): Promise<Bundled> {
  const { build } = await esbuild();
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [path],
      absWorkingDir: process.cwd(),
      outfile: resolve(SCRIPT),
      bundle: true,
      write: false,
      metafile: true,
      format: "cjs",
      target: "es2024",
      platform: "node",
      sourcemap: "external",
      logLevel: "silent",
      plugins: [{ name: "glia", setup: (made) => made.onResolve({ filter: GLIA }, external) }],
      nodePaths: [dirname(path)],
    });
    const text = (ending: string): string =>
      outputFiles.find((each) => each.path.endsWith(ending))?.text ?? "";
    const imports = Object.values(metafile.inputs).flatMap((input) =>
      input.imports.flatMap((each) => (each.external === true ? [each.path] : [])),
    );
    return { code: text(".js"), map: text(".map"), imports: [...new Set(imports)] };
  } catch (cause) {
    const [problem] = (cause as Partial<Esbuild.BuildFailure>).errors ?? [];
    const { location, text = String(cause) } = problem ?? {};
    const site = location ? `${location.file}:${location.line}:${location.column + 1}` : undefined;
    throw new ProgramLoadError(file, site, text);
  }
}

function external({ path }: { readonly path: string }): Esbuild.OnResolveResult {
  return { path, external: true };
}

async function esbuild(): Promise<typeof Esbuild> {
  try {
    return await import("esbuild");
  } catch {
    throw new UsageError(
      "--guard sealed needs the package esbuild, which is not installed",
      "Install it with `npm install esbuild`, or use --guard strict.",
    );
  }
}
