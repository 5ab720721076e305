/**
 * The cluster's key on the node that holds it, and its replacement.
 *
 *     cluster-key.pem        the key
 *     cluster-key.next.pem   its successor, while it is being replaced
 *     key-rotation.json      until when the replaced key counts, while it is being replaced
 *
 * KF1. The successor and the end of its predecessor are on disk before anybody hears of them, so that a rotation that was cut off is made
 *      again, to the byte, and never twice in different ways.
 * KF2. The successor takes the place of the key only when what the node comes back with names it.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Random } from "@glia-os/abi/ports";
import { loadOrCreateNodeIdentity, type NodeIdentity } from "@glia-os/mesh-wire";
import { replaceFile } from "./durable-file.ts";
import { DataFolderError } from "./errors.ts";

/** A rotation that was begun. */
export interface BegunRotation {
  readonly next: NodeIdentity;
  /** Until when the replaced key counts, ms since 1970. */
  readonly untilMs: number;
}

/** The key files of one data folder. */
export class ClusterKeyFiles {
  readonly #dataDir: string;
  readonly #random: Random;

  constructor(dataDir: string, random: Random) {
    this.#dataDir = dataDir;
    this.#random = random;
  }

  /** Whether this node holds the key. */
  get exists(): boolean {
    return existsSync(this.#file("cluster-key.pem"));
  }

  /** The key; made on the first call. @throws the refusals of `loadOrCreateNodeIdentity`. */
  load(): Promise<NodeIdentity> {
    return loadOrCreateNodeIdentity(this.#file("cluster-key.pem"), this.#random);
  }

  /** The rotation that was begun and not finished. @throws {DataFolderError} when its file is damaged. */
  async begun(): Promise<BegunRotation | undefined> {
    if (!existsSync(this.#file("key-rotation.json"))) return undefined;
    // Cut off between the two steps of `finish`: the successor is in its place already.
    if (!existsSync(this.#file("cluster-key.next.pem"))) return undefined;
    const untilMs = this.#readUntil();
    return { next: await this.#loadNext(), untilMs };
  }

  /** Begin one; a rotation that was begun before goes on instead (KF1). */
  async begin(untilMs: number): Promise<BegunRotation> {
    const begun = await this.begun();
    if (begun !== undefined) return begun;
    rmSync(this.#file("cluster-key.next.pem"), { force: true });
    const next = await this.#loadNext();
    replaceFile(this.#file("key-rotation.json"), `${JSON.stringify({ untilMs })}\n`);
    return { next, untilMs };
  }

  /** The successor is the key now (KF2). */
  async finish(): Promise<void> {
    if (existsSync(this.#file("cluster-key.next.pem")))
      await rename(this.#file("cluster-key.next.pem"), this.#file("cluster-key.pem"));
    rmSync(this.#file("key-rotation.json"), { force: true });
  }

  #loadNext(): Promise<NodeIdentity> {
    return loadOrCreateNodeIdentity(this.#file("cluster-key.next.pem"), this.#random);
  }

  #readUntil(): number {
    try {
      const { untilMs } = JSON.parse(readFileSync(this.#file("key-rotation.json"), "utf8")) as {
        untilMs: unknown;
      };
      if (Number.isSafeInteger(untilMs)) return untilMs as number;
    } catch (cause) {
      throw new DataFolderError(this.#dataDir, "its file `key-rotation.json` is damaged", cause);
    }
    throw new DataFolderError(this.#dataDir, "its file `key-rotation.json` names no time");
  }

  #file(name: string): string {
    return join(this.#dataDir, name);
  }
}
