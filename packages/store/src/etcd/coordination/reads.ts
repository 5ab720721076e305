/**
 * What groups of requests read.
 *
 * R1. Everything a group rests on is read at one revision. Ranges too large for one answer are read in parts at that revision.
 * R2. A remembered outcome counts only while it is among the newest of the limit, whether its key was removed yet or not.
 */
import type { AgentRow } from "@glia-os/abi/ports";
import type { Counters, Loaded } from "../../engine/coordination-slice.ts";
import { EngineUnreachableError } from "../../engine/errors.ts";
import { wantedBy } from "../../engine/wanted.ts";
import { CorruptError, SchemaNewerError } from "../../errors.ts";
import type { CoordinationLimits } from "../../limits.ts";
import { type CoordinationRequest, nodeOfSession } from "../../request.ts";
import type { RememberedOutcome, StoredSession } from "../../tables.ts";
import type { EtcdGateway } from "../gateway.ts";
import type { Operation, Row, TxnAnswer } from "../txn.ts";
import { type CoordinationKeys, LAYOUT_FORMAT } from "./layout.ts";

/** What was read, and the revision that last changed the store: the fence of what is written on it (G1). */
export interface Read {
  readonly loaded: Loaded;
  readonly modRevision: number;
}

/** The counters with the revision that wrote them. */
export interface CountersRead {
  readonly counters: Counters;
  readonly modRevision: number;
}

/** An outcome as its key holds it. */
export interface KeptOutcome extends RememberedOutcome {
  readonly seq: number;
}

/** Rows of one part of a large range. */
const PART = 1_000;
const NOTHING: Counters = { fence: 0, revision: 0, requests: 0, sessions: 0, rows: 0, live: 0 };

/** Reads of one client. */
export class CoordinationReads {
  readonly #gateway: EtcdGateway;
  readonly #keys: CoordinationKeys;
  readonly #place: string;
  readonly #limits: CoordinationLimits;

  constructor(gateway: EtcdGateway, keys: CoordinationKeys, place: string, limits: CoordinationLimits) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#place = place;
    this.#limits = limits;
  }

  /** Write the counters of an empty store, unless there are some. @throws `store.schema-newer`, `store.corrupt`. */
  async found(signal: AbortSignal): Promise<void> {
    const key = this.#keys.counters;
    const value = JSON.stringify({ format: LAYOUT_FORMAT, ...NOTHING });
    await this.#gateway.txn(
      { compare: [{ key, modRevision: 0 }], success: [{ op: "put", key, value }] },
      signal,
    );
    await this.counters(signal);
  }

  /** The counters alone. */
  async counters(signal: AbortSignal): Promise<CountersRead> {
    const { answers } = await this.#gateway.read([{ op: "range", key: this.#keys.counters }], signal);
    return this.#countersIn(answers[0]?.rows ?? []);
  }

  /** Every session there is. */
  async sessions(signal: AbortSignal): Promise<readonly StoredSession[]> {
    const { rows } = await this.#all({ op: "range", ...this.#keys.all("session") }, signal);
    return rows.map((row) => this.#valueOf<StoredSession>(row));
  }

  /** What a group rests on. */
  async of(requests: readonly CoordinationRequest[], signal: AbortSignal): Promise<Read> {
    const [first] = requests;
    if (first?.op !== "list-agents")
      return this.understood(requests, await this.#gateway.read(this.operations(requests), signal));
    const { rows, counters } = await this.#all({ op: "range", ...this.#keys.all("name") }, signal);
    const agents = rows.map((row) => this.#valueOf<AgentRow>(row));
    return { loaded: { counters: counters.counters, agents }, modRevision: counters.modRevision };
  }

  /** The ranges that {@link understood} reads from. */
  operations(requests: readonly CoordinationRequest[]): readonly Operation[] {
    const keys = this.#keys;
    const counters: Operation = { op: "range", key: keys.counters };
    const [first] = requests;
    if (first?.op === "changes-since") {
      const { key, end } = keys.all("change");
      return [
        counters,
        { op: "range", key, end, limit: 1 },
        { op: "range", key: keys.change(first.revision + 1), end, limit: first.limit },
      ];
    }
    const wanted = wantedBy(requests);
    const nodes = [...wanted.nodes, ...wanted.sessions.map(nodeOfSession)];
    const single = new Set([
      ...nodes.map((node) => keys.session(node as never)),
      ...wanted.agents.map((agent) => keys.agent(agent as never)),
      ...wanted.names.map((name) => keys.name(name)),
      ...wanted.requestIds.map((id) => keys.outcome(id)),
    ]);
    return [counters, ...[...single].map((key) => ({ op: "range", key }) as const)];
  }

  /** The answers to {@link operations}. */
  understood(requests: readonly CoordinationRequest[], { answers }: TxnAnswer): Read {
    const [head, ...rest] = answers;
    const { counters, modRevision } = this.#countersIn(head?.rows ?? []);
    const rows = rest.flatMap((answer) => answer.rows);
    const [first] = requests;
    if (first?.op === "changes-since") return { loaded: this.#changes(counters, rest), modRevision };
    const agents = new Map<string, AgentRow>();
    const sessions: StoredSession[] = [];
    const outcomes: (RememberedOutcome & { readonly requestId: string })[] = [];
    for (const row of rows) {
      if (row.key.startsWith(this.#keys.session("" as never))) sessions.push(this.#valueOf(row));
      else if (row.key.startsWith(this.#keys.outcome(""))) outcomes.push(...this.#outcome(row, counters));
      else {
        const agent = this.#valueOf<AgentRow>(row);
        agents.set(agent.agent, agent);
      }
    }
    return { loaded: { counters, sessions, agents: [...agents.values()], requests: outcomes }, modRevision };
  }

  #changes(counters: Counters, [oldest, changed]: TxnAnswer["answers"]): Loaded {
    const oldestRow = oldest?.rows[0];
    return {
      counters,
      changes: (changed?.rows ?? []).map((row) => this.#valueOf<AgentRow>(row)),
      oldestChange: oldestRow === undefined ? undefined : this.#keys.numberIn(oldestRow.key),
    };
  }

  /** R2. */
  #outcome(
    row: Row,
    { requests }: Counters,
  ): readonly (RememberedOutcome & { readonly requestId: string })[] {
    const { seq, fingerprint, outcome } = this.#valueOf<KeptOutcome>(row);
    if (seq <= requests - this.#limits.requests) return [];
    return [{ requestId: row.key.slice(this.#keys.outcome("").length), fingerprint, outcome }];
  }

  /** R1: a whole range and the counters, at one revision. */
  async #all(
    range: Operation & { readonly op: "range"; readonly end?: string },
    signal: AbortSignal,
  ): Promise<{ readonly rows: readonly Row[]; readonly counters: CountersRead }> {
    const first = await this.#gateway.read(
      [
        { op: "range", key: this.#keys.counters },
        { ...range, limit: PART },
      ],
      signal,
    );
    const counters = this.#countersIn(first.answers[0]?.rows ?? []);
    const { revision } = first.header;
    const rows: Row[] = [];
    let part = first.answers[1];
    while (part !== undefined) {
      rows.push(...part.rows);
      const last = part.rows.at(-1);
      if (!part.more || last === undefined) break;
      const next = await this.#gateway.read(
        [{ ...range, key: `${last.key}\0`, limit: PART, revision }],
        signal,
      );
      part = next.answers[0];
    }
    return { rows, counters };
  }

  #countersIn(rows: readonly Row[]): CountersRead {
    const [row] = rows;
    if (row === undefined)
      throw new EngineUnreachableError(this.#place, "the keys of the store are gone; open it again");
    const { format, ...counters } = this.#valueOf<Counters & { readonly format: number }>(row);
    if (format > LAYOUT_FORMAT) throw new SchemaNewerError(this.#place, format, LAYOUT_FORMAT);
    const sound = format === LAYOUT_FORMAT && Object.values(counters).every(Number.isSafeInteger);
    if (!sound) throw new CorruptError(this.#place, `${row.key} holds no counters`);
    return { counters, modRevision: row.modRevision };
  }

  #valueOf<T>({ key, value }: Row): T {
    try {
      const parsed: unknown = JSON.parse(value);
      if (typeof parsed === "object" && parsed !== null) return Object.freeze(parsed) as T;
    } catch {
      // Named below, with the key.
    }
    throw new CorruptError(this.#place, `${key} holds no JSON of this package`);
  }
}
