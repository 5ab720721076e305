/**
 * The programs of durable agents: ES modules that are loaded into this process.
 *
 * PF1. Nothing of a bundle runs before it is known to be allowed: by its hash, where a folder says what is.
 *      A file of the folder is read again only when it is another than before or was written since.
 * PF2. A bundle is loaded once per hash, and stays loaded: an ES module cannot be unloaded.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BadBundleError, ProgramsRefusedError } from "@glia-os/cells";
import { isDefinition } from "@glia-os/cells/agent";
import { durableAgent, type ProgramLoader } from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import type { ProgramSettings } from "./program-settings.ts";

/** Bundles that stay loaded. */
export const LOADED_MAX = 1024;
const MODULE = /\.m?js$/;

/** Loads the programs that settings allow. */
export class ProgramFiles implements ProgramLoader {
  readonly #settings: ProgramSettings;
  /** The hash of each file of the folder, and what it was taken of. */
  #hashes: ReadonlyMap<string, FileHash> = new Map();
  readonly #loaded = new Map<string, Promise<DurableProgram<unknown>>>();

  constructor(settings: ProgramSettings) {
    this.#settings = settings;
  }

  async load(bundle: Uint8Array, hash: string): Promise<DurableProgram<unknown>> {
    if (!(await this.#isAllowed(hash))) throw new ProgramsRefusedError(hash);
    const known = this.#loaded.get(hash);
    if (known !== undefined) return await known;
    if (this.#loaded.size >= LOADED_MAX)
      throw new BadBundleError(`this node has loaded ${LOADED_MAX} different programs, its limit`);
    const loading = programIn(bundle);
    this.#loaded.set(hash, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loaded.delete(hash);
      throw error;
    }
  }

  /** PF1. A file that is put into the folder counts from then on. */
  async #isAllowed(hash: string): Promise<boolean> {
    if (this.#settings === "uploaded") return true;
    const { folder } = this.#settings;
    const hashes = new Map<string, FileHash>();
    for (const name of await readdir(folder)) {
      if (!MODULE.test(name)) continue;
      const found = await hashOf(join(folder, name), this.#hashes.get(name)).catch(() => undefined);
      if (found !== undefined) hashes.set(name, found);
    }
    this.#hashes = hashes;
    return [...hashes.values()].some((file) => file.hash === hash);
  }
}

interface FileHash {
  readonly stamp: string;
  readonly hash: string;
}

/** The hash of a file: the known one where nothing about the file has changed. */
async function hashOf(path: string, known: FileHash | undefined): Promise<FileHash> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const stamp = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  if (known?.stamp === stamp) return known;
  return {
    stamp,
    hash: createHash("sha256")
      .update(await readFile(path))
      .digest("hex"),
  };
}

/** The program that a bundle exports. @throws {BadBundleError} */
async function programIn(bundle: Uint8Array): Promise<DurableProgram<unknown>> {
  let exports: { readonly program?: unknown; readonly agent?: unknown; readonly default?: unknown };
  try {
    const url = `data:text/javascript;base64,${Buffer.from(bundle).toString("base64")}`;
    exports = (await import(url)) as typeof exports;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadBundleError(`it is no ES module that can be loaded (${why})`, error);
  }
  const own = exports.agent ?? (exports.program === undefined ? exports.default : undefined);
  if (isDefinition(own)) return durableAgent(own, Object.values(exports).filter(isDefinition));
  const program = exports.program as DurableProgram<unknown> | undefined;
  if (typeof program !== "object" || program === null || typeof program.run !== "function")
    throw new BadBundleError(
      "it exports neither `program` with a function `run` nor an `agent` (or default) made by agent()",
    );
  return program;
}
