/**
 * Balancing jobs over the mesh (docs/spec/balance.md).
 *
 * BA1. A submitted job is settled exactly once; it keeps its origin and lineage wherever it runs.
 * BA2. An idle node takes jobs from the tail of a loaded one, nearest first; an overloaded node gives its tail away. Neither goes to a
 *      peer that is unhealthy, or that does not fit what the job asks for.
 * BA3. A job is handed on at most {@link JOB_HOPS_MAX} times.
 * BA4. A job that is cancelled is settled with the reason at once and stopped wherever it is: while a place for it is looked for, in the queue,
 *      where it runs, and along the nodes that handed it on.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  JobEnvelope,
  JobQueue,
  Meter,
  Random,
  TakenJob,
  TimerHandle,
  Timers,
} from "@glia-os/abi/ports";
import type { Caller, CallHandler, CallOptions } from "../mesh-types.ts";
import { JobRefusedError } from "../overlay-errors.ts";
import { rendezvous } from "../registry/rendezvous.ts";
import { BalancePeers } from "./balance-peers.ts";
import { type GivenJob, GivenJobs } from "./given-jobs.ts";
import { HeldJobs } from "./held-jobs.ts";
import { isIdle, isOverloaded, type Load, pressure } from "./load.ts";
import {
  giveBody,
  heldBody,
  JOB_HOPS_MAX,
  JOB_METHODS,
  type JobCodec,
  type JobParcel,
  JSON_CODEC,
  loadBody,
  lootBody,
  readDone,
  readGive,
  readHeld,
  readLoad,
  readLoot,
  readStatus,
  readSteal,
  STEAL_MAX,
  statusBody,
  stealBody,
} from "./messages.ts";

/** How often a node looks whether to steal or to give away, in milliseconds. */
export const BALANCE_MS = 1000;
/** Peers asked for their load in one round. */
export const ASKED_PER_ROUND = 4;
const CALL_MS = 3000;

/** Where a job should run. */
export type JobRoute =
  /** Here, unless it is stolen or given away later. */
  | { readonly kind: "local" }
  /** On the node that ranks first for a key (64 hexadecimal digits). */
  | { readonly kind: "hash"; readonly key: string }
  /** On the less loaded of this node and two others. */
  | { readonly kind: "load" }
  /** On a node that has all of these features: this one if it has, else the least loaded that has. */
  | { readonly kind: "features"; readonly features: readonly string[] };

/** What balancing works with. */
export interface BalancerOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly queue: JobQueue;
  /** Members thought alive that may run jobs, without this one. */
  readonly peers: () => readonly NodeId[];
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  /** Processor and memory of this machine, if they can be measured. */
  readonly machine?: () => Pick<Load, "cpu" | "memoryFree">;
  readonly features?: readonly string[];
  readonly codec?: JobCodec;
  /** Whether a job of this caller may run here. Members' jobs may by default. */
  readonly accepts?: (caller: Caller, job: JobEnvelope) => boolean;
  readonly meter?: Meter | undefined;
}

/** Counts since the start. */
export interface BalancerStats {
  readonly forwarded: number;
  readonly stolen: number;
  readonly lost: number;
  readonly given: number;
  readonly held: number;
  /** Jobs of others run here, by the node that asked first. At most 64. */
  readonly origins: Readonly<Record<string, number>>;
}

interface Needs {
  readonly hops: number;
  readonly features: readonly string[];
}

/** The balancer of one node. */
export class Balancer {
  readonly #o: BalancerOptions;
  readonly #peers: BalancePeers;
  readonly #codec: JobCodec;
  readonly #given: GivenJobs;
  readonly #held: HeldJobs;
  readonly #needs = new WeakMap<JobEnvelope, Needs>();
  readonly #origins = new Map<string, number>();
  /** Jobs that a place is looked for; with a reason once they are cancelled (BA4). */
  readonly #placing = new Map<JobEnvelope, Error | undefined>();
  readonly #stats = { forwarded: 0, stolen: 0, lost: 0 };
  #timer: TimerHandle | undefined;
  #busy = false;
  #stopped = false;

  constructor(options: BalancerOptions) {
    this.#o = options;
    this.#codec = options.codec ?? JSON_CODEC;
    this.#peers = new BalancePeers(options.clock, options.peers);
    this.#given = new GivenJobs({
      timers: options.timers,
      codec: this.#codec,
      holds: async (node, ticket) => readHeld(await this.#ask(node, JOB_METHODS.status, statusBody(ticket))),
      stop: async (node, ticket) => readHeld(await this.#ask(node, JOB_METHODS.cancel, statusBody(ticket))),
      back: (given) => this.#back(given),
    });
    this.#held = new HeldJobs({
      timers: options.timers,
      codec: this.#codec,
      call: options.call,
      submit: (job, parcel) => this.#runFor(job, parcel),
      cancel: (job) =>
        void this.cancel(
          (other) => other === job,
          new JobRefusedError(job.id, "the node that gave it cancelled it"),
        ),
    });
  }

  /** The methods to answer. */
  methods(): [string, CallHandler][] {
    return [
      [JOB_METHODS.give, async (caller, body) => this.#take(caller, readGive(body, this.#codec))],
      [JOB_METHODS.steal, async (caller, body) => this.#loot(caller, body)],
      [JOB_METHODS.done, async ({ node }, body) => this.#done(node, body)],
      [JOB_METHODS.status, async ({ node }, body) => heldBody(this.#held.has(node, readStatus(body)))],
      [JOB_METHODS.cancel, async ({ node }, body) => heldBody(this.#held.cancel(node, readStatus(body)))],
      [JOB_METHODS.load, async () => loadBody(this.load())],
    ];
  }

  /** Begin to steal and to give away. */
  start(): void {
    const tick = (): void => {
      if (this.#stopped) return;
      const jitterMs = (this.#o.random.uint32() % 1024) / 4;
      this.#timer = this.#o.timers.schedule(BALANCE_MS + jitterMs, tick);
      void this.balance();
    };
    this.#timer = this.#o.timers.schedule((BALANCE_MS * (this.#o.random.uint32() % 1024)) / 1024, tick);
  }

  /** End: jobs on other nodes end with `overlay.job-unknown`. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#given.stop();
    this.#held.stop();
  }

  /** What this node says about itself. */
  load(): Load {
    const { queue, machine, features = [] } = this.#o;
    const { waiting, running, slots } = queue;
    const { cpu, memoryFree } = machine?.() ?? { cpu: undefined, memoryFree: undefined };
    return { waiting, running, slots, cpu, memoryFree, features };
  }

  /** Counts for people and meters. */
  stats(): BalancerStats {
    const origins = Object.fromEntries(this.#origins);
    return { ...this.#stats, given: this.#given.size, held: this.#held.size, origins };
  }

  /** A member is gone: what it had comes back. */
  gone(node: NodeId): void {
    this.#peers.gone(node);
    this.#given.gone(node);
  }

  /** Run a job somewhere. @throws what the job threw, as data when it ran elsewhere; {JobRefusedError}, {JobUnknownError}. */
  async submit(job: JobEnvelope, route: JobRoute = { kind: "local" }, priority = 0): Promise<unknown> {
    const features = route.kind === "features" ? route.features : [];
    this.#needs.set(job, { hops: 0, features });
    const node = await this.#place(job, route);
    if (node === undefined) throw new JobRefusedError(job.id, `nobody has ${features.join(", ")}`);
    if (node === this.#o.self) return this.#o.queue.submit(job, priority);
    return new Promise((resolve, reject) => {
      const taken: TakenJob = { job, priority, resolve, reject };
      void this.#give(node, taken).then((given) => {
        // Refused there: here, unless it cannot run here.
        if (given) return;
        if (this.#has(features)) this.#resubmit(taken);
        else reject(new JobRefusedError(job.id, "the node that fits it refused it"));
      });
    });
  }

  /**
   * Stop the jobs of this node for which `fits` holds, wherever they are, those that it holds for others included (BA4). Each is settled with
   * `why`. How many there were. O(jobs of this node).
   */
  cancel(fits: (job: JobEnvelope) => boolean, why: Error): number {
    const placing = [...this.#placing.keys()].filter(fits);
    for (const job of placing) this.#placing.set(job, why);
    return placing.length + this.#o.queue.cancel(fits, why) + this.#given.cancel(fits, why);
  }

  /** One round: steal when idle, give away when overloaded (BA2). */
  async balance(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    try {
      const load = this.load();
      if (isIdle(load)) await this.#steal(load);
      else if (isOverloaded(load) && load.waiting > 0) await this.#giveAway(load);
    } finally {
      this.#busy = false;
    }
  }

  /** Where a job goes; it can be cancelled meanwhile (BA4). */
  async #place(job: JobEnvelope, route: JobRoute): Promise<NodeId | undefined> {
    this.#placing.set(job, undefined);
    try {
      const node = await this.#choose(route);
      const why = this.#placing.get(job);
      if (why !== undefined) throw why;
      return node;
    } finally {
      this.#placing.delete(job);
    }
  }

  async #choose(route: JobRoute): Promise<NodeId | undefined> {
    const { self, random } = this.#o;
    const healthy = this.#peers.healthy();
    if (route.kind === "local") return self;
    if (route.kind === "hash") return rendezvous(route.key, [self, ...healthy], 1)[0];
    if (route.kind === "load") {
      // The less loaded of two random choices is nearly as good as the least loaded of all (Mitzenmacher, 2001).
      const two = [0, 1].flatMap(() => healthy[random.uint32() % Math.max(1, healthy.length)] ?? []);
      return this.#leastLoaded([self, ...(await this.#loaded(two))]);
    }
    if (this.#has(route.features) && !isOverloaded(this.load())) return self;
    const able = (await this.#loaded(healthy)).filter((node) =>
      hasAll(this.#peers.load(node)?.features, route.features),
    );
    return this.#leastLoaded(this.#has(route.features) ? [self, ...able] : able);
  }

  #leastLoaded(nodes: readonly NodeId[]): NodeId | undefined {
    const of = (node: NodeId): number => {
      const load = node === this.#o.self ? this.load() : this.#peers.load(node);
      return load === undefined ? Number.POSITIVE_INFINITY : pressure(load) + (isOverloaded(load) ? 1e6 : 0);
    };
    let best: NodeId | undefined;
    for (const node of nodes) if (best === undefined || of(node) < of(best)) best = node;
    return best;
  }

  /** Those of `nodes` whose load is known, after asking. */
  async #loaded(nodes: readonly NodeId[]): Promise<NodeId[]> {
    const known = nodes.map(
      async (node) => (this.#peers.load(node) ?? (await this.#askLoad(node))) !== undefined,
    );
    const answers = await Promise.all(known);
    return nodes.filter((_, at) => answers[at]);
  }

  async #askLoad(node: NodeId): Promise<Load | undefined> {
    try {
      const startMs = this.#o.clock.monotonicMs();
      const load = readLoad(await this.#ask(node, JOB_METHODS.load, loadBody(this.load())));
      this.#peers.answered(node, this.#o.clock.monotonicMs() - startMs, load);
      return load;
    } catch {
      return undefined;
    }
  }

  async #steal(load: Load): Promise<void> {
    for (const node of await this.#someLoaded()) {
      const theirs = this.#peers.load(node);
      if (theirs === undefined || theirs.waiting === 0) continue;
      // Half of what waits there, but no more than what runs at once here and one round of waiting: more would only wait elsewhere.
      const count = Math.min(STEAL_MAX, Math.ceil(theirs.waiting / 2), 2 * load.slots - load.running);
      if (count < 1) return;
      try {
        const body = stealBody(count, this.#o.features ?? []);
        const parcels = readLoot(await this.#ask(node, JOB_METHODS.steal, body), this.#codec);
        for (const parcel of parcels) this.#held.take(node, parcel);
        this.#stats.stolen += parcels.length;
        this.#o.meter?.count("mayfly_jobs_stolen_total", parcels.length);
        if (parcels.length > 0) return;
      } catch {
        // What the victim gave and did not arrive it takes back: this node denies having it.
      }
    }
  }

  async #giveAway(load: Load): Promise<void> {
    const able = (await this.#someLoaded()).filter((node) => {
      const theirs = this.#peers.load(node);
      return theirs !== undefined && !isOverloaded(theirs) && pressure(theirs) < pressure(load) / 2;
    });
    for (const node of able) {
      const theirs = this.#peers.load(node);
      const fits = (job: JobEnvelope): boolean => this.#mayGo(job, theirs?.features ?? []);
      const count = Math.min(STEAL_MAX, Math.ceil(this.#o.queue.waiting / 4));
      const tail = this.#o.queue.takeTail(count, fits);
      await Promise.all(
        tail.map(async (taken) => {
          if (!(await this.#give(node, taken))) this.#resubmit(taken);
        }),
      );
      if (!isOverloaded(this.load())) return;
    }
  }

  /** A few healthy peers whose load is known, nearest first. */
  async #someLoaded(): Promise<NodeId[]> {
    const healthy = this.#peers.healthy();
    const near = healthy.slice(0, ASKED_PER_ROUND - 1);
    // One more at random, so that far ones are met too.
    const far = healthy[this.#o.random.uint32() % Math.max(1, healthy.length)];
    if (far !== undefined && !near.includes(far)) near.push(far);
    return this.#loaded(near);
  }

  /** Give a job to a node. False when it was refused; when nobody knows, it counts as given. */
  async #give(node: NodeId, taken: TakenJob): Promise<boolean> {
    const parcel = this.#parcel(taken);
    const arrives = this.#offer(node, parcel);
    this.#given.put(node, parcel, taken, arrives);
    try {
      await arrives;
    } catch (error) {
      // One that was cancelled meanwhile is not to run here instead.
      return isSilence(error) || !this.#given.refused(parcel.ticket);
    }
    this.#stats.forwarded++;
    this.#o.meter?.count("mayfly_jobs_forwarded_total");
    return true;
  }

  async #offer(node: NodeId, parcel: JobParcel): Promise<void> {
    await this.#ask(node, JOB_METHODS.give, giveBody(parcel, this.#codec));
  }

  #parcel({ job, priority }: TakenJob): JobParcel {
    const { hops, features } = this.#needs.get(job) ?? { hops: 0, features: [] };
    return { ticket: this.#given.ticket(), hops: hops + 1, priority, features, job };
  }

  #take(caller: Caller, parcel: JobParcel): Uint8Array {
    const { job, features } = parcel;
    if (this.#stopped) throw new JobRefusedError(job.id, "the node stops");
    if (!(this.#o.accepts?.(caller, job) ?? caller.role !== "client"))
      throw new JobRefusedError(job.id, "jobs of this caller do not run here");
    if (!this.#has(features))
      throw new JobRefusedError(job.id, `this node lacks one of ${features.join(", ")}`);
    if (isOverloaded(this.load())) throw new JobRefusedError(job.id, "this node has too much to do");
    this.#held.take(caller.node, parcel);
    return loadBody(this.load());
  }

  #runFor(job: JobEnvelope, { hops, features, priority }: JobParcel): Promise<unknown> {
    this.#needs.set(job, { hops, features });
    const origin = this.#origins.has(job.origin) || this.#origins.size < 63 ? job.origin : "other";
    this.#origins.set(origin, (this.#origins.get(origin) ?? 0) + 1);
    this.#o.meter?.gauge("mayfly_job_origin", this.#origins.get(origin) ?? 0, { node_id: origin });
    return this.#o.queue.submit(job, priority);
  }

  #loot(caller: Caller, body: Uint8Array): Uint8Array {
    const { count, features } = readSteal(body);
    if (caller.role === "client") throw new JobRefusedError("*", "a client takes no jobs");
    const tail = this.#o.queue.takeTail(count, (job) => this.#mayGo(job, features));
    const parcels = tail.map((taken) => {
      const parcel = this.#parcel(taken);
      this.#given.put(caller.node, parcel, taken);
      return parcel;
    });
    this.#stats.lost += parcels.length;
    return lootBody(parcels, this.#codec);
  }

  #done(node: NodeId, body: Uint8Array): Uint8Array {
    this.#given.done(node, readDone(body));
    return new Uint8Array(0);
  }

  #back({ taken, parcel }: GivenJob): void {
    if (this.#has(parcel.features)) this.#resubmit(taken);
    else taken.reject(new JobRefusedError(parcel.job.id, "the node that fits it is gone"));
  }

  #resubmit({ job, priority, resolve, reject }: TakenJob): void {
    this.#o.queue.submit(job, priority).then(resolve, reject);
  }

  #mayGo(job: JobEnvelope, features: readonly string[]): boolean {
    const needs = this.#needs.get(job);
    return needs === undefined || (needs.hops < JOB_HOPS_MAX && hasAll(features, needs.features));
  }

  #has(features: readonly string[]): boolean {
    return hasAll(this.#o.features ?? [], features);
  }

  async #ask(node: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#o.call(node, method, body, { timeoutMs: CALL_MS });
    } catch (error) {
      // An answer that refuses is an answer.
      if (isSilence(error)) this.#peers.failed(node);
      throw error;
    }
  }
}

/** Whether a call ended without a word of the peer: then it may have happened. */
function isSilence(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "mesh.call-timeout" || code === "mesh.peer-unreachable" || code === "mesh.stopped";
}

function hasAll(features: readonly string[] | undefined, wanted: readonly string[]): boolean {
  return wanted.every((feature) => features?.includes(feature) === true);
}
