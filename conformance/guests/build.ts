/**
 * Builds the guests in C and Rust with Debian's compilers, and keeps what came out in `prebuilt/`, so that tests need no compiler.
 *
 * `node conformance/guests/build.ts` builds all that this machine has a compiler for and writes `prebuilt/manifest.json`:
 * per guest its source, the SHA-256 of its source and of the module, and the compiler. `conformance/test/guests.test.ts` checks
 * them, and builds the guests again where the compilers are.
 *
 * Debian packages: clang lld wasi-libc libclang-rt-14-dev-wasm32 rustc libstd-rust-dev-wasm32
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = import.meta.dirname;
/** Relative, as the sources are: no path of this machine may get into a module. */
const include = "../../packages/wasm/include";

/** What the manifest says of one guest. */
export interface PrebuiltGuest {
  readonly source: string;
  /** SHA-256 of the source and, for C, of `glia.h`. */
  readonly sourceHash: string;
  /** First line of the compiler's `--version`. */
  readonly compiler: string;
  readonly hash: string;
  readonly bytes: number;
}

interface Recipe {
  readonly source: string;
  readonly compiler: string;
  readonly arguments: readonly string[];
}

const C = ["--target=wasm32-wasi", "-O2", "-Wall", "-Wextra", "-Werror", "-I", include, "-Wl,--strip-all"];
const RUST =
  "--edition=2021 -D warnings -C opt-level=s -C lto=fat -C panic=abort -C codegen-units=1 -C strip=symbols".split(
    " ",
  );

/** Every guest and how it is built. Debian's `rustc` is named by its path: others seldom have the WebAssembly targets. */
export const RECIPES: Readonly<Record<string, Recipe>> = {
  sort: { source: "c/sort.c", compiler: "clang", arguments: C },
  report: { source: "c/report.c", compiler: "clang", arguments: C },
  tally: { source: "c/tally.c", compiler: "clang", arguments: C },
  collect: {
    source: "rust/collect.rs",
    compiler: "/usr/bin/rustc",
    arguments: [...RUST, "--target=wasm32-wasi"],
  },
  ledger: {
    source: "rust/ledger.rs",
    compiler: "/usr/bin/rustc",
    arguments: [...RUST, "--target=wasm32-unknown-unknown", "--crate-type=cdylib"],
  },
};

/** First line of `--version`, or undefined without that compiler. */
export function compilerVersion(compiler: string): string | undefined {
  const { status, stdout } = spawnSync(compiler, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : undefined;
}

/** The module of a guest, built now. */
export function buildGuest(name: string): Uint8Array {
  const recipe = RECIPES[name] as Recipe;
  const folder = mkdtempSync(join(tmpdir(), "glia-guest-"));
  try {
    const output = join(folder, `${name}.wasm`);
    const run = spawnSync(recipe.compiler, [...recipe.arguments, "-o", output, recipe.source], {
      encoding: "utf8",
      cwd: root,
    });
    if (run.status !== 0) throw new GuestBuildError(recipe, run.error?.message ?? run.stderr);
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class GuestBuildError extends Error {
  constructor({ compiler, source }: Recipe, output: string) {
    super(`${compiler} could not build ${source}:\n${output}`);
  }
}

/** What a guest's module depends on besides its compiler. */
export function sourceHash({ source }: Pick<Recipe, "source">): string {
  const hash = createHash("sha256").update(readFileSync(join(root, source)));
  if (source.endsWith(".c")) hash.update(readFileSync(join(root, include, "glia.h")));
  return hash.digest("hex");
}

/** The manifest as it is. */
export function readManifest(): Record<string, PrebuiltGuest> {
  return JSON.parse(readFileSync(join(root, "prebuilt", "manifest.json"), "utf8")) as Record<
    string,
    PrebuiltGuest
  >;
}

if (import.meta.main) {
  mkdirSync(join(root, "prebuilt"), { recursive: true });
  const manifest: Record<string, PrebuiltGuest> = {};
  for (const [name, recipe] of Object.entries(RECIPES)) {
    const bytes = buildGuest(name);
    const hash = createHash("sha256").update(bytes).digest("hex");
    const compiler = compilerVersion(recipe.compiler) ?? recipe.compiler;
    manifest[name] = {
      source: recipe.source,
      sourceHash: sourceHash(recipe),
      compiler,
      hash,
      bytes: bytes.length,
    };
    writeFileSync(join(root, "prebuilt", `${name}.wasm`), bytes);
  }
  writeFileSync(join(root, "prebuilt", "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
