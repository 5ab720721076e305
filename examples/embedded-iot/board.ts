/**
 * One node of the field: a microcontroller on a battery, a sensor, a place in the mesh.
 *
 * While the agent lives here the core runs; otherwise it sleeps and wakes for each reading. Every message of the mesh that it sends or hears
 * costs the radio. When its battery is low and the agent is here, it asks the other nodes for theirs and moves the agent to the fullest.
 */
import { type AgentId, type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import { createMesh, type Mesh, type MeshConfig, type MigrationReport } from "@glia-os/mesh-core";
import {
  type MemoryNetwork,
  type NetworkProcess,
  SeededRandom,
  type VirtualTime,
} from "@glia-os/mesh-core/testing";
import { Triggers } from "@glia-os/rt";
import { SimulatedMicrocontroller } from "@glia-os/rt/simulated";
import { SIMULATED_DIGESTS, simulatedSigner } from "@glia-os/sim";
import type { createMemoryCoordination } from "@glia-os/store/memory";
import { CollectorCells, encodeReading } from "./collector.ts";

const SECOND = 1_000_000;
/** A reading takes this long, at full power. */
const READING_MICROS = 20_000;
/** One message through the radio. */
const RADIO_MILLIWATTS = 200;
const RADIO_MICROS = 2000;
/** Below this charge a node measures no more, sees that what it measured has arrived, and leaves. */
const LAST_PERCENT = 2;

/** The lease of a node's session at the anchor, and how often it is renewed. */
const LEASE_MS = 180_000;
const RENEW_MS = 60_000;

/** What a board is made of. */
export interface BoardParts {
  readonly index: number;
  readonly name: string;
  /** Capacity of its battery; undefined for a node on mains power. */
  readonly milliampHours: number | undefined;
  readonly percent: number;
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly seed: number;
  readonly engine: ReturnType<typeof createMemoryCoordination> | undefined;
  readonly start: MeshConfig["start"];
}

/** A move of the agent. */
export interface Move {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly percent: number;
  readonly downtimeMs: number;
}

/** One node. */
export class Board {
  readonly name: string;
  readonly id: NodeId;
  readonly mesh: Mesh;
  readonly cells: CollectorCells = new CollectorCells();
  readonly mcu: SimulatedMicrocontroller;
  /** Readings that were measured, and the sum of their values. */
  taken = 0;
  sum = 0;
  /** `leaving` once it measures no more. */
  state: "on" | "leaving" | "left" | "dead" = "on";
  readonly mains: boolean;
  readonly #parts: BoardParts;
  readonly #process: NetworkProcess;
  readonly #triggers = new Triggers();
  #moving = false;
  #sessionId = "";

  constructor(parts: BoardParts) {
    const { index, name, seed, network, engine, start } = parts;
    this.#parts = parts;
    this.name = name;
    this.mains = parts.milliampHours === undefined;
    this.mcu = new SimulatedMicrocontroller({
      battery: { capacityMilliampHours: parts.milliampHours ?? 1e9, percent: parts.percent },
    });
    const signer = simulatedSigner(`${seed} ${name}`);
    this.id = nodeIdOf(signer.publicKey, SIMULATED_DIGESTS.sha256);
    this.#process = network.process({ node: this.id, publicKey: signer.publicKey });
    const { transport, clock, timers } = this.#process;
    const random = new SeededRandom(1000 * seed + index);
    const common = {
      transport,
      clock,
      timers,
      random,
      signer,
      digests: SIMULATED_DIGESTS,
      cells: this.cells,
    };
    this.mesh = createMesh(engine === undefined ? common : { ...common, coordination: engine }, {
      name,
      role: engine === undefined ? "edge" : "core",
      start,
      bootEpoch: 1,
      bind: { host: "field", port: 0 },
      membership: "relaxed",
    });
    this.mesh.handle("iot.battery", async () => Uint8Array.of(this.mcu.batteryReading().percent));
    this.mcu.processor.enter("sleep");
  }

  /** Join the mesh, with a session at the anchor for agents that move here. */
  async begin(): Promise<void> {
    const { time } = this.#parts;
    await time.settle(this.mesh.start());
    const open = this.mesh.coordination.openSession(this.id, LEASE_MS, `open ${this.name}`);
    this.#sessionId = (await time.settle(open)).sessionId;
    this.mesh.setSessionId(this.#sessionId);
    this.#renewLater();
  }

  #renewLater(): void {
    this.#process.timers.schedule(RENEW_MS, () => {
      if (this.state !== "on") return;
      this.mesh.coordination.renewSession(this.#sessionId).catch(() => undefined);
      this.#renewLater();
    });
  }

  /** The coordination session, for who creates an agent here. */
  get sessionId(): string {
    return this.#sessionId;
  }

  /** One message went out or came in. */
  radio(): void {
    if (!this.mains) this.mcu.spend("radio", RADIO_MILLIWATTS, RADIO_MICROS);
  }

  /** A second passes. `measures`: a reading is due. */
  second(agent: AgentId, measures: boolean, stays: boolean): Promise<Move | undefined> {
    if (this.state === "left" || this.state === "dead") return Promise.resolve(undefined);
    const hosts = this.cells.collected(agent) !== undefined;
    if (!this.mains) this.#drain(hosts, measures && this.state === "on");
    if (!this.mcu.alive) {
      this.state = "dead";
      this.#process.crash();
      return Promise.resolve(undefined);
    }
    if (measures && this.state === "on" && !this.mains) this.#measure(agent);
    this.#triggers.observe({ battery: this.mcu.batteryReading() }, this.#parts.time.monotonicMs());
    const leave = this.#triggers.raised.has("battery-low") && hosts && !stays && !this.#moving;
    if (!hosts && this.state === "on" && this.mcu.battery.percent < LAST_PERCENT) void this.#lastWords(agent);
    return leave ? this.#move(agent) : Promise.resolve(undefined);
  }

  #drain(hosts: boolean, measures: boolean): void {
    const { processor } = this.mcu;
    if (hosts && processor.state === "asleep") this.mcu.raise("interrupt");
    if (processor.state === "running") processor.take();
    if (hosts) this.mcu.advance(SECOND);
    else {
      const busy = measures ? READING_MICROS : 0;
      if (measures && processor.state === "asleep") this.mcu.raise("rtc");
      if (processor.state === "running") {
        processor.take();
        this.mcu.advance(busy);
        if (this.mcu.alive) processor.enter("sleep");
      }
      this.mcu.advance(SECOND - busy);
    }
  }

  /** Measure something that differs from reading to reading, and send it to the agent, wherever that is. */
  #measure(agent: AgentId): void {
    const value = (7919 * (this.taken + 1) + 104_729 * this.#parts.index) % 1000;
    this.taken++;
    this.sum += value;
    const payload = encodeReading(this.#parts.index, this.taken, value);
    this.mesh
      .link(agent)
      .send(payload)
      .catch(() => undefined);
  }

  /** Ask the others, and move the agent to the fullest battery; to mains power if no battery is above the limit. */
  async #move(agent: AgentId): Promise<Move | undefined> {
    this.#moving = true;
    try {
      const target = await this.#fullest();
      if (target === undefined) return undefined;
      const report: MigrationReport = await this.mesh.migrate(agent, target.node);
      const { name, mcu } = this;
      const atMs = this.#parts.time.monotonicMs();
      return {
        atMs,
        from: name,
        to: target.name,
        percent: mcu.battery.percent,
        downtimeMs: report.downtimeMs,
      };
    } catch {
      // Whoever was asked may have died meanwhile; a second later it is tried again.
      return undefined;
    } finally {
      this.#moving = false;
    }
  }

  async #fullest(): Promise<{ readonly node: NodeId; readonly name: string } | undefined> {
    const members = this.mesh.members().filter(({ node, state }) => node !== this.id && state === "alive");
    const answers = await Promise.all(
      members.map(async ({ node, name, role }) => {
        const answer = await this.mesh.call(node, "iot.battery", new Uint8Array()).catch(() => undefined);
        // Mains power is the last resort: below every battery that is not low.
        const percent = role === "core" ? 25 : (answer?.[0] ?? 0);
        return { node, name, percent };
      }),
    );
    const best = answers.sort((a, b) => b.percent - a.percent)[0];
    return best !== undefined && best.percent >= 25 ? best : undefined;
  }

  async #lastWords(agent: AgentId): Promise<void> {
    this.state = "leaving";
    await this.mesh
      .link(agent)
      .flush(60_000)
      .catch(() => undefined);
    await this.mesh.stop();
    if (this.state === "leaving") this.state = "left";
  }
}
