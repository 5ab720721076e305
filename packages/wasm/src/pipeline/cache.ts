/**
 * Instrumented modules kept on disk, by the content they came from.
 *
 * CA1. An entry's name is the hash of everything its content depends on: the original module, profile, options and versions.
 * CA2. An entry is written under another name and then renamed, so a reader finds it whole or not at all.
 * CA3. An entry carries the hash of its module and is admitted again when it is read: a damaged or foreign one is made anew.
 * CA4. The cache is as trusted as its folder. Modules that come from elsewhere are signed (artefact.ts).
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkGuest } from "../admission.ts";
import { concat } from "../binary/writer.ts";
import { PIPELINE_VERSION, sha256Hex } from "../profile.ts";
import { type Instrumented, type InstrumentOptions, instrument } from "./instrument.ts";

/** Where a module came from: the cache, or made now because there was no entry (`miss`) or a damaged one (`repaired`). */
export type CacheOutcome = "hit" | "miss" | "repaired";

/** What {@link instrumentCached} gives. */
export interface CachedModule extends Instrumented {
  readonly cache: CacheOutcome;
}

const HASH_BYTES = 32;

/**
 * As {@link instrument}, through a cache in `folder`, which is made when it is missing. Needs `binaryen` only on a miss.
 * @throws as {@link instrument}; errors of the file system other than a missing entry
 */
export async function instrumentCached(
  bytes: Uint8Array,
  folder: string,
  options: InstrumentOptions = {},
): Promise<CachedModule> {
  const original = sha256Hex(bytes);
  const path = join(folder, `${keyOf(original, options)}.wasm`);
  const entry = await readEntry(path);
  const kept = entry === undefined ? undefined : intact(entry, original);
  if (kept !== undefined) return { bytes: kept, hash: sha256Hex(kept), original, cache: "hit" };
  const made = await instrument(bytes, options);
  await mkdir(folder, { recursive: true });
  const partial = `${path}.${randomUUID()}`;
  try {
    await writeFile(partial, concat([Buffer.from(made.hash, "hex"), made.bytes]), { flag: "wx" });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return { ...made, cache: entry === undefined ? "miss" : "repaired" };
}

function keyOf(original: string, { profile, maximumPages, suspending }: InstrumentOptions): string {
  const parts = [
    PIPELINE_VERSION,
    original,
    profile ?? "cooperative",
    maximumPages ?? null,
    suspending ?? [],
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function readEntry(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The module of an entry, or undefined when it is damaged or not made from `original` (CA3). */
function intact(entry: Uint8Array, original: string): Uint8Array | undefined {
  const module = Uint8Array.from(entry.subarray(HASH_BYTES));
  if (sha256Hex(module) !== Buffer.from(entry.subarray(0, HASH_BYTES)).toString("hex")) return undefined;
  try {
    return checkGuest(module).profile.original === original ? module : undefined;
  } catch {
    return undefined;
  }
}
