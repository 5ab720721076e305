/** A gate and a runner with replicas, whose feed keeps entries in a list: what a replica would have. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Logger, Timers } from "@glia-os/abi/ports";
import {
  type AgentManifest,
  CellGate,
  type CellGatePort,
  CellRunner,
  CellUpgrades,
  type CheckpointCodec,
  type Copy,
  encodeManifest,
  ReplicaGate,
} from "@glia-os/cells";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { createTestKernel } from "@glia-os/kernel/testing";
import {
  type Checkpoint,
  checkpointOf,
  createWasmEngine,
  encodeIncrement,
  encodeSnapshot,
  restoreIncrements,
  SnapshotDecoder,
} from "@glia-os/wasm";
import { instrument } from "@glia-os/wasm/pipeline";

/** The agent of these tests. */
export const AGENT = "ab".repeat(16) as AgentId;
const ASKER = "cd".repeat(32) as NodeId;
const LINK = "01".repeat(16);

/** Compile a guest. */
export async function guestOf(source: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-replica-"));
  try {
    writeFileSync(join(folder, "agent.ts"), source);
    return (await instrument(await compileAssemblyScript(join(folder, "agent.ts")))).bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CODEC: CheckpointCodec<Checkpoint> = {
  whole: (image) => ({ chunks: encodeSnapshot(image, { compress: false }), state: checkpointOf(image) }),
  next: (before, image) => {
    const { bytes, next } = encodeIncrement(before, image);
    return { chunks: [bytes], state: next };
  },
  restore: ({ whole, increments }) => {
    const decoder = new SnapshotDecoder({});
    for (const part of whole) decoder.push(part);
    return restoreIncrements(
      checkpointOf(decoder.finish()),
      increments.map(([bytes]) => bytes as Uint8Array),
    ).image;
  },
};

/** One host. */
export class ReplicaHost {
  readonly gate: CellGate;
  readonly replies: { readonly seq: number; readonly payload: Uint8Array }[] = [];
  readonly ends: unknown[] = [];
  entries: { readonly entry: Uint8Array; readonly atMs: number }[] = [];
  /** Feeds that began; entries and checkpoints are of the last. */
  feeds = 0;
  readonly upgrades: CellUpgrades;
  readonly #replicas: ReplicaGate;
  readonly #kernel: ReturnType<typeof createTestKernel>;
  #checkpoints: {
    readonly position: number;
    readonly whole: boolean;
    readonly head: Uint8Array;
    readonly parts: Uint8Array[];
    readonly atMs: number;
  }[] = [];

  constructor(seed: number) {
    this.#kernel = createTestKernel(seed);
    const { kernel, clock } = this.#kernel;
    const timers: Timers = { schedule: () => ({ cancel: () => undefined }) };
    const logger: Logger = { log: () => undefined, child: () => logger };
    const late: { port?: ReturnType<ReplicaGate["port"]> } = {};
    const toGate: CellGatePort = {
      taken: (agent, count, bytes) => late.port?.taken(agent, count, bytes),
      replied: (agent, asker, payload) => late.port?.replied(agent, asker, payload),
      ended: (agent, end) => late.port?.ended(agent, end),
    };
    const runner = new CellRunner({
      ...{ kernel, clock, timers, logger, engine: createWasmEngine(), gate: toGate },
      codec: {
        encode: (image) => encodeSnapshot(image),
        decoder: (imageBytes) => new SnapshotDecoder({ imageBytes }),
      },
      replication: {
        codec: CODEC,
        port: {
          inputs: (...call) => late.port?.inputs(...call),
          wantsHeld: (...call) => late.port?.wantsHeld(...call),
          checkpointed: (agent, number, facts) => late.port?.checkpointed(agent, number, facts),
        },
      },
    });
    this.#replicas = new ReplicaGate(runner, clock);
    const gate = new CellGate({
      runner: this.#replicas.runner(),
      clock,
      events: this.#replicas.events({
        replyReady: (_, { seq }, payload) => void this.replies.push({ seq, payload }),
        cellEnded: (_, __, end) => void this.ends.push(end),
      }),
    });
    late.port = this.#replicas.port(gate);
    this.gate = this.#replicas.cells(gate);
    const replicas = this.#replicas;
    this.upgrades = new CellUpgrades({ gate: this.gate, runner, replicas, clock, timers });
    this.#replicas.bind({ begin: () => this.#feed(), end: () => undefined });
  }

  get nowMs(): number {
    return this.#kernel.clock.monotonicMs();
  }

  /** Run a new agent. */
  async start(manifest: AgentManifest): Promise<void> {
    await this.gate.start(AGENT, 1 as Epoch, manifest);
    await this.run();
  }

  /** Ask; the verdict's kind. */
  ask(seq: number, payload: Uint8Array): string {
    return this.gate.deliver({ agent: AGENT, link: LINK, seq, floor: 0, ask: true, payload, from: ASKER })
      .kind;
  }

  /** The replica has everything up to here. */
  hold(position: number): void {
    this.#replicas.get(AGENT)?.held(position);
  }

  /** Take a checkpoint. */
  async checkpoint(whole: boolean): Promise<void> {
    const { position, head, chunks } = await this.#replicas.checkpoint(AGENT, whole);
    const parts: Uint8Array[] = [];
    for (let part = await chunks(); part !== undefined; part = await chunks()) parts.push(part.slice());
    this.#checkpoints.push({ position, whole, head, parts, atMs: this.nowMs });
  }

  /** What a replica has that got this many entries. */
  copy(manifest: AgentManifest, position: number): Copy {
    const had = this.#checkpoints.filter((one) => one.position <= position);
    const from = had.findLastIndex((one) => one.whole);
    const [base, ...increments] = had.slice(from);
    const last = had.at(-1);
    if (base === undefined || last === undefined) throw new RangeError("there is no checkpoint");
    return {
      meta: encodeManifest(manifest),
      head: last.head,
      pointAtMs: last.atMs,
      whole: base.parts,
      increments: increments.map(({ parts }) => parts),
      log: this.entries.slice(last.position, position),
    };
  }

  /** Go on with a copy. */
  async adopt(copy: Copy, suspended = false): Promise<void> {
    await this.#replicas.adopt(AGENT, copy, 2 as Epoch, suspended);
    await this.run();
  }

  /** Run what can run now. */
  async run(): Promise<void> {
    for (let turns = 0; turns < 10; turns++) {
      while (this.#kernel.kernel.runSlice() === "more");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Let virtual time pass. */
  async pass(durationMs: number): Promise<void> {
    this.#kernel.clock.advanceTo(this.nowMs + durationMs);
    await this.run();
  }

  #feed(): {
    append(entry: Uint8Array): number;
    readonly position: number;
    readonly ready: boolean;
    readonly full: boolean;
  } {
    this.feeds++;
    this.entries = [];
    this.#checkpoints = [];
    const { entries } = this;
    return {
      append: (entry) => entries.push({ entry, atMs: this.nowMs }),
      get position() {
        return entries.length;
      },
      ready: true,
      full: false,
    };
  }
}
