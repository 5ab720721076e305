/**
 * Taking agents of this node out into files (docs/spec/agent-file.md, "Export").
 *
 * AX1. Nothing of an agent is on a disk but sealed.
 * AX2. An agent that is to be stopped is dropped only after its row says `exported`; a swap whose outcome is not known is overtaken by one that
 *      gives the row its status back, under a higher epoch, before the agent goes on here.
 * AX3. An agent goes on here under the epoch it has by then: its row may have been renewed while it stood still.
 */
import { type AgentId, toHex } from "@glia-os/abi/ids";
import type { Clock, Logger, Meter, Random, Signer, Timers } from "@glia-os/abi/ports";
import {
  AgentFileWriter,
  type CellGate,
  decodeManifest,
  type FileSeal,
  IllegalTransitionError,
  NotHereError,
} from "@glia-os/cells";
import { credentialsOf, type Mesh } from "@glia-os/mesh-core";
import { UnknownAgentError } from "../errors.ts";
import type { AgentRows } from "./agent-rows.ts";
import { NotExportableError, UnknownTransferError } from "./errors.ts";
import type { ExportShelf } from "./export-shelf.ts";
import type { BegunExport, ExportSeal } from "./file-api.ts";
import { FILE_CRYPTO, secretForCluster } from "./file-crypto.ts";

const RETRY_MS = 1000;
const EXPORTS_TOTAL = "glia_agent_exports_total";

/** What it works with. */
export interface AgentExportsParts {
  readonly mesh: Mesh;
  readonly gate: CellGate;
  readonly rows: AgentRows;
  readonly shelf: ExportShelf;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly logger: Logger;
}

interface Stopped {
  readonly agent: AgentId;
  readonly status: "running" | "suspended";
}

/** The exports of one node. */
export class AgentExports {
  readonly #parts: AgentExportsParts;
  /** Agents that stand still until their file is kept, by export. */
  readonly #stopped = new Map<string, Stopped>();

  constructor(parts: AgentExportsParts) {
    this.#parts = parts;
    parts.meter.count(EXPORTS_TOTAL, 0);
  }

  /** Read an agent out; with `stop` it stays frozen. */
  async begin(agent: AgentId, seal: ExportSeal, stop: boolean): Promise<BegunExport> {
    const { gate, shelf, random, clock, mesh } = this.#parts;
    const stands = gate.stands(agent);
    const described = gate.describe(agent);
    if (stands === undefined || described === undefined) throw new NotHereError(agent);
    if (stands.state !== "running" && stands.state !== "suspended")
      throw new IllegalTransitionError(agent, stands.state, "exported");
    const { name, kind } = decodeManifest(described.meta);
    if (kind === "domain") throw new NotExportableError(name, "it is durable, and has a journal on its node");
    const id = toHex(random.bytes(new Uint8Array(16)));
    await shelf.open(id, () => void this.end(id, false).catch(() => undefined));
    const startedMs = clock.monotonicMs();
    try {
      await this.#write(id, agent, name, described.meta, seal);
    } catch (error) {
      await shelf.remove(id);
      throw error;
    }
    if (stop) this.#stopped.set(id, { agent, status: stands.suspended ? "suspended" : "running" });
    else await this.#thaw(agent);
    this.#parts.meter.count(EXPORTS_TOTAL);
    const downtimeMs = clock.monotonicMs() - startedMs;
    return { id, agent, name, epoch: stands.epoch, node: mesh.self, bytes: await shelf.size(id), downtimeMs };
  }

  /** The file is kept, or not wanted. @throws {UnknownTransferError} */
  async end(id: string, kept: boolean): Promise<void> {
    const { shelf } = this.#parts;
    if (!shelf.has(id)) throw new UnknownTransferError(id);
    const stopped = this.#stopped.get(id);
    this.#stopped.delete(id);
    await shelf.remove(id);
    if (stopped === undefined) return;
    if (kept) await this.#leave(stopped);
    else await this.#thaw(stopped.agent);
  }

  /** Let every agent that stands still for an export go on. */
  async stop(): Promise<void> {
    for (const id of [...this.#stopped.keys()]) await this.end(id, false).catch(() => undefined);
  }

  /** Freeze and write; a failure lets the agent go on. */
  async #write(id: string, agent: AgentId, name: string, meta: Uint8Array, seal: ExportSeal): Promise<void> {
    const { gate, shelf, mesh, signer, clock } = this.#parts;
    const { epoch } = gate.stands(agent) ?? this.#gone(agent);
    const source = await gate.freeze(agent);
    try {
      const { secret, sealed } = this.#secretOf(seal);
      const exportedMs = Math.floor(clock.wallMs());
      const { cluster } = mesh;
      const header = { cluster, nodeKey: signer.publicKey, agent, epoch, name, exportedMs, seal: sealed };
      const writer = new AgentFileWriter(header, secret, FILE_CRYPTO, signer);
      for (const piece of writer.start(meta)) await shelf.append(id, piece);
      for (let chunk = await source(); chunk !== undefined; chunk = await source())
        for (const piece of writer.push(chunk)) await shelf.append(id, piece);
      await shelf.append(id, writer.finish());
    } catch (error) {
      await this.#thaw(agent);
      throw error;
    }
  }

  /** (AX3) */
  async #thaw(agent: AgentId): Promise<void> {
    const { gate } = this.#parts;
    await gate.thaw(agent, gate.stands(agent)?.epoch ?? this.#gone(agent));
  }

  #secretOf(seal: ExportSeal): { readonly secret: Uint8Array; readonly sealed: FileSeal } {
    if (seal.kind === "secret") return { secret: seal.secret, sealed: seal.seal };
    const { newestKey } = credentialsOf(FILE_CRYPTO.digests, this.#parts.mesh.credentials());
    const made = secretForCluster(newestKey);
    return { secret: made.secret, sealed: made.seal };
  }

  /** (AX2) */
  async #leave({ agent, status }: Stopped): Promise<void> {
    const { rows, gate, logger } = this.#parts;
    try {
      await rows.setStatus(agent, "exported");
      await gate.withdraw(agent);
      return;
    } catch (error) {
      logger.log("warn", "an export was not written down", { agent, why: String(error) });
      await this.#takeBack(agent, status);
      throw error;
    }
  }

  async #takeBack(agent: AgentId, status: Stopped["status"]): Promise<void> {
    const { rows, gate, timers } = this.#parts;
    for (;;) {
      try {
        const row = await rows.setStatus(agent, status);
        await gate.thaw(agent, row.epoch);
        return;
      } catch (error) {
        // Another owner: the row left with the file, and so does the agent.
        if (error instanceof UnknownAgentError) return gate.withdraw(agent);
      }
      await new Promise<void>((resolve) => timers.schedule(RETRY_MS, resolve));
    }
  }

  #gone(agent: AgentId): never {
    throw new NotHereError(agent);
  }
}
