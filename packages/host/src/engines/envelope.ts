/** The shape of a job, checked before anything is kept of it. */
import type { JobEnvelope } from "@glia-os/abi/ports";
import { MalformedJobError } from "./errors.ts";

const TEXT_LIMIT = 128;
const LINEAGE_LIMIT = 64;
const ENTRY = /^[\w$.:/-]{1,128}$/;

/** What a job's function is given besides its payload. */
export interface JobContext {
  readonly id: string;
  readonly origin: string;
  readonly lineage: readonly string[];
  /**
   * Hand on a job of its own, which runs at some time on some worker; this one does not wait for it. It gets this job's origin and its
   * id at the end of the lineage. Returns its id. A job that is started again hands on again. What can only be refused elsewhere, such as an
   * entry that is not there, is heard of by the engine's `handedOn`.
   * @throws {JobNotSerialisableError} {JobOverError} {EngineFullError} {MalformedJobError}
   */
  handOn(entry: string, payload: unknown): string;
}

/** A function that runs jobs. */
export type JobFunction = (payload: never, context: JobContext) => unknown;

/** How a job ended that another one handed on. */
export interface HandedOn {
  readonly id: string;
  readonly origin: string;
  readonly lineage: readonly string[];
  readonly error: Error | undefined;
  readonly result: unknown;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length >= 1 && value.length <= TEXT_LIMIT;
}

/** Check everything but the entry. @throws {MalformedJobError} naming the first field that is wrong. */
export function checkNames(job: JobEnvelope): void {
  const text = `a text of 1 to ${TEXT_LIMIT} characters`;
  if (typeof job !== "object" || job === null) throw new MalformedJobError("envelope", "an object");
  if (!isText(job.id)) throw new MalformedJobError("id", text);
  if (!isText(job.origin)) throw new MalformedJobError("origin", text);
  if (!Array.isArray(job.lineage) || job.lineage.length > LINEAGE_LIMIT || !job.lineage.every(isText))
    throw new MalformedJobError("lineage", `at most ${LINEAGE_LIMIT} texts of 1 to ${TEXT_LIMIT} characters`);
}

/** @throws {MalformedJobError} */
export function checkEntry(entry: unknown): void {
  if (typeof entry !== "string" || !ENTRY.test(entry))
    throw new MalformedJobError("entry", "1 to 128 of the characters A-Z a-z 0-9 _ $ . : / -");
}

/** @throws {MalformedJobError} naming the first field that is wrong. */
export function checkEnvelope(job: JobEnvelope): void {
  checkNames(job);
  checkEntry(job.entry);
}
