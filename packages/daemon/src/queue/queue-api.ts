/** The part of a node's operations that keeps messages for agents whose node is away. */
import type { AgentId } from "@glia-os/abi/ids";
import type { Remote } from "../thread-call.ts";
import type { LostRecord } from "./queue-record.ts";

/** A message that was queued: its number on the node that keeps it. */
export interface QueuedReceipt {
  readonly agent: AgentId;
  readonly id: number;
  readonly untilMs: number;
}

/** What is queued for one agent. */
export interface QueuedView {
  readonly agent: AgentId;
  readonly messages: number;
  readonly bytes: number;
  /** Those that went out and were not acknowledged. */
  readonly out: number;
  /** When the oldest is given up, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** What a node has queued, and what it gave up: the newest 256. */
export interface QueueView {
  readonly waiting: readonly QueuedView[];
  readonly lost: readonly Omit<LostRecord, "is">[];
}

/** A part of `NodeApi`. */
export interface QueueApi {
  /**
   * Keep a message in this node's data folder until the agent (name or id) has it, also over restarts of this node; it is applied once, in the order of
   * these calls. Resolves when it is flushed. `keepMs`: 1,000 to 604,800,000, default 3,600,000; then it is given up, which {@link queued} and the event
   * `message-lost` tell. @throws `daemon.queue-full`, `daemon.unknown-agent`, `daemon.bad-options`
   */
  enqueue(agent: string, payload: Uint8Array, keepMs?: number): Promise<QueuedReceipt>;
  /** What this node keeps for others. */
  queued(): Promise<QueueView>;
  /** Give up what is queued for an agent. Resolves with how many messages that were. */
  dropQueued(agent: string): Promise<number>;
}

/** The methods, by name. */
export const QUEUE_METHODS: readonly (keyof QueueApi)[] = ["enqueue", "queued", "dropQueued"];

/** The face of the queue on another thread. */
export function queueFace(mesh: Remote<QueueApi>): QueueApi {
  return {
    enqueue: (agent, payload, keepMs) => mesh.enqueue(agent, payload, keepMs),
    queued: () => mesh.queued(),
    dropQueued: (agent) => mesh.dropQueued(agent),
  };
}
