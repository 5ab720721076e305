/**
 * Keys that nobody asks for any more.
 *
 * B1. The outcome of a request is removed only while it is the one that the order names: an id used again is another request.
 * B2. Removing what is too old changes no answer, so it may fail: the next collection does it.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { CoordinationLimits } from "../../limits.ts";
import type { StoredSession } from "../../tables.ts";
import type { EtcdGateway } from "../gateway.ts";
import { type CoordinationKeys, LAYOUT_FORMAT } from "./layout.ts";
import type { CountersRead } from "./reads.ts";

/** How many outcomes or sessions one transaction removes: two keys each, and the conditions. */
const AT_ONCE = 60;
/** Outcomes are collected each time this many became too old. */
const STEP = 32;

/** The collector of one client. */
export class CoordinationGarbage {
  readonly #gateway: EtcdGateway;
  readonly #keys: CoordinationKeys;
  readonly #limits: CoordinationLimits;
  /** Outcomes up to this number were looked at. */
  #done = 0;

  constructor(gateway: EtcdGateway, keys: CoordinationKeys, limits: CoordinationLimits) {
    this.#gateway = gateway;
    this.#keys = keys;
    this.#limits = limits;
  }

  /** Remove outcomes that are too old, where enough of them are (B1, B2). `newest` is the number of the newest outcome. */
  async collect(newest: number, signal: AbortSignal): Promise<void> {
    const old = newest - this.#limits.requests;
    if (old - this.#done < STEP) return;
    try {
      if (await this.#collected(old, signal)) this.#done = old;
    } catch (error) {
      if (!isGliaError(error)) throw error;
    }
  }

  /** Remove expired sessions and count them out, unless the store changed meanwhile. */
  async drop(
    expired: readonly StoredSession[],
    read: () => Promise<CountersRead>,
    signal: AbortSignal,
  ): Promise<void> {
    for (let from = 0; from < expired.length; from += AT_ONCE) {
      const part = expired.slice(from, from + AT_ONCE).map(({ node }) => this.#keys.session(node));
      const { counters, modRevision } = await read();
      const { answers } = await this.#gateway.read(
        part.map((key) => ({ op: "range", key })),
        signal,
      );
      const there = answers.flatMap(({ rows }) => rows);
      const same = there.filter(({ value }) => expired.some((one) => JSON.stringify(one) === value));
      const value = { format: LAYOUT_FORMAT, ...counters, sessions: counters.sessions - same.length };
      const compare = [{ key: this.#keys.counters, modRevision }];
      const removals = same.map(({ key }) => ({ op: "delete", key }) as const);
      const count = { op: "put", key: this.#keys.counters, value: JSON.stringify(value) } as const;
      await this.#gateway.txn({ compare, success: [count, ...removals] }, signal);
    }
  }

  /** Whether nothing up to `old` is left. */
  async #collected(old: number, signal: AbortSignal): Promise<boolean> {
    const { key } = this.#keys.all("order");
    const end = this.#keys.order(old + 1);
    const found = await this.#gateway.read([{ op: "range", key, end, limit: AT_ONCE }], signal);
    const orders = found.answers[0]?.rows ?? [];
    if (orders.length === 0) return true;
    const outcomes = orders.map((row) => ({
      key: this.#keys.outcome((JSON.parse(row.value) as { requestId: string }).requestId),
      modRevision: row.modRevision,
    }));
    const held = await this.#gateway.read(
      outcomes.map((outcome) => ({ op: "range", key: outcome.key })),
      signal,
    );
    // Written by the same transaction, so under the same revision, or by a later request of the same id.
    const current = outcomes.filter(
      ({ modRevision }, i) => held.answers[i]?.rows[0]?.modRevision === modRevision,
    );
    const last = orders.at(-1)?.key ?? key;
    const removals = current.map((outcome) => ({ op: "delete", key: outcome.key }) as const);
    const success = [...removals, { op: "delete", key, end: `${last}\0` } as const];
    const done = await this.#gateway.txn({ compare: current, success }, signal);
    return done.succeeded && found.answers[0]?.more === false;
  }
}
