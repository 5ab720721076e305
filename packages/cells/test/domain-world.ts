/** Durable cells of some nodes in one process, with journals in memory that outlive a node. */
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Journal, Logger } from "@glia-os/abi/ports";
import type { CellRunnerPort } from "@glia-os/cells";
import {
  type AgentManifest,
  type CellEnd,
  CellGate,
  type CellGatePort,
  type StoredCell,
} from "@glia-os/cells";
import {
  type CellOnDisk,
  type CellStore,
  DomainRunner,
  type DomainRunnerOptions,
  type DomainService,
  manifestOf,
  RunnersByKind,
} from "@glia-os/cells/domain";
import type { DurableProgram } from "@glia-os/durable";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { inOnePiece } from "@glia-os/mesh-core";
import { createMemoryJournal } from "@glia-os/store/journal-memory";

export const AGENT = "ab".repeat(16) as AgentId;
export const LINK = "cd".repeat(16);
export const NODE = "ef".repeat(32) as never;

/** Bytes that stand for a program of the test. */
export function bundleOf(name: string): Uint8Array {
  return new TextEncoder().encode(name);
}

/** A node's disk. */
export class Disk implements CellStore {
  readonly cells = new Map<AgentId, CellOnDisk>();
  readonly journal: Journal = createMemoryJournal();

  async put(cell: StoredCell): Promise<void> {
    this.cells.set(cell.agent, cell);
  }

  async list(): Promise<readonly CellOnDisk[]> {
    return [...this.cells.values()];
  }

  async remove(agent: AgentId): Promise<void> {
    this.cells.delete(agent);
  }

  async putNext({ agent, meta }: StoredCell): Promise<void> {
    const cell = this.cells.get(agent);
    if (cell !== undefined) this.cells.set(agent, { ...cell, next: meta });
  }

  async takeNext(agent: AgentId): Promise<void> {
    const { next } = this.cells.get(agent) ?? {};
    if (next !== undefined) this.cells.set(agent, { agent, meta: next });
  }

  async dropNext(agent: AgentId): Promise<void> {
    const { meta } = this.cells.get(agent) ?? {};
    if (meta !== undefined) this.cells.set(agent, { agent, meta });
  }
}

/** Records replies and ends. */
export interface Heard {
  readonly replies: [string, string][];
  readonly ended: CellEnd[];
  /** The nodes that replies go to. */
  readonly nodes: string[];
}

/** A node's cells over a disk. */
export class DomainNode {
  readonly gate: CellGate;
  readonly runner: DomainRunner;
  readonly disk: Disk;
  readonly heard: Heard = { replies: [], ended: [], nodes: [] };

  constructor(
    programs: readonly DurableProgram<never>[],
    disk: Disk = new Disk(),
    more: Partial<DomainRunnerOptions> & { readonly services?: readonly DomainService[] } = {},
  ) {
    this.disk = disk;
    const logger: Logger = { log: () => undefined, child: () => logger };
    const late: { gate?: CellGate } = {};
    const toGate: CellGatePort = {
      taken: (agent, count, bytes) => late.gate?.taken(agent, count, bytes),
      replied: (agent, asker, payload) => late.gate?.replied(agent, asker, payload),
      ended: (agent, end) => late.gate?.ended(agent, end),
    };
    const digests = createSystemDigests();
    this.runner = new DomainRunner({
      journal: disk.journal,
      store: disk,
      loader: {
        load: async (bundle) => {
          const name = new TextDecoder().decode(bundle);
          return programs.find((program) => program.name === name) as DurableProgram<unknown>;
        },
      },
      clock: createSystemClock(),
      timers: createSystemTimers(),
      digests,
      random: createSystemRandom(),
      logger,
      gate: toGate,
      ...more,
    });
    const both = new RunnersByKind({} as CellRunnerPort, this.runner);
    late.gate = new CellGate({
      runner: both,
      kept: both,
      clock: createSystemClock(),
      events: {
        replyReady: (_, { seq, from }, payload) => {
          this.heard.replies.push([`${seq}`, new TextDecoder().decode(payload)]);
          this.heard.nodes.push(from);
        },
        cellEnded: (_, __, end) => void this.heard.ended.push(end),
      },
    });
    this.gate = late.gate;
  }

  /** Start the agent. */
  async start(name: string, grants: readonly string[] = [], first?: Uint8Array): Promise<void> {
    const manifest: AgentManifest = {
      name: "agent",
      program: bundleOf(name),
      grants: [...grants],
      memoryPages: 1,
      kind: "domain",
    };
    await this.gate.start(AGENT, 1 as Epoch, manifest, first);
  }

  /** Take up what the disk has. */
  async recover(epoch = 2): Promise<void> {
    // What the node before had begun to write is on the disk or not by now, as it is when a process is gone.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (const cell of await this.runner.stored())
      await this.gate.recover(cell.agent, epoch as Epoch, manifestOf(cell));
  }

  /** Deliver; resolves with the number that is acknowledged. */
  async send(seq: number, text: string, { ask = false, floor = 1 } = {}): Promise<string> {
    const message = {
      agent: AGENT,
      link: LINK,
      seq,
      floor,
      ask,
      payload: new TextEncoder().encode(text),
      from: NODE,
    };
    const verdict = this.gate.deliver(message);
    if ("kept" in verdict) await verdict.kept;
    if (verdict.kind === "duplicate" && verdict.reply !== undefined)
      return `duplicate ${new TextDecoder().decode(verdict.reply)}`;
    return verdict.kind;
  }
}

/** Move the agent by the gates' own calls, as the mesh does. Gives the largest chunk. */
export async function move(from: DomainNode, to: DomainNode, epoch: number, ahead = true): Promise<number> {
  const description = from.gate.describe(AGENT);
  if (description === undefined) throw new RangeError("it is not here");
  await to.gate.admit(AGENT, description.meta, description.estimatedBytes);
  const first = ahead ? await from.gate.precopy.begin(AGENT, 0) : undefined;
  let largest = 0;
  let source = first ?? (await from.gate.freeze(AGENT));
  let frozen = first === undefined;
  await to.gate.stage(AGENT, description.meta, async () => {
    let chunk = await source();
    if (chunk === undefined && !frozen) {
      frozen = true;
      source = await from.gate.freeze(AGENT);
      chunk = await source();
    }
    largest = Math.max(largest, chunk?.length ?? 0);
    return chunk && inOnePiece(chunk);
  });
  await from.gate.retire(AGENT, { agent: AGENT, epoch: epoch as Epoch, owner: NODE, address: undefined });
  await to.gate.activate(AGENT, epoch as Epoch);
  return largest;
}
