/**
 * The anchor: serves a {@link Coordination} engine to the members of a cluster.
 *
 * AN1. A request names the cluster and the anchor epoch; any other pair than this anchor's is refused, so a second or an old anchor shows.
 * AN2. A caller acts only for its own node: it opens, renews and ends its own sessions, creates agents it owns, and changes
 *      rows it owns, or takes for itself one of an agent that runs nowhere by its row: failed, or exported into a file. The caller is
 *      who the session proved it to be.
 * AN3. A compare-and-swap on an epoch that is no longer stored goes to the engine whoever asks: it changes nothing, and a repeated request
 *      gets its first outcome (K4).
 * AN4. A take-over goes to the engine for whoever asks under a session of its own: the engine checks, in the step that writes, that the
 *      row's session is over and that the row names the asker as replica (K6).
 * AN5. Whose row it is need not be read again for an epoch that this anchor saw: an epoch has one owner (K1). At most {@link ROWS_KNOWN_MAX} are
 *      remembered, and only for the owner's own request: any other is judged by what is stored.
 */
import { type AgentId, type Epoch, type NodeId, toHex } from "@glia-os/abi/ids";
import type { AgentRow, Coordination, Digests } from "@glia-os/abi/ports";
import { ascii } from "../codec/ascii.ts";
import { type CborValue, encodeCbor } from "../codec/cbor.ts";
import { type FieldReader, NODE_ID_BYTES } from "../codec/reader.ts";
import { AnchorEpochError, NotAnchorError, NotYoursError, WrongClusterError } from "../errors.ts";
import type { Caller, CallHandler } from "../mesh-types.ts";
import {
  AGENT_NAME_MAX,
  type AnchorFence,
  logFields,
  outcomeFields,
  REQUEST_ID_MAX,
  ROWS_MAX,
  readBody,
  readChange,
  readRow,
  readTakeOver,
  rowFields,
  sessionFields,
  TOKEN_MAX,
} from "./messages.ts";

/** Rows whose owner an anchor remembers (AN5). */
export const ROWS_KNOWN_MAX = 4096;
const CHANGES_MAX = 1000;
const ROW_FIELDS_MAX = 9;

type Operation = (caller: Caller, args: FieldReader) => Promise<CborValue>;

/** Serves one engine. */
export class AnchorServer {
  readonly #engine: Coordination;
  readonly #fence: () => AnchorFence | undefined;
  readonly #digests: Digests;
  readonly #known = new Map<AgentId, { readonly epoch: Epoch; readonly owner: NodeId }>();

  /** `fence` is undefined while this node is not the anchor. */
  constructor(engine: Coordination, digests: Digests, fence: () => AnchorFence | undefined) {
    this.#engine = engine;
    this.#digests = digests;
    this.#fence = fence;
  }

  /** The methods to register: name and handler. */
  methods(): readonly (readonly [string, CallHandler])[] {
    const operations: Readonly<Record<string, Operation>> = {
      open: (caller, args) => this.#open(caller, args),
      renew: (caller, args) => this.#renew(caller, args),
      close: (caller, args) => this.#close(caller, args),
      create: (caller, args) => this.#create(caller, args),
      cas: (caller, args) => this.#compareAndSwap(caller, args),
      take: (caller, args) => this.#takeOver(caller, args),
      get: async (_caller, args) => maybeRow(await this.#engine.getAgent(args.agent("agent"))),
      find: async (_caller, args) =>
        maybeRow(await this.#engine.findAgent(args.text("name", AGENT_NAME_MAX))),
      list: async () => (await this.#engine.listAgents()).slice(0, ROWS_MAX).map(rowFields),
      changes: async (_caller, args) => {
        const changes = await this.#engine.changesSince(
          args.int("revision"),
          args.int("limit", CHANGES_MAX, 1),
        );
        return changes.map(logFields);
      },
    };
    return Object.entries(operations).map(([name, run]) => [`coord.${name}`, this.#fenced(run)]);
  }

  #fenced(run: Operation): CallHandler {
    return async (caller, body) => {
      const reader = readBody(body, "a coordination request");
      const cluster = toHex(reader.bytes("cluster", NODE_ID_BYTES, NODE_ID_BYTES));
      const epoch = reader.int("anchor epoch");
      const args = reader.nested("arguments");
      reader.end();
      const fence = this.#fence();
      if (fence === undefined) throw new NotAnchorError();
      if (cluster !== fence.cluster) throw new WrongClusterError(cluster, fence.cluster);
      if (epoch !== fence.anchorEpoch) throw new AnchorEpochError(epoch, fence.anchorEpoch);
      return encodeCbor(await run(caller, args));
    };
  }

  async #open(caller: Caller, args: FieldReader): Promise<CborValue> {
    const node = args.node("node");
    const ttlMs = args.int("ttl");
    const requestId = this.#scoped(caller, args);
    args.end();
    if (node !== caller.node) throw new NotYoursError(`node ${node.slice(0, 12)}`);
    const session = await this.#engine.openSession(node, ttlMs, requestId);
    return sessionFields(session);
  }

  async #renew(caller: Caller, args: FieldReader): Promise<CborValue> {
    const sessionId = args.text("session", TOKEN_MAX, 1);
    args.end();
    checkOwn(caller, sessionId);
    return sessionFields(await this.#engine.renewSession(sessionId));
  }

  async #close(caller: Caller, args: FieldReader): Promise<CborValue> {
    const sessionId = args.text("session", TOKEN_MAX, 1);
    args.end();
    checkOwn(caller, sessionId);
    await this.#engine.closeSession(sessionId);
    return [];
  }

  async #create(caller: Caller, args: FieldReader): Promise<CborValue> {
    const {
      epoch: _epoch,
      revision: _revision,
      ...row
    } = readRow(args.list("row", ROW_FIELDS_MAX, (field) => field));
    const requestId = this.#scoped(caller, args);
    args.end();
    if (row.owner !== caller.node) throw new NotYoursError(`node ${row.owner.slice(0, 12)}`);
    checkOwn(caller, row.sessionId);
    const created = await this.#engine.createAgent(row, requestId);
    this.#remember(created);
    return rowFields(created);
  }

  async #compareAndSwap(caller: Caller, args: FieldReader): Promise<CborValue> {
    const agent = args.agent("agent");
    const expected = args.epoch("epoch");
    const change = readChange(args.nested("change"));
    const requestId = this.#scoped(caller, args);
    args.end();
    const known = this.#known.get(agent);
    if (known?.epoch !== expected || known.owner !== caller.node) {
      const stored = await this.#engine.getAgent(agent);
      if (stored !== undefined && stored.epoch === expected && stored.owner !== caller.node) {
        const free = stored.status === "exported" || stored.status === "failed";
        if (!free || change.owner !== caller.node) throw new NotYoursError(`agent ${agent}`);
        checkOwn(caller, change.sessionId);
      }
    }
    const outcome = await this.#engine.compareAndSwap(agent, expected, change, requestId);
    if (outcome.kind !== "unknown-agent") this.#remember(outcome.row);
    return outcomeFields(outcome);
  }

  /** AN5. */
  #remember({ agent, epoch, owner }: AgentRow): void {
    this.#known.delete(agent);
    this.#known.set(agent, { epoch, owner });
    if (this.#known.size <= ROWS_KNOWN_MAX) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }

  async #takeOver(caller: Caller, args: FieldReader): Promise<CborValue> {
    const agent = args.agent("agent");
    const expected = args.epoch("epoch");
    const change = readTakeOver(args.nested("take-over"));
    const requestId = this.#scoped(caller, args);
    args.end();
    checkOwn(caller, change.sessionId);
    return outcomeFields(await this.#engine.takeOver(agent, expected, change, requestId));
  }

  /** A request id that no other node can repeat: nodes choose theirs, so the caller is part of it. 64 characters. */
  #scoped(caller: Caller, args: FieldReader): string {
    const requestId = args.text("request id", REQUEST_ID_MAX, 1);
    if (!/^[ -~]+$/.test(requestId)) throw args.refuse("request id", "not printable ASCII");
    return toHex(this.#digests.sha256(ascii(`${caller.node}/${requestId}`)));
  }
}

/** Refuse a session of another node (AN2): a session id starts with its node (docs/spec/coordination.md). */
function checkOwn({ node }: Caller, sessionId: string): void {
  if (!sessionId.startsWith(`${node}:`)) throw new NotYoursError("a session of another node");
}

function maybeRow(row: Parameters<typeof rowFields>[0] | undefined): CborValue {
  return row === undefined ? [] : [rowFields(row)];
}
