/**
 * `node scripts/build-native.ts [--sanitize] [--into DIR]`: compiles native/*.c with the C compiler of the machine against the headers
 * that come with Node. Nothing is downloaded; nothing is compiled where the package is installed.
 *
 * N1. What is built already from the same sources with the same flags is left alone; a build appears whole or not at all.
 * N2. Without a compiler or headers it says so and succeeds: the package then refuses with `quic.no-prebuild`, and programs use TLS.
 * N3. `-z now` resolves every symbol when the addon is loaded: a Node that lacks one refuses it instead of ending at the first call.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

const packageFolder = join(import.meta.dirname, "..");
const nativeFolder = join(packageFolder, "native");

/** What is built, and where. */
export interface NativeBuild {
  /** Folder for `quic.node` and `probe.node`; left out: the one that `loadQuic` looks into. */
  readonly into?: string;
  /** With AddressSanitizer, and traps on undefined behaviour. */
  readonly sanitize?: boolean;
}

/** What came of a build. */
export type NativeBuildResult =
  | { readonly kind: "built" | "current"; readonly folder: string }
  | { readonly kind: "skipped"; readonly why: string };

/** The name of this platform, as in `@glia-os/quic-NAME`. */
export function platformName(): string {
  const base = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux") return base;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `${base}-${report.header?.glibcVersionRuntime === undefined ? "musl" : "gnu"}`;
}

/** Node's own headers: beside the running binary, or those of the pinned runtime of the workspace, which the packages `node-PLATFORM` bring. */
function headersFolder(): string | undefined {
  const runtime = join(packageFolder, "../../node_modules/node/node_modules");
  const installed = join(packageFolder, "../../node_modules");
  const candidates = [
    join(dirname(process.execPath), "../include/node"),
    // Links to folders, which a pattern does not follow.
    ...readdirSync(installed)
      .filter((name) => name.startsWith("node-"))
      .map((name) => join(installed, name, "include/node")),
    ...globSync(join(runtime, "node-*/include/node")),
    ...globSync(join(dirname(process.execPath), "../node_modules/node-*/include/node")),
  ];
  return candidates.find((folder) => hasQuic(folder));
}

/** Headers of an older Node would compile and lack names that the addon needs. */
function hasQuic(folder: string): boolean {
  return (
    existsSync(join(folder, "openssl/quic.h")) &&
    existsSync(join(folder, "node_api.h")) &&
    existsSync(join(folder, "uv.h"))
  );
}

function findCompiler(): string | undefined {
  return ["cc", "gcc", "clang"].find((name) => spawnSync(name, ["--version"]).status === 0);
}

function flagsFor(sanitize: boolean): string[] {
  const common = [
    "-std=gnu11",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-DNAPI_VERSION=9",
  ];
  const checked = [
    "-g",
    "-O1",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    "-fsanitize-undefined-trap-on-error",
  ];
  const shipped = ["-O2", "-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"];
  const link =
    process.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : ["-Wl,-z,now", "-Wl,-z,relro"];
  return [...common, ...(sanitize ? checked : shipped), "-shared", ...link];
}

function digest(compiler: string, flags: readonly string[], headers: string): string {
  const hash = createHash("sha256").update(JSON.stringify([compiler, flags, headers]));
  for (const name of readdirSync(nativeFolder).sort())
    hash.update(name).update(readFileSync(join(nativeFolder, name)));
  return hash.digest("hex");
}

/** Compiles what is not current. Throws when the sources do not compile. */
export function buildNative({ into, sanitize = false }: NativeBuild = {}): NativeBuildResult {
  if (process.platform === "win32") return { kind: "skipped", why: "the addon is not written for Windows" };
  const compiler = findCompiler();
  if (compiler === undefined) return { kind: "skipped", why: "there is no C compiler (cc, gcc or clang)" };
  const headers = headersFolder();
  if (headers === undefined)
    return { kind: "skipped", why: "there are no headers of a Node with QUIC in its OpenSSL" };
  const folder = into ?? join(packageFolder, "prebuilds", platformName());
  const flags = flagsFor(sanitize);
  const stamp = join(folder, "sources.sha256");
  const now = digest(compiler, flags, headers);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return { kind: "current", folder };
  mkdirSync(folder, { recursive: true });
  const sources = readdirSync(nativeFolder).filter((name) => name.endsWith(".c") && name !== "probe.c");
  compile([compiler, ...flags, `-I${headers}`], sources, join(folder, "quic.node"));
  compile([compiler, ...flags, `-I${headers}`], ["probe.c"], join(folder, "probe.node"));
  writeFileSync(stamp, now);
  return { kind: "built", folder };
}

function compile(command: readonly string[], sources: readonly string[], target: string): void {
  const [compiler = "cc", ...flags] = command;
  const draft = `${target}.${process.pid}`;
  const args = [...flags, ...sources.map((name) => join(nativeFolder, name)), "-o", draft];
  const { status, stderr } = spawnSync(compiler, args, { encoding: "utf8" });
  if (status === 0) {
    renameSync(draft, target);
    return;
  }
  rmSync(draft, { force: true });
  throw new Error(`${compiler} did not compile the QUIC addon:\n${stderr}`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { sanitize: { type: "boolean" }, into: { type: "string" } } });
  const { into, sanitize = false } = values;
  const result = buildNative({ sanitize, ...(into === undefined ? {} : { into }) });
  if (result.kind === "skipped")
    console.warn(`QUIC addon NOT built: ${result.why}. Programs use TLS instead.`);
  else console.log(`QUIC addon ${result.kind}: ${result.folder}`);
}
