/**
 * The jobs of a node: functions of a module that its own configuration names, run in threads, shared with the nodes that have the same.
 *
 * NJ1. Nothing of a job is code: it names an exported function of the node's own module and brings plain data.
 * NJ2. A job goes only to a node whose module has the same bytes: the digest of the file is a feature that every job asks for.
 * NJ3. Waiting jobs are stolen by idle nodes and given away by overloaded ones (docs/spec/balance.md). What a dead node had runs again here.
 * NJ4. A job that is cancelled is stopped wherever it is: its thread ends, and another takes that thread's place.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { JobEnvelope, JobQueue, Tracer } from "@glia-os/abi/ports";
import { createThreadedEngine } from "@glia-os/host";
import { type Balancer, createEngineQueue, type Mesh } from "@glia-os/mesh-core";
import { BadOptionsError, NoJobsError } from "./errors.ts";
import { JobCancelledError } from "./jobs/errors.ts";
import type { JobRequest, JobsView } from "./node-views.ts";
import { tracedEngine } from "./otel/traced-engine.ts";

/** Which jobs a node runs. */
export interface JobSettings {
  /** Path of the module whose exported functions run jobs (`JobFunction` of `@glia-os/host`). It is trusted. */
  readonly module: string;
  /** Jobs at once: 1 to 32. Default: the processors of this process, at most 32. */
  readonly workers?: number;
}

const WORKERS_MAX = 32;
const PRIORITY_MAX = 1_000_000;
/** Hexadecimal digits of a module's digest in the feature that stands for it. */
const DIGEST_DIGITS = 32;

/** @throws {BadOptionsError} for settings that no node can start with. */
export function checkJobSettings({ module, workers }: JobSettings): void {
  if (typeof module !== "string" || module === "")
    throw new BadOptionsError("The module of jobs has no path");
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= WORKERS_MAX))
    throw new BadOptionsError(`${workers} is no number of jobs at once from 1 to ${WORKERS_MAX}`);
  featureOf(module);
}

/** What stands for a module among the features of a node (NJ2). @throws {BadOptionsError} for a file that cannot be read. */
export function featureOf(module: string): string {
  try {
    const digest = createHash("sha256").update(readFileSync(module)).digest("hex");
    return `jobs-${digest.slice(0, DIGEST_DIGITS)}`;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new BadOptionsError(`The module of jobs ${module} cannot be read: ${why}`);
  }
}

/** The jobs of one node, on its mesh thread. */
export class NodeJobs {
  readonly queue: JobQueue;
  readonly feature: string;
  readonly #engine: ReturnType<typeof createThreadedEngine>;
  #mesh: Mesh | undefined;

  constructor({ module, workers }: JobSettings, tracer?: Tracer) {
    this.feature = featureOf(module);
    const options = { module: pathToFileURL(module), ...(workers === undefined ? {} : { workers }) };
    this.#engine = createThreadedEngine(options);
    this.queue = createEngineQueue({
      engine: tracedEngine(this.#engine, tracer),
      slots: this.#engine.stats().workers,
    });
  }

  /** Takes jobs from now on. */
  bind(mesh: Mesh): void {
    this.#mesh = mesh;
  }

  /** Run a job on this node or another (NJ2, NJ3). @throws what the job threw, as data; the refusals of the balancer. */
  submit({ entry, payload, id, lineage = [], priority = 0, traceparent }: JobRequest): Promise<unknown> {
    if (this.#mesh === undefined) throw new NoJobsError();
    if (!Number.isInteger(priority) || Math.abs(priority) > PRIORITY_MAX)
      throw new BadOptionsError(`${priority} is no priority from -${PRIORITY_MAX} to ${PRIORITY_MAX}`);
    const trace = traceparent === undefined ? {} : { traceparent };
    const job = { id: id ?? randomUUID(), origin: this.#mesh.self, lineage, entry, payload, ...trace };
    return this.#balancer(this.#mesh).submit(job, { kind: "features", features: [this.feature] }, priority);
  }

  /** Stop a job that was submitted here, wherever it waits or runs (NJ4). */
  cancel(id: string): void {
    const mesh = this.#mesh;
    if (mesh === undefined) return;
    // Another node's job may have the same id: it follows from the key.
    const own = (job: JobEnvelope): boolean => job.id === id && job.origin === mesh.self;
    this.#balancer(mesh).cancel(own, new JobCancelledError(id));
  }

  /** What runs, waits and is elsewhere. */
  view(): JobsView {
    const { waiting, running, slots } = this.queue;
    const { finished, failed } = this.#engine.stats();
    if (this.#mesh === undefined) throw new NoJobsError();
    const { forwarded, stolen, lost, given, held } = this.#balancer(this.#mesh).stats();
    return { slots, waiting, running, finished, failed, forwarded, stolen, lost, given, held };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #balancer(mesh: Mesh): Balancer {
    return mesh.part("jobs");
  }
}
