/**
 * Jobs by JSON-RPC 2.0 over HTTP (docs/spec/job-protocol.md).
 *
 * JR1. Every answer is JSON-RPC, also to rubbish; HTTP says 200, or 204 where nothing is to be answered, and refuses only what is no JSON-RPC
 *      at all: another content type (415) or a body over the limit (413).
 * JR2. At most {@link BATCH_MAX} calls in a batch; they are performed in order.
 * JR3. An error carries the record of its cause as `data`, so that its code and what to do survive the wire.
 */
import type { IncomingMessage } from "node:http";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { HttpAnswer } from "./http-guard.ts";
import { checkJobId, checkWait } from "./jobs/check-submission.ts";
import { JobMalformedError } from "./jobs/errors.ts";
import { errorCodesOf, JSON_RPC } from "./jobs/job-error-codes.ts";
import type { JobProtocol } from "./jobs/job-protocol.ts";
import type { JobFilter, JobSubmission } from "./jobs/job-views.ts";

/** Calls in one batch (JR2). */
export const BATCH_MAX = 64;

type Params = Readonly<Record<string, unknown>>;
type Method = (jobs: JobProtocol, params: Params, trace: string | undefined) => Promise<unknown>;

const METHODS: Readonly<Record<string, Method>> = {
  "jobs.submit": (jobs, params, trace) =>
    jobs.submit({
      ...(trace === undefined ? {} : { traceparent: trace }),
      ...params,
    } as unknown as JobSubmission),
  "jobs.status": (jobs, { id }) => jobs.status(checkJobId(id)),
  "jobs.wait": (jobs, { id, timeoutMs }) => jobs.wait(checkJobId(id), checkWait(timeoutMs)),
  "jobs.list": (jobs, params) => jobs.list(params as JobFilter),
  "jobs.cancel": (jobs, { id }) => jobs.cancel(checkJobId(id)),
  "jobs.watch": (jobs, { id, after, timeoutMs }) =>
    nextChange(jobs, checkJobId(id), after, checkWait(timeoutMs)),
};

/** Answer one request. */
export async function answerJsonRpc(
  request: IncomingMessage,
  jobs: JobProtocol,
  bytesMax: number,
): Promise<HttpAnswer> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? ""))
    return { status: 415, body: "only application/json\n" };
  const text = await bodyOf(request, bytesMax);
  // The connection is of no use any more: what is left of the body would be taken for the next request.
  if (text === undefined)
    return { status: 413, body: `at most ${bytesMax} bytes\n`, headers: { connection: "close" } };
  const trace = request.headers["traceparent"];
  const answer = await answerText(text, jobs, typeof trace === "string" ? trace : undefined);
  if (answer === undefined) return { status: 204, body: "" };
  return { status: 200, body: `${JSON.stringify(answer)}\n`, type: "application/json" };
}

async function bodyOf(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function answerText(text: string, jobs: JobProtocol, trace: string | undefined): Promise<unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failure(null, JSON_RPC.parse, "this is no JSON");
  }
  if (!Array.isArray(value)) return answerCall(value, jobs, trace);
  if (value.length === 0 || value.length > BATCH_MAX)
    return failure(null, JSON_RPC.request, `a batch has 1 to ${BATCH_MAX} calls`);
  const answers: unknown[] = [];
  for (const call of value) {
    const answer = await answerCall(call, jobs, trace);
    if (answer !== undefined) answers.push(answer);
  }
  return answers.length === 0 ? undefined : answers;
}

/** The answer to one call; undefined for a notification. */
async function answerCall(call: unknown, jobs: JobProtocol, trace: string | undefined): Promise<unknown> {
  const {
    jsonrpc,
    id,
    method,
    params = {},
  } = (typeof call === "object" && call !== null ? call : {}) as Params;
  const isId = id === undefined || id === null || typeof id === "string" || typeof id === "number";
  if (jsonrpc !== "2.0" || typeof method !== "string" || !isId)
    return failure(null, JSON_RPC.request, "this is no call of JSON-RPC 2.0");
  const silent = id === undefined;
  const perform = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (perform === undefined)
    return silent ? undefined : failure(id, JSON_RPC.method, `there is ${Object.keys(METHODS).join(", ")}`);
  try {
    if (typeof params !== "object" || params === null || Array.isArray(params))
      throw new JobMalformedError("params", "an object");
    const result = await perform(jobs, params as Params, trace);
    return silent ? undefined : { jsonrpc: "2.0", id, result };
  } catch (error) {
    const record = toErrorRecord(error);
    return silent ? undefined : failure(id, errorCodesOf(error).jsonRpc, record.message, record);
  }
}

function failure(id: unknown, code: number, message: string, data?: unknown): object {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

/** The job once its version is above `after`, or as it stands when the time is over. */
async function nextChange(
  jobs: JobProtocol,
  id: string,
  after: unknown,
  timeoutMs: number,
): Promise<unknown> {
  if (!Number.isInteger(after) || (after as number) < 0) throw new JobMalformedError("after", "a version");
  const view = await jobs.status(id);
  return view.version > (after as number) ? view : jobs.wait(id, timeoutMs);
}
