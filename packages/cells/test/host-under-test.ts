/** Hosts made of the real gate, runner, kernel and WebAssembly engine on virtual time, for the tests of this package. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { Logger, Timers } from "@glia-os/abi/ports";
import {
  type AgentManifest,
  type AheadCodec,
  type CellEnd,
  CellGate,
  type CellGatePort,
  CellRunner,
  type CellRunnerPort,
  type CellService,
  CellUpgrades,
} from "@glia-os/cells";
import type { Kernel } from "@glia-os/kernel";
import { createTestKernel } from "@glia-os/kernel/testing";
import type { LinkMessage } from "@glia-os/mesh-core";
import {
  createWasmEngine,
  encodeSnapshot,
  PreCopySource,
  PreCopyTarget,
  SnapshotDecoder,
  type WasmInstance,
  type WasmProgram,
} from "@glia-os/wasm";

const require = createRequire(import.meta.url);

/** A manifest for one of the guests this repository ships. */
export function manifestOf(guest: string, changes: Partial<AgentManifest> = {}): AgentManifest {
  const program = new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${guest}.wasm`)));
  return { name: guest, program, grants: ["glia.v1"], memoryPages: 1600, ...changes };
}

export const AGENT = "ab".repeat(16) as AgentId;
export const NODE_A = "0a".repeat(32) as NodeId;
export const NODE_B = "0b".repeat(32) as NodeId;
export const LINK: string = "11".repeat(16);
export const EPOCH: (value: number) => Epoch = (value) => value as Epoch;

/** A message of the test's one link. */
export function message(seq: number, payload: Uint8Array, more: Partial<LinkMessage> = {}): LinkMessage {
  return { agent: AGENT, link: LINK, seq, floor: 1, ask: false, payload, from: NODE_A, ...more };
}

/** As nodes read agents while they run. */
const AHEAD: AheadCodec = {
  read: async (program, instance) =>
    new PreCopySource(instance as WasmInstance, await (program as WasmProgram).tracking()),
  arrive: (program, limits, host) => new PreCopyTarget(program as WasmProgram, limits, host),
};

/** One host, and what its gate told the node. */
export class HostUnderTest {
  readonly gate: CellGate;
  readonly upgrades: CellUpgrades;
  readonly replies: { readonly seq: number; readonly payload: Uint8Array }[] = [];
  readonly ends: { readonly epoch: Epoch; readonly end: CellEnd }[] = [];
  readonly logged: string[] = [];
  readonly #kernel: ReturnType<typeof createTestKernel>;
  readonly #timers: { atMs: number; fire: (() => void) | undefined }[] = [];

  readonly #switches: number | undefined;

  /**
   * `switches` bounds how many tasks run in a turn of {@link run}; without it a turn ends when nothing can run. `services` makes what
   * agents may be given. `readsAhead`: whether it moves agents by pre-copy, too.
   */
  constructor(
    wrapRunner: (runner: CellRunnerPort) => CellRunnerPort = (runner) => runner,
    switches?: number,
    services: (kernel: Kernel) => readonly CellService[] = () => [],
    readsAhead = true,
  ) {
    this.#switches = switches;
    this.#kernel = createTestKernel(1);
    const { kernel, clock } = this.#kernel;
    const timers: Timers = {
      schedule: (delayMs, fire) => {
        const timer: { atMs: number; fire: (() => void) | undefined } = {
          atMs: clock.monotonicMs() + delayMs,
          fire,
        };
        this.#timers.push(timer);
        return { cancel: () => void (timer.fire = undefined) };
      },
    };
    const logger: Logger = { log: (_level, text) => void this.logged.push(text), child: () => logger };
    let gate: CellGate | undefined;
    const toGate: CellGatePort = {
      taken: (agent, count, bytes) => gate?.taken(agent, count, bytes),
      replied: (agent, asker, payload) => gate?.replied(agent, asker, payload),
      ended: (agent, end) => gate?.ended(agent, end),
    };
    const runner = new CellRunner({
      kernel,
      engine: createWasmEngine(),
      codec: {
        encode: (image) => encodeSnapshot(image),
        decoder: (imageBytes) => new SnapshotDecoder({ imageBytes }),
      },
      clock,
      timers,
      logger,
      gate: toGate,
      services: services(kernel),
      ...(readsAhead ? { ahead: AHEAD } : {}),
    });
    this.gate = gate = new CellGate({
      runner: wrapRunner(runner),
      clock,
      events: {
        replyReady: (_agent, { seq }, payload) => void this.replies.push({ seq, payload }),
        cellEnded: (_agent, epoch, end) => void this.ends.push({ epoch, end }),
      },
    });
    this.upgrades = new CellUpgrades({ gate, runner, clock, timers });
  }

  /** Run everything that can run now, or a bounded part of it, without moving time. */
  async run(): Promise<void> {
    for (let turns = 0; turns < 20; turns++) {
      if (this.#switches === undefined) while (this.#kernel.kernel.runSlice() === "more");
      else this.#kernel.kernel.runSlice(this.#switches);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Run until `work` settles. */
  async settle<Result>(work: Promise<Result>): Promise<Result> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    finished.catch(() => {});
    while (!done) await this.run();
    return finished;
  }

  /** Let virtual time pass. */
  async pass(durationMs: number): Promise<void> {
    const { clock } = this.#kernel;
    clock.advanceTo(clock.monotonicMs() + durationMs);
    for (const timer of this.#timers) if (timer.atMs <= clock.monotonicMs()) takeFire(timer)?.();
    await this.run();
  }
}

function takeFire(timer: { fire: (() => void) | undefined }): (() => void) | undefined {
  const { fire } = timer;
  timer.fire = undefined;
  return fire;
}

/** Move an agent from one host to another as the coordinator does when all goes well. Returns the bytes that crossed. */
export async function move(
  from: HostUnderTest,
  to: HostUnderTest,
  epoch: Epoch,
  agent: AgentId = AGENT,
): Promise<number> {
  const described = from.gate.describe(agent)!;
  await to.settle(to.gate.admit(agent, described.meta, described.estimatedBytes));
  const source = await from.settle(from.gate.freeze(agent));
  let bytes = 0;
  const chunks = async (): Promise<Uint8Array | undefined> => {
    const chunk = await source();
    bytes += chunk?.length ?? 0;
    return chunk?.slice();
  };
  await to.settle(to.gate.stage(agent, described.meta, chunks));
  await from.settle(from.gate.retire(agent, { agent, epoch, owner: NODE_B, address: undefined }));
  await to.settle(to.gate.activate(agent, epoch));
  return bytes;
}
