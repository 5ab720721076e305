/** Bundles a program with esbuild, the one tsup builds our own packages with. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

interface Built {
  readonly outputFiles?: readonly { readonly contents: Uint8Array }[];
}

type Esbuild = { buildSync(options: Readonly<Record<string, unknown>>): Built };

function loadEsbuild(): Esbuild {
  const tsup = createRequire(import.meta.url).resolve("tsup");
  return createRequire(tsup)("esbuild") as Esbuild;
}

/** The files of threads that a program which starts a node needs beside it, with the packages' exports they are bundled from. */
const threads: Readonly<Record<string, string>> = {
  "mesh-worker": "@glia-os/daemon/mesh-worker",
  "agent-worker": "@glia-os/daemon/agent-worker",
  "sqlite-worker": "@glia-os/store/sqlite-worker",
};

/**
 * Bundle `program` and the threads of a node into `target`, each into one file without imports, and put the guest beside them.
 * Packages are those installed in `project`.
 */
export function bundleNode(project: string, program: string, target: string): void {
  loadEsbuild().buildSync({
    absWorkingDir: project,
    entryPoints: { program, ...threads },
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node24",
    outdir: target,
    logLevel: "error",
  });
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "package.json"), JSON.stringify({ private: true, type: "module" }));
  cpSync(join(project, "node_modules/@glia-os/guest-as/dist/guests/echo.wasm"), join(target, "echo.wasm"));
}

/** Bytes that importing everything of a package's main entry adds to a program: bundled with what it imports, minified. */
export function minifiedBytes(project: string, name: string): number {
  const { outputFiles } = loadEsbuild().buildSync({
    absWorkingDir: project,
    stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: project },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "node24",
    logLevel: "error",
  });
  return (outputFiles ?? []).reduce((sum, { contents }) => sum + contents.length, 0);
}
