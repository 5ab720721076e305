/**
 * The durable cells on a node's disk: one file per cell with its manifest, beside the journal.
 *
 *     cells/AGENT.cell      the manifest, as it crosses in a move
 *     cells/AGENT.next      the one it may have by now: its journal says (docs/spec/upgrade.md)
 *     journal/              the journals, one domain per cell (docs/spec/journal-file.md)
 *
 * CF1. A file is written beside its place, flushed and renamed, and its folder flushed: a crash leaves it whole or not at all.
 * CF2. What has not the name of a cell is left alone.
 * CF3. Only a folder that does not exist has no cells: one that cannot be read is an error, and a file that cannot be read hides no other.
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import type { StoredCell, UnreadCell } from "@glia-os/cells";
import type { CellOnDisk, CellStore } from "@glia-os/cells/domain";

const NAME = /^([0-9a-f]{32})\.cell$/;

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

/** Cells in a folder, which is made when the first is put. */
export class CellFiles implements CellStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put({ agent, meta }: StoredCell): Promise<void> {
    await this.#write(this.#pathOf(agent), meta);
  }

  async putNext({ agent, meta }: StoredCell): Promise<void> {
    await this.#write(this.#nextOf(agent), meta);
  }

  async takeNext(agent: AgentId): Promise<void> {
    try {
      await rename(this.#nextOf(agent), this.#pathOf(agent));
    } catch (error) {
      noneIfMissing(error as NodeJS.ErrnoException);
    }
    await this.#flushFolder();
  }

  async dropNext(agent: AgentId): Promise<void> {
    try {
      await rm(this.#nextOf(agent));
    } catch (error) {
      noneIfMissing(error as NodeJS.ErrnoException);
      return;
    }
    await this.#flushFolder();
  }

  async #write(path: string, meta: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(meta);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await this.#flushFolder();
  }

  async list(unread?: UnreadCell): Promise<readonly CellOnDisk[]> {
    const cells: CellOnDisk[] = [];
    for (const name of await readdir(this.#folder).catch(noneIfMissing)) {
      const [, id] = NAME.exec(name) ?? [];
      if (id === undefined) continue;
      const agent = parseAgentId(id);
      try {
        const meta = new Uint8Array(await readFile(this.#pathOf(agent)));
        const next = await this.#readNext(agent);
        cells.push({ agent, meta, ...(next === undefined ? {} : { next }) });
      } catch (error) {
        if (unread === undefined) throw error;
        unread(agent, error);
      }
    }
    return cells;
  }

  async remove(agent: AgentId): Promise<void> {
    await this.dropNext(agent);
    await rm(this.#pathOf(agent), { force: true });
  }

  async #readNext(agent: AgentId): Promise<Uint8Array | undefined> {
    try {
      return new Uint8Array(await readFile(this.#nextOf(agent)));
    } catch (error) {
      noneIfMissing(error as NodeJS.ErrnoException);
      return undefined;
    }
  }

  #nextOf(agent: AgentId): string {
    return join(this.#folder, `${agent}.next`);
  }

  #pathOf(agent: AgentId): string {
    return join(this.#folder, `${agent}.cell`);
  }

  async #flushFolder(): Promise<void> {
    const folder = await open(this.#folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
