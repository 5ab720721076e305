/**
 * A node's folder: its key, its membership, and the lock that keeps a second process out.
 *
 *     identity.pem       the node's Ed25519 key (mode 0600)
 *     cluster-key.pem    the cluster's Ed25519 key, on the founder only (mode 0600); while it is replaced see cluster-key.ts
 *     membership.json    certificate, cluster record, contacts
 *     boot               how often this node was started
 *     coordination.db    who owns what, on the anchor only
 *     blobs              blobs by the hash of their content, once there was one
 *     queue              messages for agents elsewhere, once there was one (docs/spec/message-queue.md)
 *     http-token         opens the node's HTTP face (mode 0600)
 *     lock               process id of the node that uses the folder
 *
 * DF1. One process at a time: the lock is made exclusively, and taken over only from a process that no longer exists.
 * DF2. A file is replaced by writing beside it, flushing and renaming; a crash leaves the old content or the new.
 * DF3. The boot counter is flushed before the node says anything under it, so that no two starts share one.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { HostPort } from "@glia-os/abi/ports";
import { replaceFile, writeFlushed } from "./durable-file.ts";
import { AlreadyRunningError, DataFolderError } from "./errors.ts";

/** What a node keeps to come back to its cluster. */
export interface Membership {
  readonly certificate: Uint8Array;
  readonly clusterRecord: Uint8Array;
  /** Successors of the cluster's first key, in order. */
  readonly successions?: readonly Uint8Array[];
  /** Removals of nodes. */
  readonly removals?: readonly Uint8Array[];
  /** Addresses of members, to be dialled in turn. */
  readonly contacts: readonly HostPort[];
}

function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

function fromBase64(text: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(text as string, "base64"));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

/** Make a folder and those above it. Node's own `recursive` does not come back where a folder takes none, such as `/proc`. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const above = dirname(path);
    if (errnoOf(error) === "EEXIST") return;
    if (errnoOf(error) !== "ENOENT" || above === path || existsSync(above)) throw error;
    makeFolder(above);
    mkdirSync(path, { mode: 0o700 });
  }
}

/** An open data folder. */
export class DataFolder {
  readonly path: string;
  #locked = false;

  /** Open the folder, making it with mode 0700 if it is not there, and lock it. @throws {DataFolderError}, {AlreadyRunningError}. */
  constructor(path: string) {
    this.path = resolve(path);
    try {
      makeFolder(this.path);
      if (!statSync(this.path).isDirectory()) throw new DataFolderError(this.path, "it is not a folder");
    } catch (error) {
      if (error instanceof DataFolderError) throw error;
      throw new DataFolderError(this.path, `it cannot be made (${errnoOf(error)})`, error);
    }
    this.#lock();
  }

  /** The full path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** The number of this start: one more than the last (DF3). */
  nextBoot(): number {
    const text = this.#read("boot")?.trim() ?? "0";
    if (!/^\d{1,15}$/.test(text)) throw new DataFolderError(this.path, "its file `boot` is not a number");
    const boot = Number(text) + 1;
    this.#replace("boot", `${boot}\n`);
    return boot;
  }

  /** What was kept of the cluster, if anything. */
  membership(): Membership | undefined {
    const text = this.#read("membership.json");
    if (text === undefined) return undefined;
    try {
      const { certificate, clusterRecord, contacts, ...more } = JSON.parse(text) as Record<string, unknown>;
      return {
        certificate: fromBase64(certificate),
        clusterRecord: fromBase64(clusterRecord),
        contacts: contacts as HostPort[],
        // Files of earlier versions have neither.
        successions: ((more["successions"] ?? []) as unknown[]).map(fromBase64),
        removals: ((more["removals"] ?? []) as unknown[]).map(fromBase64),
      };
    } catch (cause) {
      throw new DataFolderError(this.path, "its file `membership.json` is damaged", cause);
    }
  }

  /** Keep what is needed to come back to the cluster. */
  keepMembership(membership: Membership): void {
    const { certificate, clusterRecord, contacts, successions = [], removals = [] } = membership;
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
    const record = {
      version: 1,
      certificate: base64(certificate),
      clusterRecord: base64(clusterRecord),
      contacts,
      successions: successions.map(base64),
      removals: removals.map(base64),
    };
    this.#replace("membership.json", `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Let another process use the folder. Idempotent. */
  close(): void {
    if (!this.#locked) return;
    this.#locked = false;
    rmSync(this.file("lock"), { force: true });
  }

  #lock(): void {
    const lock = this.file("lock");
    const mine = this.file(`lock.${process.pid}`);
    try {
      writeFlushed(mine, `${process.pid}\n`);
      for (let tries = 0; !this.#locked && tries < 3; tries++) this.#tryLock(mine, lock);
    } catch (error) {
      if (error instanceof AlreadyRunningError) throw error;
      throw new DataFolderError(this.path, `it cannot be written (${errnoOf(error)})`, error);
    } finally {
      rmSync(mine, { force: true });
    }
    if (!this.#locked) throw new DataFolderError(this.path, "its lock changes hands all the time");
  }

  #tryLock(mine: string, lock: string): void {
    try {
      linkSync(mine, lock);
      this.#locked = true;
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") throw error;
      const pid = Number(this.#read("lock") ?? "0");
      if (pid > 0 && pid !== process.pid && isAlive(pid)) throw new AlreadyRunningError(this.path, pid);
      if (pid === process.pid) throw new AlreadyRunningError(this.path, pid);
      rmSync(lock, { force: true });
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(this.file(name), "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw new DataFolderError(this.path, `its file \`${name}\` cannot be read (${errnoOf(error)})`, error);
    }
  }

  #replace(name: string, content: string): void {
    try {
      replaceFile(this.file(name), content);
    } catch (error) {
      throw new DataFolderError(
        this.path,
        `its file \`${name}\` cannot be written (${errnoOf(error)})`,
        error,
      );
    }
  }
}
