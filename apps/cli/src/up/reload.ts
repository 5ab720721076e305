/**
 * Reads the configuration of a running node again: when its file changes, or on SIGHUP.
 *
 * RL1. A configuration with a problem changes nothing; the problems are in the log.
 * RL2. What a running node takes is applied; what it does not is named, once per reading, and counts from the next start on.
 * RL3. One reading at a time; what changes meanwhile is read once more afterwards.
 */
import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { Logger } from "@glia-os/abi/ports";
import { configChanges, type GliaConfig } from "@glia-os/daemon/config";

/** Editors write a file in several steps: how long it has to be quiet. */
const QUIET_MS = 200;

/** What it works with. */
export interface ReloadParts {
  readonly file: string | undefined;
  readonly logger: Logger;
  read(): Promise<GliaConfig>;
  /** Take what can be taken of it; resolves with what holds then. What it could not take is tried again at the next reading. */
  apply(config: GliaConfig, live: readonly string[]): Promise<GliaConfig>;
}

/** Watches one configuration. */
export class Reload {
  readonly #parts: ReloadParts;
  readonly #watcher: FSWatcher | undefined;
  readonly #onHangup = (): void => void this.now();
  #config: GliaConfig;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(config: GliaConfig, parts: ReloadParts) {
    this.#config = config;
    this.#parts = parts;
    this.#watcher = parts.file === undefined ? undefined : this.#watch(parts.file);
    process.on("SIGHUP", this.#onHangup);
  }

  /** Read it now (RL3). Resolves when what it says was applied. */
  now(): Promise<void> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#readAll().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    process.off("SIGHUP", this.#onHangup);
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#running;
  }

  /** The folder is watched, since editors put a new file in the place of the old one. */
  #watch(file: string): FSWatcher | undefined {
    try {
      const watcher = watch(dirname(file), { persistent: false }, (_, name) => {
        if (name !== null && name !== basename(file)) return;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.now(), QUIET_MS);
      });
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch (error) {
      this.#parts.logger.log("warn", "the configuration is not watched; SIGHUP reads it again", {
        error: String(error),
      });
      return undefined;
    }
  }

  async #readAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#readOnce();
    } while (this.#again);
  }

  async #readOnce(): Promise<void> {
    const { logger, read, apply } = this.#parts;
    try {
      const config = await read();
      const { live, atRestart } = configChanges(this.#config, config);
      if (live.length === 0 && atRestart.length === 0) return;
      this.#config = await apply(config, live);
      const refused = configChanges(this.#config, config).live;
      logger.log("info", "the configuration was read again", {
        taken: live.filter((path) => !refused.includes(path)).join(", "),
        ...(refused.length === 0 ? {} : { refused: refused.join(", ") }),
        atRestart: atRestart.join(", "),
      });
    } catch (error) {
      const { code, message } = toErrorRecord(error);
      logger.log("error", "the configuration was not taken", { code, error: message });
    }
  }
}
