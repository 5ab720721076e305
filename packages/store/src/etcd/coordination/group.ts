/**
 * Groups of coordination requests, each decided on one revision of etcd and written by one transaction.
 *
 * G1. Every change of the store writes the key of the counters, and is made only if no other change was made since the revision its
 *     decisions rest on. So the changes of all clients are made one after the other; the revision of the counters is the fence.
 * G2. A group that lost that race is decided anew, on what the failed transaction read, until its time is over.
 * G3. No answer leaves before the transaction was answered. A group that changes nothing rests on a linearizable read.
 * G4. A transaction has at most {@link GROUP_REQUESTS} requests, so that it stays below the 128 operations etcd allows by default.
 */
import type { Clock } from "@glia-os/abi/ports";
import { answered } from "../../engine/answered.ts";
import { CoordinationSlice } from "../../engine/coordination-slice.ts";
import { EngineUnreachableError } from "../../engine/errors.ts";
import type { GroupPerformer } from "../../engine/group-queue.ts";
import { readsMany } from "../../engine/wanted.ts";
import { Leases } from "../../leases.ts";
import type { CoordinationLimits } from "../../limits.ts";
import type { CoordinationReply, CoordinationRequest } from "../../request.ts";
import { CoordinationRules } from "../../rules.ts";
import type { Answer } from "../../serve.ts";
import type { EtcdGateway } from "../gateway.ts";
import type { EtcdSettings } from "../place.ts";
import { CoordinationGarbage } from "./garbage.ts";
import { CoordinationKeys } from "./layout.ts";
import { CoordinationReads, type Read } from "./reads.ts";
import { writesOf } from "./writes.ts";

/** The most requests of one transaction: each reads at most four keys and writes at most six. */
export const GROUP_REQUESTS = 16;

/** Performs groups on one cluster. */
export class EtcdGroups implements GroupPerformer<CoordinationRequest, CoordinationReply> {
  readonly #gateway: EtcdGateway;
  readonly #settings: EtcdSettings;
  readonly #clock: Clock;
  readonly #limits: CoordinationLimits;
  readonly #leases: Leases;
  readonly #keys: CoordinationKeys;
  readonly #reads: CoordinationReads;
  readonly #garbage: CoordinationGarbage;

  constructor(gateway: EtcdGateway, settings: EtcdSettings, clock: Clock, limits: CoordinationLimits) {
    this.#gateway = gateway;
    this.#settings = settings;
    this.#clock = clock;
    this.#limits = limits;
    this.#leases = new Leases(clock);
    this.#keys = new CoordinationKeys(settings.prefix);
    this.#reads = new CoordinationReads(gateway, this.#keys, settings.place, limits);
    this.#garbage = new CoordinationGarbage(gateway, this.#keys, limits);
  }

  /** Make the counters where there are none, and count the lease of every session there is from now on. */
  async open(): Promise<void> {
    await this.#timed(async (signal) => {
      await this.#reads.found(signal);
      for (const session of await this.#reads.sessions(signal)) this.#leases.see(session);
    });
  }

  groupOf(requests: readonly CoordinationRequest[]): number {
    const first = requests.findIndex(readsMany);
    const most = first === 0 ? 1 : first < 0 ? requests.length : first;
    return Math.min(most, GROUP_REQUESTS);
  }

  perform(requests: readonly CoordinationRequest[]): Promise<readonly Answer<CoordinationReply>[]> {
    return this.#timed(async (signal) => {
      let read = await this.#reads.of(requests, signal);
      if (await this.#madeRoom(requests, read, signal)) read = await this.#reads.of(requests, signal);
      for (;;) {
        const done = await this.#attempt(requests, read, signal);
        if ("answers" in done) return done.answers;
        read = done.read;
      }
    });
  }

  async close(): Promise<void> {
    this.#gateway.close();
  }

  async #attempt(
    requests: readonly CoordinationRequest[],
    read: Read,
    signal: AbortSignal,
  ): Promise<{ readonly answers: readonly Answer<CoordinationReply>[] } | { readonly read: Read }> {
    const slice = new CoordinationSlice(read.loaded);
    const rules = new CoordinationRules(slice, this.#clock, this.#limits, this.#leases);
    const answers = requests.map((request) => answered(rules, request));
    const writes = writesOf(slice, this.#keys, this.#limits);
    if (writes.length === 0) return { answers };
    if (signal.aborted)
      throw new EngineUnreachableError(this.#settings.place, "other clients changed it all the time");
    const compare = [{ key: this.#keys.counters, modRevision: read.modRevision }];
    const again = this.#reads.operations(requests);
    const answer = await this.#gateway.txn({ compare, success: writes, failure: again }, signal);
    if (!answer.succeeded) return { read: this.#reads.understood(requests, answer) };
    await this.#garbage.collect(slice.counters.requests, signal);
    return { answers };
  }

  /** Where the sessions reached their limit, remove those that expired before another is opened. Whether it tried. */
  async #madeRoom(
    requests: readonly CoordinationRequest[],
    { loaded }: Read,
    signal: AbortSignal,
  ): Promise<boolean> {
    const opening = requests.filter(({ op }) => op === "open-session").length;
    if (opening === 0 || loaded.counters.sessions + opening <= this.#limits.sessions) return false;
    const expired = (await this.#reads.sessions(signal)).filter((session) => !this.#leases.live(session));
    await this.#garbage.drop(expired, () => this.#reads.counters(signal), signal);
    return true;
  }

  /** C1: all calls of a group end within the time limit. */
  async #timed<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const deadline = setTimeout(() => ending.abort(), this.#settings.timeoutMs);
    try {
      return await work(ending.signal);
    } finally {
      clearTimeout(deadline);
    }
  }
}
