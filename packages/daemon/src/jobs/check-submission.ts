/**
 * What is asked about jobs, checked before anything is kept of it.
 *
 * JC1. A submission is plain JSON data within its bounds, or refused naming the first field that is wrong.
 * JC2. The digest of a submission does not depend on the order of keys in its payload.
 */
import { createHash } from "node:crypto";
import { parseTraceparent } from "@glia-os/abi/wire";
import { JobMalformedError } from "./errors.ts";
import { JOB_STATES, type JobFilter, type JobSubmission } from "./job-views.ts";

/** Bytes of a payload or a result as JSON. */
export const JOB_JSON_BYTES = 1_048_576;
/** Longest deadline, in milliseconds. */
export const DEADLINE_MAX_MS = 604_800_000;
/** Most jobs in one list. */
export const LIST_MAX = 1000;
/** Longest time that one question waits for a change, in milliseconds. */
export const CHANGE_MAX_MS = 60_000;
const DEPTH_MAX = 64;
const PRIORITY_MAX = 1_000_000;
const LINEAGE_MAX = 64;

const ENTRY = /^[\w$.:/-]{1,128}$/;
const KEY = /^[\x20-\x7e]{1,128}$/;
const ID = /^[0-9a-f]{32}$/;

/** A checked submission, its payload as canonical JSON, and its digest (JC2). */
export interface CheckedSubmission {
  readonly submission: JobSubmission;
  readonly bytes: number;
  readonly digest: string;
}

/** @throws {JobMalformedError} (JC1) */
export function checkSubmission(value: unknown): CheckedSubmission {
  const given = fieldsOf(value, "submission");
  const { entry, key, priority, lineage, deadlineMs, traceparent } = given;
  check("entry", typeof entry === "string" && ENTRY.test(entry), "1 to 128 of A-Z a-z 0-9 _ $ . : / -");
  optional("key", key, (it) => typeof it === "string" && KEY.test(it), "1 to 128 printable ASCII characters");
  optional(
    "priority",
    priority,
    isWithin(-PRIORITY_MAX, PRIORITY_MAX),
    "a whole number within a million of 0",
  );
  optional("lineage", lineage, isLineage, `at most ${LINEAGE_MAX} texts of 1 to 128 characters`);
  optional("deadlineMs", deadlineMs, isWithin(1, DEADLINE_MAX_MS), `1 to ${DEADLINE_MAX_MS} milliseconds`);
  optional("traceparent", traceparent, isTraceparent, "a W3C traceparent");
  const json = canonicalJson(given["payload"] ?? null);
  const bytes = Buffer.byteLength(json);
  check("payload", bytes <= JOB_JSON_BYTES, `JSON of at most ${JOB_JSON_BYTES} bytes`);
  const digest = createHash("sha256").update(`${entry}\n${json}`).digest("hex");
  const submission = { ...given, payload: given["payload"] ?? null } as unknown as JobSubmission;
  return { submission, bytes, digest };
}

/** The id of a job: @throws {JobMalformedError} */
export function checkJobId(value: unknown): string {
  check("id", typeof value === "string" && ID.test(value), "32 hexadecimal digits");
  return value as string;
}

/** @throws {JobMalformedError} */
export function checkFilter(value: unknown): JobFilter {
  const { state, after, limit } = fieldsOf(value ?? {}, "filter");
  optional("state", state, (it) => JOB_STATES.some((each) => each === it), `one of ${JOB_STATES.join(", ")}`);
  optional("limit", limit, isWithin(1, LIST_MAX), `1 to ${LIST_MAX}`);
  if (after !== undefined) checkJobId(after);
  return value === undefined || value === null ? {} : (value as JobFilter);
}

/** @throws {JobMalformedError} */
export function checkWait(timeoutMs: unknown, field = "timeoutMs"): number {
  check(field, isWithin(0, CHANGE_MAX_MS)(timeoutMs), `0 to ${CHANGE_MAX_MS} milliseconds`);
  return timeoutMs as number;
}

/** The id that a key stands for. */
export function idOfKey(key: string): string {
  return createHash("sha256").update(`glia job key\n${key}`).digest("hex").slice(0, 32);
}

function check(field: string, holds: boolean, is: string): void {
  if (!holds) throw new JobMalformedError(field, is);
}

function optional(field: string, value: unknown, holds: (value: unknown) => boolean, is: string): void {
  if (value !== undefined) check(field, holds(value), is);
}

function fieldsOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  check(what, typeof value === "object" && value !== null && !Array.isArray(value), "an object");
  return value as Readonly<Record<string, unknown>>;
}

function isWithin(min: number, max: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isLineage(value: unknown): boolean {
  const isText = (each: unknown): boolean =>
    typeof each === "string" && each.length >= 1 && each.length <= 128;
  return Array.isArray(value) && value.length <= LINEAGE_MAX && value.every(isText);
}

function isTraceparent(value: unknown): boolean {
  return typeof value === "string" && parseTraceparent(value) !== undefined;
}

/** JSON with the keys of objects in order (JC2). @throws {JobMalformedError} for what is no JSON value */
export function canonicalJson(value: unknown, depth = 0): string {
  check("payload", depth <= DEPTH_MAX, `nested at most ${DEPTH_MAX} deep`);
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  check("payload", typeof value === "object" && isPlain(value as object), "plain JSON data");
  const record = value as Readonly<Record<string, unknown>>;
  const fields = Object.keys(record)
    .filter((key) => record[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(record[key], depth + 1)}`);
  return `{${fields.join(",")}}`;
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === null || proto === Object.prototype || Object.getPrototypeOf(proto) === null;
}
