/**
 * Coordination from a member: the port, by calls to the anchor.
 *
 * AC5. Every mutation carries the caller's request id and is repeated under it until answered (K4), so a lost answer is no second change.
 * AC6. Without an answer within `timeoutMs` (at most 5 s) it fails with `mesh.anchor-unreachable`: the outcome is then unknown.
 * AC7. The anchor's own refusals keep their codes (`errorCodeOf`).
 */

import { errorCodeOf, RemoteError } from "@glia-os/abi/errors";
import { type AgentId, type ClusterId, type Epoch, fromHex, type NodeId, toEpoch } from "@glia-os/abi/ids";
import type {
  AgentChange,
  AgentRow,
  CasOutcome,
  Coordination,
  CoordinationChange,
  NodeSession,
  TakeOver,
} from "@glia-os/abi/ports";
import { type CborValue, decodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { AnchorUnreachableError, InvalidOptionError } from "../errors.ts";
import type { CallOptions } from "../mesh-types.ts";
import {
  changeFields,
  encodeRequest,
  idBytes,
  ROWS_MAX,
  readLogEntry,
  readOutcome,
  readRow,
  readSession,
  rowFields,
  takeOverFields,
} from "./messages.ts";

/** Longest time one request may take, in milliseconds. */
export const ANCHOR_TIMEOUT_MAX_MS = 5000;
const RESEND_MS = 500;

/** What the client needs. */
export interface AnchorClientOptions {
  /** The anchor as this node knows it now. */
  target(): { readonly anchor: NodeId; readonly cluster: ClusterId; readonly anchorEpoch: number };
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  readonly timeoutMs?: number;
}

/** A {@link Coordination} served by the anchor. */
export class AnchorClient implements Coordination {
  readonly #options: AnchorClientOptions;
  readonly #timeoutMs: number;

  constructor(options: AnchorClientOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? ANCHOR_TIMEOUT_MAX_MS;
    if (!(this.#timeoutMs >= 1 && this.#timeoutMs <= ANCHOR_TIMEOUT_MAX_MS))
      throw new InvalidOptionError("anchorTimeoutMs", `it is not from 1 to ${ANCHOR_TIMEOUT_MAX_MS}`);
  }

  async openSession(node: NodeId, ttlMs: number, requestId: string): Promise<NodeSession> {
    return readSession(await this.#ask("open", [idBytes(node), ttlMs, requestId]));
  }

  async renewSession(sessionId: string): Promise<NodeSession> {
    return readSession(await this.#ask("renew", [sessionId]));
  }

  async closeSession(sessionId: string): Promise<void> {
    await this.#ask("close", [sessionId]);
  }

  async createAgent(row: Omit<AgentRow, "epoch" | "revision">, requestId: string): Promise<AgentRow> {
    const fields = rowFields({ ...row, epoch: toEpoch(1), revision: 0 });
    return readRow(await this.#value("create", [fields, requestId]));
  }

  async compareAndSwap(
    agent: AgentId,
    expected: Epoch,
    change: AgentChange,
    requestId: string,
  ): Promise<CasOutcome> {
    return readOutcome(await this.#ask("cas", [fromHex(agent), expected, changeFields(change), requestId]));
  }

  async takeOver(agent: AgentId, expected: Epoch, change: TakeOver, requestId: string): Promise<CasOutcome> {
    const args = [fromHex(agent), expected, takeOverFields(change), requestId];
    return readOutcome(await this.#ask("take", args));
  }

  async getAgent(agent: AgentId): Promise<AgentRow | undefined> {
    return this.#maybe("get", [fromHex(agent)]);
  }

  async findAgent(name: string): Promise<AgentRow | undefined> {
    return this.#maybe("find", [name]);
  }

  async listAgents(): Promise<readonly AgentRow[]> {
    const rows = await this.#value("list", []);
    return new FieldReader([rows], "agent rows").list("rows", ROWS_MAX, readRow);
  }

  async changesSince(revision: number, limit: number): Promise<readonly CoordinationChange[]> {
    const changes = await this.#value("changes", [revision, limit]);
    return new FieldReader([changes], "changes").list("changes", limit, readLogEntry);
  }

  /** The engine belongs to the anchor: nothing to release here. */
  async close(): Promise<void> {}

  async #maybe(operation: string, args: readonly CborValue[]): Promise<AgentRow | undefined> {
    const rows = new FieldReader([await this.#value(operation, args)], "an answer").list("row", 1, readRow);
    return rows[0];
  }

  async #ask(operation: string, args: readonly CborValue[]): Promise<FieldReader> {
    return new FieldReader(await this.#value(operation, args), `the anchor's answer to ${operation}`);
  }

  async #value(operation: string, args: readonly CborValue[]): Promise<CborValue> {
    const { anchor, ...fence } = this.#options.target();
    const options = { timeoutMs: this.#timeoutMs, resendMs: RESEND_MS };
    try {
      const answer = await this.#options.call(
        anchor,
        `coord.${operation}`,
        encodeRequest(fence, args),
        options,
      );
      return decodeCbor(answer, `the anchor's answer to ${operation}`);
    } catch (error) {
      const code = errorCodeOf(error);
      const answered = error instanceof RemoteError && code !== "mesh.too-many-calls";
      if (answered || code === "mesh.malformed-message" || code === "mesh.stopped") throw error;
      throw new AnchorUnreachableError(operation, this.#timeoutMs, error);
    }
  }
}
