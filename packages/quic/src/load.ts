/**
 * Loading the addon, or saying why not.
 *
 * L1. Nothing is loaded into a Node whose OpenSSL is older than 3.5.8, is not OpenSSL, or does not export what the addon calls: the process
 *     would end at the first call. The version is compared first, then a probe without such calls looks the symbols up.
 * L2. Each failure is a QuicError; none ends the process.
 * L3. A binary is loaded once per thread; later calls give the same addon.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LoadFailedError, NoPrebuildError, type QuicError, UnsupportedOpensslError } from "./errors.ts";
import type { NativeQuic } from "./native.ts";
import { REQUIRED_SYMBOLS } from "./symbols.ts";

/** The oldest OpenSSL the addon runs on: older ones have known holes in their QUIC server, and lack limits that we rely on. */
export const OPENSSL_MIN: readonly [number, number, number] = [3, 5, 8];

/** Where the addon is looked for, and what is known of this process; all have defaults. */
export interface LoadOptions {
  /** A folder with `quic.node` and `probe.node`; left out: the built one of this package, then the installed platform package. */
  readonly folder?: string;
  /** The version of OpenSSL; left out: what this process says. */
  readonly opensslVersion?: string;
}

const require = createRequire(import.meta.url);
const loaded = new Map<string, NativeQuic>();

/** The addon, or a QuicError: `quic.unsupported-openssl`, `quic.no-prebuild`, `quic.load-failed`. */
export function loadQuic(options: LoadOptions = {}): NativeQuic {
  checkVersion(options.opensslVersion ?? process.versions.openssl);
  const folder = options.folder ?? findFolder();
  const known = loaded.get(folder);
  if (known !== undefined) return known;
  checkSymbols(join(folder, "probe.node"));
  const native = loadBinary<NativeQuic>(join(folder, "quic.node"));
  loaded.set(folder, native);
  return native;
}

/** Why QUIC cannot be used here, or undefined when it can. */
export function whyNoQuic(options: LoadOptions = {}): QuicError | undefined {
  try {
    loadQuic(options);
    return undefined;
  } catch (error) {
    return error as QuicError;
  }
}

function checkVersion(version: string | undefined): void {
  const parts = /^(\d+)\.(\d+)\.(\d+)/
    .exec(version ?? "")
    ?.slice(1)
    .map(Number);
  const least = OPENSSL_MIN.join(".");
  if (parts === undefined) throw new UnsupportedOpensslError(`it says it has OpenSSL "${version ?? ""}"`);
  const difference = OPENSSL_MIN.map((part, index) => (parts[index] ?? 0) - part).find((by) => by !== 0) ?? 0;
  if (difference < 0) throw new UnsupportedOpensslError(`its OpenSSL is ${version}, older than ${least}`);
}

function checkSymbols(probePath: string): void {
  const probe = loadBinary<{ has(symbol: string): boolean }>(probePath);
  const missing = REQUIRED_SYMBOLS.filter((symbol) => !probe.has(symbol));
  if (missing.length > 0)
    throw new UnsupportedOpensslError(`it does not export ${missing.slice(0, 5).join(", ")}`);
}

/** Platform names in the form of the platform packages. npm installs the one that fits the C library. */
function platformNames(): string[] {
  const base = `${process.platform}-${process.arch}`;
  return process.platform === "linux" ? [`${base}-gnu`, `${base}-musl`] : [base];
}

function findFolder(): string {
  for (const name of platformNames()) {
    const built = fileURLToPath(new URL(`../prebuilds/${name}`, import.meta.url));
    if (existsSync(join(built, "quic.node"))) return built;
    const installed = resolvePackage(`@glia-os/quic-${name}/package.json`);
    if (installed !== undefined) return join(installed, "..");
  }
  throw new NoPrebuildError(platformNames().join(" or "));
}

function resolvePackage(specifier: string): string | undefined {
  try {
    return require.resolve(specifier);
  } catch {
    return undefined;
  }
}

function loadBinary<Exports>(path: string): Exports {
  try {
    return require(path) as Exports;
  } catch (cause) {
    throw new LoadFailedError(cause);
  }
}
