/**
 * What tasks ask services for, checked before anything starts.
 *
 * RQ1. A request that arrives at a service has the shape of its type and stays within the limits below; it is a copy or frozen where the
 *      caller could change it later. What tools and models are asked is theirs to check.
 */
import type { FileOperation, HttpRequest } from "@glia-os/abi/ports";
import { BadOptionError } from "../errors.ts";
import { whole } from "../mailbox.ts";
import { APPROVE, FETCH, FILE } from "../opcodes.ts";

/** Longest address of an HTTP request, in UTF-16 units. */
export const URL_LIMIT = 8192;
/** Most headers of an HTTP request, and most units of their names and values together. */
export const HEADERS_LIMIT = 256;
const HEADER_UNITS = 65_536;
/** Longest path of a file operation, in UTF-16 units. */
export const PATH_LIMIT = 4096;
/** What a file operation reads unless it says so, and the most it may ask for, in bytes. */
export const READ_BYTES = 16_777_216;
export const READ_BYTES_MOST = 268_435_456;
/** Longest question to a person, in UTF-16 units. */
export const QUESTION_LIMIT = 10_000;

/** Longest arguments of a question, as JSON, in UTF-16 units. */
export const ARGS_LIMIT = 65_536;

/** What a person is asked, and what about: the answer holds for these arguments only. */
export interface ApprovalQuestion {
  /** 1 to 10,000 characters. */
  readonly question: string;
  /** Plain data, at most 65,536 characters as JSON. */
  readonly args?: unknown;
}

/** A question as its service gets it: the arguments as JSON with ordered keys, null for none. */
export interface ShownQuestion {
  readonly question: string;
  readonly args: string | null;
}

/** An HTTP exchange as a task asks for it. */
export interface FetchRequest extends Partial<HttpRequest> {
  /** The whole address. */
  readonly url: string;
}

/** A file operation as a task asks for it: `limitBytes` may be left out. */
export type FileRequest =
  | { readonly operation: "read"; readonly path: string; readonly limitBytes?: number }
  | Exclude<FileOperation, { readonly operation: "read" }>;

// RFC 9110 section 5.6.2: the characters of methods and names of headers.
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
// RFC 9110 section 5.5: a value of a header has no control characters but the tab.
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The request of a syscall as its service gets it. @throws {BadOptionError} */
export function checkedRequest(op: number, request: unknown): unknown {
  if (op === FETCH) return fetchRequest(request);
  if (op === FILE) return fileOperation(request);
  if (op === APPROVE) return approvalQuestion(request);
  return request;
}

function approvalQuestion(request: unknown): string | ShownQuestion {
  if (typeof request === "string") return text("question", request, QUESTION_LIMIT);
  const { question, args } = record("request", request);
  const shown = args === undefined ? null : jsonText(args);
  return Object.freeze({ question: text("question", question, QUESTION_LIMIT), args: shown });
}

/** JSON whose objects have their keys in order, so that the same arguments are the same text. */
function jsonText(args: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(args, (_key, value: unknown) => ordered(value));
  } catch (error) {
    throw new BadOptionError("args", (error as Error).message, "plain data");
  }
  if (json === undefined) throw new BadOptionError("args", typeof args, "plain data");
  if (json.length <= ARGS_LIMIT) return json;
  throw new BadOptionError("args", `${json.length} characters of JSON`, `at most ${ARGS_LIMIT}`);
}

function ordered(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fetchRequest(request: unknown): HttpRequest {
  const { url, method = "GET", headers = {}, body } = record("request", request);
  if (typeof method !== "string" || !TOKEN.test(method))
    throw new BadOptionError("method", show(method), "a method of HTTP, such as GET");
  if (body !== undefined && !(body instanceof Uint8Array))
    throw new BadOptionError("body", show(body), "a Uint8Array");
  const copied = body === undefined ? {} : { body: body.slice() };
  return Object.freeze({
    method,
    url: text("url", url, URL_LIMIT),
    headers: fetchHeaders(headers),
    ...copied,
  });
}

function fetchHeaders(headers: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(record("headers", headers));
  if (entries.length > HEADERS_LIMIT)
    throw new BadOptionError("headers", entries.length, `at most ${HEADERS_LIMIT}`);
  let units = 0;
  for (const [name, value] of entries) {
    if (!TOKEN.test(name))
      throw new BadOptionError("the name of a header", show(name), "letters, digits and -");
    if (typeof value !== "string" || !FIELD.test(value))
      throw new BadOptionError(`the header ${name}`, show(value), "text without line ends");
    units += name.length + value.length;
  }
  if (units > HEADER_UNITS)
    throw new BadOptionError("headers", units, `at most ${HEADER_UNITS} characters together`);
  return Object.freeze(Object.fromEntries(entries) as Record<string, string>);
}

function fileOperation(operation: unknown): FileOperation {
  const { operation: what, path, limitBytes = READ_BYTES, content } = record("operation", operation);
  const named = { path: text("path", path, PATH_LIMIT) };
  if (what === "list") return { operation: "list", ...named };
  if (what === "read") {
    const limit = limitBytes as number;
    whole("limitBytes", limit, 0, READ_BYTES_MOST);
    return { operation: "read", ...named, limitBytes: limit };
  }
  if (what !== "write") throw new BadOptionError("operation", show(what), "read, write or list");
  if (!(content instanceof Uint8Array)) throw new BadOptionError("content", show(content), "a Uint8Array");
  return { operation: "write", ...named, content: content.slice() };
}

/** Whether a file operation needs the right to write, whatever else is wrong with it. */
export function writes(operation: unknown): boolean {
  return (operation as { operation?: unknown } | null | undefined)?.operation === "write";
}

function record(what: string, value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new BadOptionError(what, show(value), "an object");
}

function text(what: string, value: unknown, most: number): string {
  if (typeof value === "string" && value.length > 0 && value.length <= most) return value;
  const shown = typeof value === "string" ? `${value.length} characters` : show(value);
  throw new BadOptionError(what, shown, `text of 1 to ${most} characters`);
}

function show(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 40))
    : value === null
      ? "null"
      : typeof value;
}
