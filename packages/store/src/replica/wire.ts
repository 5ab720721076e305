/**
 * What members of a replicated journal say, as bytes (docs/spec/journal-replica.md, "As bytes"): lists of deterministic CBOR.
 *
 * RW1. What is read is exactly what was written, or it is refused with `abi.malformed`: every field has its type, none is left over.
 * RW2. A reply is read as the answer to its request: a reply of another form is refused.
 */
import { type ErrorRecord, MalformedError } from "@glia-os/abi/errors";
import { decode, encode } from "cborg";
import type { JournalReply, JournalRequest } from "../journal/request.ts";
import type { Answer } from "../serve.ts";
import type { MemberState, ReplicaReply, ReplicaRequest } from "./protocol.ts";

type Field = "text" | "whole" | "bytes";
type Form = Readonly<Record<string, Field>>;

const BATCH: Form = { domain: "text", epoch: "whole", firstSeq: "whole", count: "whole", body: "bytes" };
const HEAD: Form = { domain: "text", epoch: "whole", firstSeq: "whole", nextSeq: "whole", bytes: "whole" };
const SEGMENT: Form = {
  domain: "text",
  epoch: "whole",
  firstSeq: "whole",
  lastSeq: "whole",
  bytes: "whole",
  hash: "text",
};
const STATE: Form = { promised: "whole", term: "whole", index: "whole", copying: "whole" };

/** The fields of each request, in the order they are written. */
const ASKED: Readonly<Record<JournalRequest["op"], Form>> = {
  append: BATCH,
  read: { domain: "text", fromSeq: "whole", most: "whole" },
  head: { domain: "text" },
  domains: { after: "text", limit: "whole" },
  seal: { domain: "text" },
  segments: { domain: "text" },
  readSegment: { domain: "text", firstSeq: "whole" },
  acceptSegment: { segment: "bytes" },
  truncate: { domain: "text", beforeSeq: "whole" },
  remove: { domain: "text" },
};

/** The form of each reply: rows, a row, a row or nothing, a plain value, or nothing. */
const REPLIES: Readonly<Record<JournalRequest["op"], Reply>> = {
  append: { kind: "nothing" },
  read: { kind: "rows", form: BATCH },
  head: { kind: "perhaps", form: HEAD },
  domains: { kind: "rows", form: HEAD },
  seal: { kind: "perhaps", form: SEGMENT },
  segments: { kind: "rows", form: SEGMENT },
  readSegment: { kind: "value", field: "bytes" },
  acceptSegment: { kind: "row", form: SEGMENT },
  truncate: { kind: "value", field: "whole" },
  remove: { kind: "nothing" },
};

type Reply =
  | { readonly kind: "rows" | "row" | "perhaps"; readonly form: Form }
  | { readonly kind: "value"; readonly field: Field }
  | { readonly kind: "nothing" };

/** The fields that follow group and term. */
const REQUESTS: Readonly<Record<ReplicaRequest["kind"], Form>> = {
  prepare: {},
  perform: { after: "whole" },
  copy: {},
  "begin-copy": {},
  "end-copy": { index: "whole" },
};
const LEAD: Form = { group: "text", term: "whole" };

const REQUEST = "request to a member";
const REPLY = "reply of a member";

/** A request as bytes. */
export function encodeRequest(request: ReplicaRequest): Uint8Array {
  const form = { ...LEAD, ...REQUESTS[request.kind] };
  const inner =
    request.kind === "perform"
      ? [request.requests.map(askedRow)]
      : request.kind === "copy"
        ? [askedRow(request.request)]
        : [];
  return encode([request.kind, ...rowOf(form, request), ...inner]);
}

/** The request in some bytes (RW1). @throws MalformedError */
export function decodeRequest(bytes: Uint8Array): ReplicaRequest {
  const [kind, ...rest] = listIn(decoded(bytes, REQUEST), REQUEST);
  if (typeof kind !== "string" || !Object.hasOwn(REQUESTS, kind))
    throw malformed(REQUEST, "of no known kind");
  const form = { ...LEAD, ...REQUESTS[kind as ReplicaRequest["kind"]] };
  const width = Object.keys(form).length;
  const fields = { kind, ...fieldsIn(form, rest.slice(0, width), REQUEST) };
  const inner = rest.slice(width);
  if (inner.length !== (kind === "perform" || kind === "copy" ? 1 : 0))
    throw malformed(REQUEST, "of another length");
  if (kind === "perform")
    return { ...fields, requests: listIn(inner[0], REQUEST).map(askedIn) } as unknown as ReplicaRequest;
  return (kind === "copy" ? { ...fields, request: askedIn(inner[0]) } : fields) as unknown as ReplicaRequest;
}

/** The reply to a request, as bytes. */
export function encodeReply(request: ReplicaRequest, reply: ReplicaReply): Uint8Array {
  if (reply.kind === "state") return encode([reply.kind, ...rowOf(STATE, reply.state)]);
  if (reply.kind === "refused") return encode([reply.kind, recordRow(reply.refused)]);
  const answers = reply.answers.map((answer, i) =>
    "refused" in answer ? [recordRow(answer.refused)] : replyValue(opsOf(request)[i], answer.reply),
  );
  return encode([reply.kind, answers]);
}

/** The reply in some bytes, as the answer to a request (RW2). @throws MalformedError */
export function decodeReply(request: ReplicaRequest, bytes: Uint8Array): ReplicaReply {
  const [kind, ...rest] = listIn(decoded(bytes, REPLY), REPLY);
  if (kind === "state") return { kind, state: fieldsIn(STATE, rest, REPLY) as unknown as MemberState };
  if (rest.length !== 1) throw malformed(REPLY, "of another length");
  if (kind === "refused") return { kind, refused: recordIn(rest[0]) };
  if (kind !== "answers") throw malformed(REPLY, "of no known kind");
  const ops = opsOf(request);
  const answers = listIn(rest[0], REPLY);
  if (answers.length !== ops.length) throw malformed(REPLY, `${answers.length} answers to ${ops.length}`);
  return { kind, answers: answers.map((answer, i) => answerIn(ops[i] as JournalRequest["op"], answer)) };
}

function opsOf(request: ReplicaRequest): readonly JournalRequest["op"][] {
  if (request.kind === "perform") return request.requests.map(({ op }) => op);
  return request.kind === "copy" ? [request.request.op] : [];
}

function askedRow(request: JournalRequest): unknown[] {
  return [request.op, ...rowOf(ASKED[request.op], request)];
}

function askedIn(value: unknown): JournalRequest {
  const [op, ...fields] = listIn(value, REQUEST);
  if (typeof op !== "string" || !Object.hasOwn(ASKED, op)) throw malformed(REQUEST, "for no known operation");
  const form = ASKED[op as JournalRequest["op"]];
  return { op, ...fieldsIn(form, fields, REQUEST) } as unknown as JournalRequest;
}

/** An answer is a list of one: an error's record, a map, or the reply in a list of its own. */
function replyValue(op: JournalRequest["op"] | undefined, reply: JournalReply): unknown[] {
  const as = REPLIES[op as JournalRequest["op"]];
  switch (as.kind) {
    case "nothing":
      return [[]];
    case "value":
      return [[reply]];
    case "rows":
      return [(reply as readonly object[]).map((row) => rowOf(as.form, row))];
    default:
      return [reply === undefined ? [] : rowOf(as.form, reply as object)];
  }
}

function answerIn(op: JournalRequest["op"], value: unknown): Answer<JournalReply> {
  const [answer, ...over] = listIn(value, REPLY);
  if (over.length > 0) throw malformed(REPLY, "of another length");
  if (!Array.isArray(answer)) return { refused: recordIn(answer) };
  const as = REPLIES[op];
  if (as.kind === "rows") return { reply: replyAs(answer.map((row) => fieldsIn(as.form, row, REPLY))) };
  if (as.kind === "value") return { reply: replyAs(fieldsIn({ value: as.field }, answer, REPLY)["value"]) };
  const nothing = as.kind === "nothing" || (as.kind === "perhaps" && answer.length === 0);
  const row = fieldsIn(as.kind === "nothing" || nothing ? {} : as.form, answer, REPLY);
  return { reply: nothing ? undefined : replyAs(row) };
}

/** Its form was checked. */
function replyAs(value: unknown): JournalReply {
  return value as JournalReply;
}

function rowOf(form: Form, value: object): unknown[] {
  return Object.keys(form).map((name) => (value as Readonly<Record<string, unknown>>)[name]);
}

function fieldsIn(form: Form, row: unknown, what: string): Readonly<Record<string, unknown>> {
  const values = listIn(row, what);
  const fields = Object.entries(form);
  if (values.length !== fields.length) throw malformed(what, "of another length");
  return Object.fromEntries(
    fields.map(([name, field], i) => {
      if (!is(field, values[i])) throw malformed(what, `its ${name} is no ${field}`);
      return [name, values[i]];
    }),
  );
}

function is(field: Field, value: unknown): boolean {
  if (field === "text") return typeof value === "string";
  if (field === "bytes") return value instanceof Uint8Array;
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const RECORD = ["code", "message", "changed", "fix"] as const;

/** Details go as JSON: they hold numbers of any kind, which deterministic CBOR of whole numbers has no place for. */
function recordRow({ details, retryable, ...record }: ErrorRecord): Readonly<Record<string, unknown>> {
  return { ...record, retryable, details: JSON.stringify(details ?? {}) };
}

function recordIn(value: unknown): ErrorRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw malformed(REPLY, "a refusal is no map");
  const record = value as Readonly<Record<string, unknown>>;
  const { retryable, details } = record;
  if (
    RECORD.some((name) => typeof record[name] !== "string") ||
    typeof retryable !== "boolean" ||
    typeof details !== "string"
  )
    throw malformed(REPLY, "a refusal lacks a field");
  const [code, message, changed, fix] = RECORD.map((name) => record[name] as string) as [
    string,
    string,
    string,
    string,
  ];
  return { code, message, changed, fix, retryable, details: detailsIn(details) };
}

function detailsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // Refused below.
  }
  throw malformed(REPLY, "the details of a refusal are no object");
}

function decoded(bytes: Uint8Array, what: string): unknown {
  try {
    return decode(bytes, {
      strict: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
    });
  } catch {
    throw malformed(what, "it is not deterministic CBOR");
  }
}

function listIn(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw malformed(what, "it is no list");
  return value;
}

function malformed(what: string, why: string): MalformedError {
  return new MalformedError(what, why);
}
