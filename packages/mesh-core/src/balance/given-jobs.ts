/**
 * Jobs of this node that run on others (docs/spec/balance.md).
 *
 * GJ1. A given job is settled exactly once, by what its node says, or it comes back.
 * GJ2. It comes back when its node is gone, or twice said that it does not hold it; then it may have run, and runs again, at most
 *      {@link ATTEMPTS_MAX} times in all. After that it ends with `overlay.job-unknown`.
 * GJ3. Only the node that has a job can settle it.
 * GJ4. A given job that is cancelled is settled here at once; its node is asked to stop it until it says that it did, at most
 *      {@link STOP_MAX} times with growing pauses, or twice that it has no such job.
 */
import { RemoteError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { JobEnvelope, TakenJob, TimerHandle, Timers } from "@glia-os/abi/ports";
import { errorRecordOf } from "../admission/error-record.ts";
import { decodeCbor } from "../codec/cbor.ts";
import { JobUnknownError } from "../overlay-errors.ts";
import type { JobCodec, JobDone, JobParcel } from "./messages.ts";

/** Times a job is started, on any node. */
export const ATTEMPTS_MAX = 3;
/** How often the node of a job is asked whether it has it, in milliseconds. */
export const POLL_MS = 5000;
/** Times a node is asked to stop a job. */
export const STOP_MAX = 6;
const STOP_PAUSE_MS = 500;
const DENIALS_MAX = 2;

/** A job on another node. */
export interface GivenJob {
  readonly node: NodeId;
  readonly parcel: JobParcel;
  readonly taken: TakenJob;
  /** Settles when its node has answered the giving, or has not; nothing for one that goes with an answer of this node. */
  readonly arrives: Promise<unknown> | undefined;
  denials: number;
}

/** What giving takes. */
export interface GivenJobsOptions {
  readonly timers: Timers;
  readonly codec: JobCodec;
  /** Whether a node holds the job of a ticket; rejects when it cannot be asked. */
  readonly holds: (node: NodeId, ticket: number) => Promise<boolean>;
  /** Ask a node to stop the job of a ticket. Whether it had it; rejects when it cannot be asked. */
  readonly stop: (node: NodeId, ticket: number) => Promise<boolean>;
  /** Run a job here after all. */
  readonly back: (given: GivenJob) => void;
}

/** The given jobs. */
export class GivenJobs {
  readonly #o: GivenJobsOptions;
  readonly #given = new Map<number, GivenJob>();
  readonly #attempts = new Map<string, number>();
  #timer: TimerHandle | undefined;
  #next = 1;
  #stopped = false;

  constructor(options: GivenJobsOptions) {
    this.#o = options;
  }

  /** Jobs on other nodes. */
  get size(): number {
    return this.#given.size;
  }

  /** A ticket for the next job. */
  ticket(): number {
    return this.#next++;
  }

  /** A job is with a node from now on, whether or not the node said so yet. */
  put(node: NodeId, parcel: JobParcel, taken: TakenJob, arrives?: Promise<unknown>): void {
    this.#given.set(parcel.ticket, { node, parcel, taken, arrives, denials: 0 });
    this.#timer ??= this.#o.timers.schedule(POLL_MS, () => this.#poll());
  }

  /** The node refused it: it was never there. False when nobody waits for it any more. */
  refused(ticket: number): boolean {
    return this.#given.delete(ticket);
  }

  /** Cancel the jobs that are elsewhere and for which `fits` holds (GJ4). How many there were. */
  cancel(fits: (job: JobEnvelope) => boolean, why: Error): number {
    const found = [...this.#given.values()].filter(({ taken }) => fits(taken.job));
    for (const given of found) {
      const { parcel, taken } = given;
      this.#given.delete(parcel.ticket);
      this.#attempts.delete(parcel.job.id);
      taken.reject(why);
      void this.#stop(given);
    }
    return found.length;
  }

  /** A node says how a job ended (GJ3). */
  done(node: NodeId, { ticket, ok, value }: JobDone): void {
    const given = this.#given.get(ticket);
    if (given === undefined || given.node !== node) return;
    this.#given.delete(ticket);
    this.#attempts.delete(given.parcel.job.id);
    try {
      if (ok) given.taken.resolve(this.#o.codec.decode(value));
      else given.taken.reject(new RemoteError(errorRecordOf(decodeCbor(value, "a job's error"))));
    } catch (error) {
      given.taken.reject(error);
    }
  }

  /** A node is gone: its jobs come back (GJ2). */
  gone(node: NodeId): void {
    for (const given of [...this.#given.values()]) if (given.node === node) this.#return(given);
  }

  /** End: what is elsewhere ends unknown. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const { taken, parcel, node } of this.#given.values())
      taken.reject(new JobUnknownError(parcel.job.id, node, undefined));
    this.#given.clear();
  }

  /** (GJ4) One that goes with an answer may be denied because it is on its way. */
  async #stop({ node, parcel: { ticket }, arrives }: GivenJob): Promise<void> {
    await arrives?.catch(() => undefined);
    let denials = 0;
    for (let round = 0; round < STOP_MAX && denials < DENIALS_MAX && !this.#stopped; round++) {
      try {
        if (await this.#o.stop(node, ticket)) return;
        denials++;
      } catch {
        // It did not answer: it is asked again.
      }
      await new Promise<void>((resolve) => this.#o.timers.schedule(STOP_PAUSE_MS * (1 << round), resolve));
    }
  }

  #return(given: GivenJob): void {
    const { parcel, taken, node } = given;
    this.#given.delete(parcel.ticket);
    const attempts = (this.#attempts.get(parcel.job.id) ?? 0) + 1;
    if (attempts >= ATTEMPTS_MAX) {
      this.#attempts.delete(parcel.job.id);
      taken.reject(new JobUnknownError(parcel.job.id, node, undefined));
      return;
    }
    this.#attempts.set(parcel.job.id, attempts);
    this.#o.back(given);
  }

  #poll(): void {
    this.#timer = undefined;
    for (const given of [...this.#given.values()]) void this.#check(given);
    if (this.#given.size > 0) this.#timer = this.#o.timers.schedule(POLL_MS, () => this.#poll());
  }

  async #check(given: GivenJob): Promise<void> {
    const { node, parcel } = given;
    try {
      given.denials = (await this.#o.holds(node, parcel.ticket)) ? 0 : given.denials + 1;
    } catch {
      // Membership says when the node is gone.
      return;
    }
    if (given.denials >= DENIALS_MAX && this.#given.get(parcel.ticket) === given) this.#return(given);
  }
}
