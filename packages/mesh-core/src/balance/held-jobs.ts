/**
 * Jobs of others that run here (docs/spec/balance.md).
 *
 * HJ1. A job given twice under one ticket runs once.
 * HJ2. Its end is told to the giver until the giver took it, at most {@link TELL_MAX} times with growing pauses; until then the node
 *      says that it holds the job.
 * HJ3. At most {@link HELD_MAX} jobs of others.
 * HJ4. Only the giver of a job can have it stopped.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { JobEnvelope, Timers } from "@glia-os/abi/ports";
import { errorFields } from "../admission/error-record.ts";
import { encodeCbor } from "../codec/cbor.ts";
import type { CallOptions } from "../mesh-types.ts";
import { JobRefusedError, OverlayLimitError } from "../overlay-errors.ts";
import { doneBody, JOB_BYTES_MAX, JOB_METHODS, type JobCodec, type JobParcel } from "./messages.ts";

/** Jobs of others held at once. */
export const HELD_MAX = 1024;
/** Times the end of a job is told. */
export const TELL_MAX = 6;
const TELL_MS = 5000;
const PAUSE_MS = 500;

/** What holding takes. */
export interface HeldJobsOptions {
  readonly timers: Timers;
  readonly codec: JobCodec;
  readonly call: (
    node: NodeId,
    method: string,
    body: Uint8Array,
    options: CallOptions,
  ) => Promise<Uint8Array>;
  readonly submit: (job: JobEnvelope, parcel: JobParcel) => Promise<unknown>;
  /** Stop a job that was submitted. */
  readonly cancel: (job: JobEnvelope) => void;
}

/** The jobs of others. */
export class HeldJobs {
  readonly #o: HeldJobsOptions;
  /** By giver and ticket. */
  readonly #held = new Map<string, JobEnvelope>();
  #stopped = false;

  constructor(options: HeldJobsOptions) {
    this.#o = options;
  }

  /** Jobs held. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether a job of a giver is held (HJ2). */
  has(giver: NodeId, ticket: number): boolean {
    return this.#held.has(`${giver} ${ticket}`);
  }

  /** Take a job in and run it. @throws {OverlayLimitError} (HJ3). */
  take(giver: NodeId, parcel: JobParcel): void {
    const key = `${giver} ${parcel.ticket}`;
    if (this.#held.has(key)) return;
    if (this.#held.size >= HELD_MAX) throw new OverlayLimitError("jobs of other nodes", HELD_MAX);
    this.#held.set(key, parcel.job);
    this.#o.submit(parcel.job, parcel).then(
      (result) => this.#tell(giver, parcel, () => ({ ok: true, value: this.#encoded(parcel, result) })),
      (error: unknown) =>
        this.#tell(giver, parcel, () => ({ ok: false, value: encodeCbor(errorFields(error)) })),
    );
  }

  /** The giver wants a job stopped (HJ4). Whether it is held. */
  cancel(giver: NodeId, ticket: number): boolean {
    const job = this.#held.get(`${giver} ${ticket}`);
    if (job !== undefined) this.#o.cancel(job);
    return job !== undefined;
  }

  stop(): void {
    this.#stopped = true;
  }

  #encoded({ job }: JobParcel, result: unknown): Uint8Array {
    const value = this.#o.codec.encode(result);
    if (value.length > JOB_BYTES_MAX)
      throw new JobRefusedError(job.id, `its result has more than ${JOB_BYTES_MAX} bytes`);
    return value;
  }

  async #tell(
    giver: NodeId,
    parcel: JobParcel,
    end: () => { ok: boolean; value: Uint8Array },
  ): Promise<void> {
    let outcome: { ok: boolean; value: Uint8Array };
    try {
      outcome = end();
    } catch (error) {
      outcome = { ok: false, value: encodeCbor(errorFields(error)) };
    }
    const body = doneBody({ ticket: parcel.ticket, ...outcome });
    for (let round = 0; round < TELL_MAX && !this.#stopped; round++) {
      try {
        await this.#o.call(giver, JOB_METHODS.done, body, { timeoutMs: TELL_MS });
        break;
      } catch {
        await new Promise<void>((resolve) => this.#o.timers.schedule(PAUSE_MS * (1 << round), resolve));
      }
    }
    this.#held.delete(`${giver} ${parcel.ticket}`);
  }
}
