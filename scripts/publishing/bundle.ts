/** Bundles a program with esbuild, the one tsup builds our own packages with. */
import { cpSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

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
  "guest-worker": "@glia-os/daemon/guest-worker",
  "sqlite-worker": "@glia-os/store/sqlite-worker",
};

/** The threads and the child process of the engines for jobs, and the watchdog's thread: `@glia-os/host` looks for them beside itself. */
const engineThreads: Readonly<Record<string, string>> = {
  "threaded-worker": "@glia-os/host/threaded-worker",
  "process-child": "@glia-os/host/process-child",
  "watchdog-thread": "@glia-os/host/watchdog-thread",
};

/** Bundle entries into `target`, each into one file without imports. Packages are those installed in `project`. */
function bundle(project: string, entryPoints: Readonly<Record<string, string>>, target: string): void {
  loadEsbuild().buildSync({
    absWorkingDir: project,
    entryPoints,
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    target: "node24",
    outdir: target,
    logLevel: "error",
  });
  writeFileSync(join(target, "package.json"), JSON.stringify({ private: true, type: "module" }));
}

/** Bundle `program` and the threads of a node into `target`, and put the guest beside them. */
export function bundleNode(project: string, program: string, target: string): void {
  bundle(project, { program, ...threads }, target);
  cpSync(join(project, "node_modules/@glia-os/guest-as/dist/guests/echo.wasm"), join(target, "echo.wasm"));
}

/** Bundle `program` and what its engines start into `target`, and put the module of the jobs, which imports nothing, beside them. */
export function bundleEngines(project: string, program: string, jobs: string, target: string): void {
  bundle(project, { program, ...engineThreads }, target);
  cpSync(jobs, join(target, basename(jobs)));
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
