/**
 * What replicas need of the two halves of a cell beside runner-port.ts.
 *
 * RQ1. `inputs` and `checkpointed` come in order with `taken` and `replied`: what the guest was given before it said something is told before.
 * RQ2. A checkpoint is the guest between two steps, with everything told before `checkpointed` in it and nothing after.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { InstanceImage } from "@glia-os/abi/ports";
import type { AgentManifest } from "../agent-manifest.ts";
import type { FrozenMail } from "../runner-port.ts";
import type { TapeItem } from "./entries.ts";

/** What a checkpoint says beside the guest's bytes; its mailbox is the gate's to know. */
export type CheckpointFacts = Omit<FrozenMail, "mailbox"> & {
  /** The call that was begun, is not made twice and was not answered. */
  readonly begun: string | undefined;
  /** What the guest is given first when it goes on: the rest of a record that it did not run yet (TP6). */
  readonly rest: readonly TapeItem[];
};

/** What a cell is rebuilt from. */
export interface Rebuild {
  /** The last whole checkpoint, in parts. */
  readonly whole: readonly Uint8Array[];
  /** What changed since, oldest first. */
  readonly increments: readonly (readonly Uint8Array[])[];
  /** What the guest was given after that. */
  readonly items: readonly TapeItem[];
  /** How long ago the wait began that it is in, if it is in one. Milliseconds. */
  readonly waitedMs: number;
}

/** What the gate asks of the runner for agents with a replica. */
export interface ReplicaRunnerPort {
  /** Take a checkpoint, whole or of what changed since the one before. One-way; `checkpointed` answers. */
  checkpoint(agent: AgentId, number: number, whole: boolean): void;
  /** The next chunk of a checkpoint, at most 1 MiB; undefined after the last. @throws {NotHereError} when another was taken since. */
  readCheckpoint(agent: AgentId, number: number): Promise<Uint8Array | undefined>;
  /** What the runner told before it asked for this ({@link ReplicaPort.wantsHeld}) is held. One-way. */
  heldUpTo(agent: AgentId, number: number): void;
  /** Build a cell, with its mail, without running it. */
  rebuild(agent: AgentId, manifest: AgentManifest, from: Rebuild, mail: FrozenMail): Promise<void>;
}

/** What the runner tells of agents with a replica. */
export interface ReplicaPort {
  /** What the guest was given, as an entry; `outputs` is what it asked for in it, to be done when the entry is held. */
  inputs(agent: AgentId, entry: Uint8Array, outputs?: Uint8Array): void;
  /** The guest goes on when everything told so far is held; `heldUpTo` answers. */
  wantsHeld(agent: AgentId, number: number): void;
  /** The checkpoint that was asked for; undefined when none can be taken now. */
  checkpointed(agent: AgentId, number: number, facts: CheckpointFacts | undefined): void;
}

/** Turns states of guests into checkpoints and back (docs/spec/snapshot.md). `State` is what the next one is compared with. */
export interface CheckpointCodec<State = unknown> {
  whole(image: InstanceImage): { readonly chunks: Iterable<Uint8Array>; readonly state: State };
  next(before: State, image: InstanceImage): { readonly chunks: Iterable<Uint8Array>; readonly state: State };
  /** The image; `imageBytes` bounds its sections. */
  restore(from: Pick<Rebuild, "whole" | "increments">, imageBytes: number): InstanceImage;
}

/** What a runner needs to host agents with a replica. */
export interface RunnerReplication {
  readonly codec: CheckpointCodec;
  readonly port: ReplicaPort;
}
