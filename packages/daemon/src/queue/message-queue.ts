/**
 * The messages that a node keeps for agents elsewhere (docs/spec/message-queue.md).
 *
 * MQ1. A message is in the file before its sender is told so. It leaves the file when it was delivered, or given up; that is told by an event, a line in the
 *      log, a number of the metrics, and a record that is kept.
 * MQ2. At most {@link LANE_MESSAGES} messages and {@link LANE_BYTES} wait for one agent, {@link QUEUE_MESSAGES} and {@link QUEUE_BYTES} altogether. What does
 *      not fit is refused; nothing that was taken is dropped for it.
 * MQ3. While nothing is queued no timer runs.
 */
import { type AgentId, toHex } from "@glia-os/abi/ids";
import type { Clock, Logger, Meter, Random, TimerHandle, Timers } from "@glia-os/abi/ports";
import { type Mesh, PAYLOAD_MAX } from "@glia-os/mesh-core";
import { BadOptionsError } from "../errors.ts";
import type { AgentDirectory } from "../movement/lifecycle-service.ts";
import type { NodeEvent } from "../node-event.ts";
import type { NodeMessages } from "../otel/node-messages.ts";
import { QueueFullError } from "./errors.ts";
import type { QueueApi, QueuedReceipt, QueueView } from "./queue-api.ts";
import { QueueFile } from "./queue-file.ts";
import { type LanePorts, QueueLane, type Whereabouts } from "./queue-lane.ts";
import type { LostRecord, QueueRecord } from "./queue-record.ts";

/** Messages and bytes for one agent (MQ2). */
export const LANE_MESSAGES = 1024;
export const LANE_BYTES: number = 8 * 1024 * 1024;
/** Altogether (MQ2). */
export const QUEUE_MESSAGES = 8192;
export const QUEUE_BYTES: number = 64 * 1024 * 1024;
/** How long a message is kept unless it says otherwise, and the bounds of that, in milliseconds. */
export const KEEP_MS = 3_600_000;
export const KEEP_MS_RANGE = [1000, 604_800_000] as const;
/** Messages that were given up and are still listed. */
export const LOST_SHOWN = 256;
const LOOK_MS = 1000;
/** Receivers that one look is about. */
const LANES_LOOKED_AT = 128;
const LINK_BYTES = 16;

/** What it works with. */
export interface MessageQueueParts {
  readonly mesh: Mesh;
  readonly agents: AgentDirectory;
  readonly path: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly logger: Logger;
  /** The spans of messages, where somebody traces. */
  readonly traced?: NodeMessages | undefined;
  event(event: NodeEvent): void;
}

/** The queue of one node. */
export class MessageQueue implements QueueApi {
  readonly #parts: MessageQueueParts;
  readonly #lanes = new Map<AgentId, QueueLane>();
  #file!: QueueFile;
  #lost: LostRecord[] = [];
  #lastId = 0;
  #timer: TimerHandle | undefined;
  #stopped = false;

  private constructor(parts: MessageQueueParts) {
    this.#parts = parts;
    parts.meter.count("glia_queued_messages_total", 0, { outcome: "queued" });
  }

  /** Open the queue and go on with what was in it. */
  static async open(parts: MessageQueueParts): Promise<MessageQueue> {
    const queue = new MessageQueue(parts);
    const { file, records, damaged } = await QueueFile.open(parts.path, () => queue.#alive());
    queue.#file = file;
    if (damaged)
      parts.logger.log(
        "error",
        "the file of queued messages is damaged: it was set aside, its messages are not sent",
        {
          file: `${parts.path}.damaged`,
        },
      );
    for (const record of records) queue.#restore(record);
    for (const [agent, lane] of queue.#lanes) if (lane.over) queue.#lanes.delete(agent);
    queue.#measure();
    queue.#lookAgain();
    return queue;
  }

  async enqueue(text: string, payload: Uint8Array, keepMs: number = KEEP_MS): Promise<QueuedReceipt> {
    const [least, most] = KEEP_MS_RANGE;
    if (!Number.isInteger(keepMs) || keepMs < least || keepMs > most)
      throw new BadOptionsError(`A message is kept for ${least} to ${most} ms, not ${keepMs}`);
    if (payload.length > PAYLOAD_MAX)
      throw new BadOptionsError(`A message has at most ${PAYLOAD_MAX} bytes, not ${payload.length}`);
    const { agent } = await this.#parts.agents.find(text);
    this.#checkRoom(agent, payload.length);
    const untilMs = this.#parts.clock.wallMs() + keepMs;
    const id = ++this.#lastId;
    const lane = this.#laneOf(agent);
    lane.add({ id, untilMs, payload, seq: 0 });
    this.#measure();
    try {
      await this.#file.append([{ is: "kept", id, agent, untilMs, payload }]);
    } catch (error) {
      lane.takeBack(id);
      throw error;
    }
    this.#parts.meter.count("glia_queued_messages_total", 1, { outcome: "queued" });
    void this.#look(lane);
    this.#lookAgain();
    return { agent, id, untilMs };
  }

  /** Messages that are kept now. */
  get size(): number {
    let messages = 0;
    for (const lane of this.#lanes.values()) messages += lane.size;
    return messages;
  }

  async queued(): Promise<QueueView> {
    const waiting = [...this.#lanes.values()]
      .filter(({ size }) => size > 0)
      .map(({ agent, size, bytes, offered, untilMs = 0 }) => ({
        agent,
        messages: size,
        bytes,
        out: offered,
        untilMs,
      }));
    return { waiting, lost: this.#lost.map(({ is: _, ...lost }) => lost) };
  }

  async dropQueued(text: string): Promise<number> {
    const known = [...this.#lanes.values()].find(({ agent }) => agent === text);
    const agent = known?.agent ?? (await this.#parts.agents.find(text)).agent;
    const dropped = this.#lanes.get(agent)?.drop() ?? 0;
    await this.#file.append([]);
    this.#measure();
    return dropped;
  }

  /** Stop sending; what is queued stays in the file. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const lane of this.#lanes.values()) lane.stop();
    await this.#file.close();
  }

  #checkRoom(agent: AgentId, bytes: number): void {
    const lane = this.#lanes.get(agent);
    const lanes = [...this.#lanes.values()];
    const sum = (of: (lane: QueueLane) => number): number => lanes.reduce((all, one) => all + of(one), 0);
    const full = (what: string, many: number, limit: number): void => {
      if (many > limit) throw new QueueFullError(what, limit);
    };
    full("messages for this agent", (lane?.size ?? 0) + 1, LANE_MESSAGES);
    full("bytes for this agent", (lane?.bytes ?? 0) + bytes, LANE_BYTES);
    full("messages", sum(({ size }) => size) + 1, QUEUE_MESSAGES);
    full("bytes", sum((one) => one.bytes) + bytes, QUEUE_BYTES);
  }

  #restore(record: QueueRecord): void {
    if ("id" in record) this.#lastId = Math.max(this.#lastId, record.id);
    if (record.is === "lost") this.#remember(record);
    this.#laneOf(record.agent).restore(record);
  }

  #laneOf(agent: AgentId): QueueLane {
    const known = this.#lanes.get(agent);
    if (known !== undefined) return known;
    const lane = new QueueLane(agent, this.#lanePorts());
    this.#lanes.set(agent, lane);
    return lane;
  }

  #lanePorts(): LanePorts {
    const { mesh, clock, random, meter, traced } = this.#parts;
    return {
      store: (records) => this.#file.append(records),
      open: (agent, events, carried) => {
        const link = mesh.part("links").openOutgoing(agent, events, carried);
        return traced?.link(agent, link) ?? link;
      },
      newLink: () => toHex(random.bytes(new Uint8Array(LINK_BYTES))),
      nowMs: () => clock.wallMs(),
      where: (agent) => this.#where(agent),
      delivered: () => {
        meter.count("glia_queued_messages_total", 1, { outcome: "delivered" });
        this.#measure();
      },
      lost: (record) => this.#gaveUp(record),
    };
  }

  /** MQ1. */
  #gaveUp(record: LostRecord): void {
    const { meter, logger, event } = this.#parts;
    const { is: _, ...lost } = record;
    this.#remember(record);
    meter.count("glia_queued_messages_total", 1, { outcome: record.why });
    logger.log("warn", "a queued message was given up", { ...lost });
    event({ kind: "message-lost", ...lost });
    this.#measure();
  }

  #remember(record: LostRecord): void {
    this.#lost = [...this.#lost.filter(({ id }) => id !== record.id), record].slice(-LOST_SHOWN);
  }

  #alive(): readonly QueueRecord[] {
    return [...this.#lost, ...[...this.#lanes.values()].flatMap((lane) => lane.records())];
  }

  async #where(agent: AgentId): Promise<Whereabouts> {
    const { mesh } = this.#parts;
    let row: Awaited<ReturnType<typeof mesh.coordination.getAgent>>;
    try {
      row = await mesh.coordination.getAgent(agent);
    } catch {
      return "away"; // Coordination is out of reach: nothing is known.
    }
    if (row === undefined || row.status === "terminated" || row.status === "failed") return "gone";
    const owner = mesh.members().find(({ node }) => node === row.owner);
    const isThere = row.owner === mesh.self || owner?.state === "alive" || owner?.state === "suspect";
    return row.status === "running" && isThere ? "there" : "away";
  }

  async #look(lane: QueueLane): Promise<void> {
    try {
      await lane.look();
    } catch (error) {
      this.#parts.logger.log("warn", "queued messages cannot be sent now", {
        agent: lane.agent,
        why: String((error as Error).message),
      });
    }
    if (lane.over) this.#lanes.delete(lane.agent);
    this.#measure();
  }

  /** MQ3. */
  #lookAgain(): void {
    if (this.#stopped || this.#timer !== undefined || this.#lanes.size === 0) return;
    this.#timer = this.#parts.timers.schedule(LOOK_MS, () => {
      this.#timer = undefined;
      void Promise.all(this.#nextLanes().map((lane) => this.#look(lane))).then(() => this.#lookAgain());
    });
  }

  /** Those that were looked at longest ago: each look asks coordination where the agent is. */
  #nextLanes(): readonly QueueLane[] {
    const next = [...this.#lanes.values()].slice(0, LANES_LOOKED_AT);
    for (const lane of next) {
      this.#lanes.delete(lane.agent);
      this.#lanes.set(lane.agent, lane);
    }
    return next;
  }

  #measure(): void {
    const { meter } = this.#parts;
    let bytes = 0;
    for (const lane of this.#lanes.values()) bytes += lane.bytes;
    meter.gauge("glia_queued_messages", this.size);
    meter.gauge("glia_queued_bytes", bytes);
  }
}
