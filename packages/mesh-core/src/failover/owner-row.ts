/**
 * The row of an agent as its owner writes it while the agent runs: who its replicas are, and under which session (docs/spec/replica.md, RP2, RP4, RP5).
 *
 * OR1. Each call ends with what is committed: this node's row, or fenced by a row that is somebody else's. Without an answer it asks on.
 * OR2. The agent runs on under the epoch that was committed; one that another part of this node committed is taken in.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, toHex } from "@glia-os/abi/ids";
import type { AgentRow, CasOutcome, Coordination, Random, Timers } from "@glia-os/abi/ports";

/** Between two attempts, in milliseconds. */
export const ROW_RETRY_MS = 200;

/** What writing rows needs from the node. */
export interface OwnerRowOptions {
  readonly self: NodeId;
  readonly timers: Timers;
  readonly random: Random;
  coordination(): Coordination;
  sessionId(): string;
  /** How the agent stands here; undefined when it is not here any more. */
  stands(agent: AgentId): { readonly epoch: Epoch; readonly suspended: boolean } | undefined;
  /** The agent runs under this epoch from now on. */
  renew(agent: AgentId, epoch: Epoch): void;
}

/** What a call came to. `ours`: the row is this node's, as it was asked for. `gone`: the agent is not here any more. */
export type RowOutcome =
  | { readonly kind: "ours"; readonly row: AgentRow }
  | { readonly kind: "fenced"; readonly row: AgentRow | undefined }
  | { readonly kind: "gone" };

/** Writes rows of agents of this node. */
export class OwnerRow {
  readonly #o: OwnerRowOptions;
  readonly #writing = new Map<AgentId, Promise<unknown>>();
  #stopped = false;

  constructor(options: OwnerRowOptions) {
    this.#o = options;
  }

  /** Calls that wait give up. */
  stop(): void {
    this.#stopped = true;
  }

  /** Write the row under this node's session, with these replicas (undefined: as they are). One call per agent at a time. */
  write(agent: AgentId, replicas: readonly NodeId[] | undefined): Promise<RowOutcome> {
    return this.#inTurn(agent, () => this.#write(agent, replicas));
  }

  /** The row, after every write that was asked for before. */
  read(agent: AgentId): Promise<RowOutcome> {
    return this.#inTurn(agent, () => this.#read(agent));
  }

  async #inTurn(agent: AgentId, act: () => Promise<RowOutcome>): Promise<RowOutcome> {
    const before = this.#writing.get(agent);
    const turn = (before ?? Promise.resolve()).then(act);
    this.#writing.set(agent, turn);
    try {
      return await turn;
    } finally {
      if (this.#writing.get(agent) === turn) this.#writing.delete(agent);
    }
  }

  async #read(agent: AgentId): Promise<RowOutcome> {
    for (;;) {
      if (this.#stopped || this.#o.stands(agent) === undefined) return { kind: "gone" };
      try {
        const row = await this.#o.coordination().getAgent(agent);
        if (row === undefined) return { kind: "fenced", row };
        const read = this.#ours(agent, row);
        if (read !== undefined) return read;
      } catch {
        // Coordination does not answer: it is asked on.
      }
      await this.#pause();
    }
  }

  async #write(agent: AgentId, replicas: readonly NodeId[] | undefined): Promise<RowOutcome> {
    let request = { id: this.#newId(), epoch: 0, sessionId: "" };
    for (;;) {
      const stands = this.#o.stands(agent);
      if (this.#stopped || stands === undefined) return { kind: "gone" };
      const { epoch } = stands;
      const sessionId = this.#o.sessionId();
      // The same question under the same id, so that a lost answer is no second change; another question under another.
      if (request.epoch !== epoch || request.sessionId !== sessionId)
        request = { id: this.#newId(), epoch, sessionId };
      const status = stands.suspended ? "suspended" : "running";
      const change = {
        owner: this.#o.self,
        sessionId,
        status,
        ...(replicas === undefined ? {} : { replicas }),
      } as const;
      try {
        const outcome = await this.#o.coordination().compareAndSwap(agent, epoch, change, request.id);
        const done = this.#understood(agent, epoch, outcome);
        if (done !== undefined) return done;
      } catch (error) {
        if (errorCodeOf(error) === "store.agent-terminated") return { kind: "fenced", row: undefined };
        if (errorCodeOf(error) === "store.session-expired") request = { ...request, epoch: 0 };
        await this.#pause();
      }
    }
  }

  /** OR2. Undefined: ask again. */
  #understood(agent: AgentId, epoch: Epoch, outcome: CasOutcome): RowOutcome | undefined {
    if (outcome.kind === "unknown-agent") return { kind: "fenced", row: undefined };
    const before = this.#o.stands(agent)?.epoch;
    const ours = this.#ours(agent, outcome.row);
    if (ours?.kind !== "ours") return ours;
    return outcome.kind === "committed" && before === epoch ? ours : undefined;
  }

  /** OR2. Undefined: the cell is ahead of this row. */
  #ours(agent: AgentId, row: AgentRow): RowOutcome | undefined {
    if (row.owner !== this.#o.self || row.status === "terminated") return { kind: "fenced", row };
    const now = this.#o.stands(agent);
    if (now === undefined) return { kind: "gone" };
    if (row.epoch > now.epoch) this.#o.renew(agent, row.epoch);
    return row.epoch < now.epoch ? undefined : { kind: "ours", row };
  }

  #newId(): string {
    return toHex(this.#o.random.bytes(new Uint8Array(16)));
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#o.timers.schedule(ROW_RETRY_MS, resolve));
  }
}
