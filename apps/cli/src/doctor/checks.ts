/** What a machine must have to run a node; each check tries the thing itself instead of looking up a version. */
import { generateKeyPairSync } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { getCiphers } from "node:tls";
import type { HostPort } from "@glia-os/abi/ports";
import type { HardwareProfile } from "@glia-os/hal";
import { type Choice, chooseBackend } from "@glia-os/tensor/backends";
import { InputNotDirectoryError, reasonOf } from "../errors.ts";
import { formatHostPort } from "../node/host-port.ts";
import { formatBytes } from "../terminal/amount.ts";

/** What one check came to. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to change when it failed. */
  readonly fix: string;
}

/** What to check. */
export interface CheckOptions {
  readonly hardware: HardwareProfile;
  readonly bind: HostPort;
  readonly dataDir: string;
}

/** The oldest Node.js whose features the packages use. */
const NODE_MAJOR_MIN = 24;
/** What one node with a few agents needs. */
const MEMORY_MIN = 256 * 1024 * 1024;
/** Sockets, databases and threads of a node with some peers. */
const OPEN_FILES_MIN = 256;
/** What the sandbox of agents is built on. */
const WASM_NEEDED = ["simd128", "bulkMemory", "multiMemory"] as const;

/** All checks, in the order they are shown. */
export async function runChecks({ hardware, bind, dataDir }: CheckOptions): Promise<readonly Check[]> {
  return [
    nodeVersion(process.versions.node ?? "0"),
    await sqlite(),
    cryptography(),
    wasm(hardware),
    tensors(),
    memory(hardware),
    openFiles(),
    await dataFolder(dataDir),
    await listening(bind),
  ];
}

/** The version of Node.js. */
export function nodeVersion(version: string): Check {
  const ok = Number.parseInt(version, 10) >= NODE_MAJOR_MIN;
  return { name: "Node.js", ok, found: version, fix: `Install Node.js ${NODE_MAJOR_MIN} or newer.` };
}

async function sqlite(): Promise<Check> {
  const check = { name: "SQLite", fix: "Use an official build of Node.js; this one lacks node:sqlite." };
  try {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(":memory:");
    const row = database.prepare("select sqlite_version() as version").get();
    database.close();
    return { ...check, ok: true, found: String(row?.["version"]) };
  } catch (error) {
    return { ...check, ok: false, found: reasonOf(error) };
  }
}

function cryptography(): Check {
  const check = {
    name: "TLS 1.3, Ed25519",
    fix: "Use a Node.js whose OpenSSL is not restricted (no FIPS-only policy).",
  };
  try {
    generateKeyPairSync("ed25519");
    const ok = getCiphers().some((name) => name.startsWith("tls_aes_"));
    return { ...check, ok, found: ok ? `OpenSSL ${process.versions.openssl}` : "no TLS 1.3 cipher" };
  } catch (error) {
    return { ...check, ok: false, found: reasonOf(error) };
  }
}

/** The WebAssembly features of this process. */
export function wasm({ wasm: features }: Pick<HardwareProfile, "wasm">): Check {
  const missing = WASM_NEEDED.filter((name) => features?.[name] !== true);
  const found = missing.length === 0 ? WASM_NEEDED.join(", ") : `without ${missing.join(", ")}`;
  return {
    name: "WebAssembly",
    ok: missing.length === 0,
    found,
    fix: "Run Node.js without flags that turn features off.",
  };
}

/** What tensors are computed with here; plain JavaScript serves where vectors do not, so this never fails. */
export function tensors({ name, candidates }: Choice = chooseBackend()): Check {
  const rates = candidates.map((one) =>
    one.gflops === undefined
      ? `${one.name}: ${one.problem}`
      : `${one.name} ${one.gflops.toPrecision(3)} GFLOP/s`,
  );
  return { name: "tensors", ok: true, found: `${name} (${rates.join(", ")})`, fix: "" };
}

/** The memory this process may use. */
export function memory({
  effectiveMemoryBytes: bytes,
}: Pick<HardwareProfile, "effectiveMemoryBytes">): Check {
  const ok = bytes === undefined || bytes >= MEMORY_MIN;
  const found = bytes === undefined ? "unknown" : formatBytes(bytes);
  return { name: "memory", ok, found, fix: `Give the process ${formatBytes(MEMORY_MIN)} or more.` };
}

function openFiles(): Check {
  const limits = (
    process.report?.getReport() as { userLimits?: Record<string, { soft: unknown }> } | undefined
  )?.userLimits;
  return openFileLimit(limits?.["open_files"]?.soft);
}

/** The limit of open files, as the system writes it: a number, `unlimited`, or nothing. */
export function openFileLimit(soft: unknown): Check {
  const count = Number(soft);
  const ok = !Number.isFinite(count) || count >= OPEN_FILES_MIN;
  const found = soft === undefined ? "not limited" : String(soft);
  return { name: "open files", ok, found, fix: `Raise the limit: ulimit -n ${OPEN_FILES_MIN}.` };
}

/** Whether a node could keep its data there. Nothing is left behind. */
export async function dataFolder(path: string): Promise<Check> {
  const check = { name: "data folder", fix: "Make it writable for this user, or set GLIA_HOME or --data." };
  const folder = resolve(path);
  try {
    const existing = await nearestExisting(folder);
    await access(existing, constants.W_OK | constants.X_OK);
    await rm(await mkdtemp(join(existing, ".glia-doctor-")), { recursive: true });
    return { ...check, ok: true, found: folder };
  } catch (error) {
    return { ...check, ok: false, found: `${folder}: ${reasonOf(error)}` };
  }
}

/** The folder itself, or the nearest one above it that is there. */
async function nearestExisting(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" || at === dirname(at)) throw error;
    });
    if (found?.isDirectory() === true) return at;
    if (found !== undefined) throw new InputNotDirectoryError(at);
  }
}

/** Whether the address can be listened on. */
export async function listening(bind: HostPort): Promise<Check> {
  const fix = "Choose another address or port, or stop the process that has it.";
  const check = { name: "listening", fix };
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => {
      server.once("error", fail);
      server.listen({ ...bind, exclusive: true }, () => done());
    });
    return { ...check, ok: true, found: formatHostPort(bind) };
  } catch (error) {
    return { ...check, ok: false, found: `${formatHostPort(bind)}: ${reasonOf(error)}` };
  } finally {
    server.close();
  }
}
