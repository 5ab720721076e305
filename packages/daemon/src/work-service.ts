/**
 * Jobs and blobs of a node, on the mesh thread.
 *
 * WS1. A blob that is not here is asked of members that are alive, and verified by its name before it is kept.
 */
import type { Blobs } from "@glia-os/abi/ports";
import type { Mesh } from "@glia-os/mesh-core";
import { BadOptionsError, NoJobsError, PayloadTooLargeError } from "./errors.ts";
import type { NodeJobs } from "./node-jobs.ts";
import type { JobRequest } from "./node-views.ts";

/** Bytes of a blob that one call carries: what fits a line of the control socket. */
export const BLOB_BYTES_MAX: number = 15 * 1024 * 1024;

/** What it works with. */
export interface WorkServiceParts {
  readonly mesh: Mesh;
  readonly jobs: NodeJobs | undefined;
  readonly blobs: Blobs | undefined;
}

/** The operations. */
export class WorkService {
  readonly #parts: WorkServiceParts;

  constructor(parts: WorkServiceParts) {
    this.#parts = parts;
  }

  async submitJob(job: JobRequest): Promise<unknown> {
    const { jobs } = this.#parts;
    if (jobs === undefined) throw new NoJobsError();
    return jobs.submit(job);
  }

  async putBlob(bytes: Uint8Array): Promise<string> {
    if (bytes.length > BLOB_BYTES_MAX)
      throw new PayloadTooLargeError("The blob", bytes.length, BLOB_BYTES_MAX);
    return this.#blobs().put(bytes);
  }

  /** (WS1) */
  async getBlob(hash: string): Promise<Uint8Array> {
    this.#blobs();
    const { mesh } = this.#parts;
    const alive = mesh.members().filter(({ state, node }) => state === "alive" && node !== mesh.self);
    const sources = alive.map(({ node }) => node);
    return mesh.part("blobs").fetch(hash, sources, BLOB_BYTES_MAX);
  }

  #blobs(): Blobs {
    const { blobs } = this.#parts;
    if (blobs === undefined) throw new BadOptionsError("A client keeps no blobs");
    return blobs;
  }
}
