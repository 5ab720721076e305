/**
 * `fetch` by the capability that the host gave this agent under the name `http` (module `glia.sys.v1`, docs/spec/host-abi.md).
 *
 * FE1. A request is made when the agent has nothing else to run. Requests are made one after the other in the order they were asked for,
 *      and while one is under way the agent stands still: timers and messages wait.
 * FE2. An agent that moves meanwhile takes the request along as data; it is made at the destination and its promise is settled once.
 * FE3. Without the capability, and for whatever else the host refuses, the promise is rejected with a {@link GuestError}; the agent goes on.
 */
import { GuestError, refusal } from "./errors.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { host } from "./host.ts";
import { Response } from "./response.ts";
import { doWhenIdle } from "./schedule.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-encoding.ts";

/** How to ask. */
export interface RequestInit {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: string | Uint8Array | ArrayBuffer | null;
}

interface Asked {
  readonly url: string;
  readonly head: string;
  readonly body: ArrayBufferLike;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
}

/** Most requests that wait to be made. */
export const REQUESTS_MAX = 256;
const CAPABILITY = "http";
const E_GONE = -6;
const E_FAILED = -10;
const LENGTH_BYTES = 4;
/** Room for what the host says of a failure. */
const FAILURE_BYTES = 8192;

const asked: Asked[] = [];

/** Ask for a URL. Resolves for every status; see FE3 for what rejects. */
export function fetch(url: string | { toString(): string }, init: RequestInit = {}): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (asked.length >= REQUESTS_MAX)
      throw new GuestError("refused", `${REQUESTS_MAX} requests wait already`, "E_LIMIT");
    doWhenIdle(askNext);
    const { method = "GET", headers = {}, body } = init;
    const head = {
      url: String(url),
      method: method.toUpperCase(),
      headers: Object.fromEntries(new Headers(headers)),
    };
    asked.push({ url: head.url, head: JSON.stringify(head), body: bytesOf(body ?? ""), resolve, reject });
  });
}

/** Copied: what the caller does with its array afterwards is not sent. */
function bytesOf(body: string | Uint8Array | ArrayBuffer): ArrayBufferLike {
  if (typeof body === "string") return new Utf8Encoder().encode(body).buffer;
  return body instanceof Uint8Array ? body.slice().buffer : body.slice(0);
}

function askNext(): boolean {
  const next = asked.shift();
  if (next === undefined) return false;
  try {
    next.resolve(responseTo(next));
  } catch (error) {
    next.reject(error);
  }
  return true;
}

/** The agent stands still here until the answer is there (FE1). */
function responseTo({ url, head, body }: Asked): Response {
  const length = host.a(CAPABILITY, head, body);
  if (length === E_FAILED) throw failure(url);
  if (length === E_GONE)
    throw new GuestError(
      "refused",
      `this agent holds no capability ${CAPABILITY} of glia.sys.v1, or not any more`,
      "E_GONE",
    );
  if (length < 0) throw refusal(`fetch ${url}`, length);
  const bytes = host.g(length);
  if (typeof bytes === "number") throw refusal("hand over the response", bytes);
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const { status, headers } = parsed<{ status: number; headers: Record<string, string> }>(
    bytes.subarray(LENGTH_BYTES, end),
  );
  return new Response(bytes.slice(end), { status, headers }, url);
}

/** What the host says of a request that failed. */
function failure(url: string): GuestError {
  const bytes = host.g(FAILURE_BYTES);
  if (typeof bytes === "number") return refusal(`fetch ${url}`, E_FAILED);
  const { code, message } = parsed<{ code: string; message: string }>(bytes);
  return new GuestError("failed", message, code);
}

function parsed<T>(bytes: Uint8Array): T {
  return JSON.parse(new Utf8Decoder().decode(bytes)) as T;
}
