/** Link messages on the wire (docs/spec/links.md). */
import { type AgentId, type Epoch, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { CborValue } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { HOST_MAX } from "../membership/statement.ts";
import { ASKS_MAX, LINK_ID_BYTES, type LinkId, PAYLOAD_MAX } from "./link-table.ts";

/** Messages in one batch. */
export const BATCH_MESSAGES_MAX = 256;
/** Payload bytes in one batch, unless a single message is larger. */
export const BATCH_BYTES_MAX = 262_144;
/** Longest wait a receiver may ask for, in milliseconds. */
export const RETRY_MAX_MS = 10_000;

/** Consecutive messages of one link. */
export interface LinkData {
  readonly link: LinkId;
  readonly agent: AgentId;
  readonly floor: number;
  /** The number of the first message. */
  readonly firstSeq: number;
  readonly messages: readonly { readonly ask: boolean; readonly payload: Uint8Array }[];
}

/** What became of the message a batch stopped at, or of all of it. */
export type LinkStatus =
  | { readonly kind: "ok" | "gap" | "stale" | "unknown-agent" }
  | { readonly kind: "retry"; readonly retryAfterMs: number }
  | {
      readonly kind: "moved";
      readonly epoch: Epoch;
      readonly owner: NodeId;
      readonly address: HostPort | undefined;
    };

/** The answer to a batch. */
export interface LinkAck {
  readonly link: LinkId;
  readonly agent: AgentId;
  /** The next number the receiver accepts; zero when it cannot tell. */
  readonly next: number;
  readonly status: LinkStatus;
  readonly replies: readonly { readonly seq: number; readonly payload: Uint8Array }[];
}

/** The body of a `linkData`. */
export function dataBody({ link, agent, floor, firstSeq, messages }: LinkData): CborValue {
  return [fromHex(link), fromHex(agent), floor, firstSeq, messages.map(({ ask, payload }) => [ask, payload])];
}

/** A `linkData` from its body. @throws {MalformedMessageError}. */
export function readData(body: CborValue): LinkData {
  const reader = new FieldReader(body, "link data");
  const link = readLink(reader);
  const agent = reader.agent("agent");
  const floor = reader.int("floor");
  const firstSeq = reader.int("first", Number.MAX_SAFE_INTEGER - BATCH_MESSAGES_MAX, 1);
  const messages = reader.list("messages", BATCH_MESSAGES_MAX, (item) => {
    const message = new FieldReader(item, "a link message");
    const ask = message.bool("ask");
    const payload = message.bytes("payload", PAYLOAD_MAX);
    message.end();
    return { ask, payload };
  });
  reader.end();
  return { link, agent, floor, firstSeq, messages };
}

/** The body of a `linkAck`. */
export function ackBody({ link, agent, next, status, replies }: LinkAck): CborValue {
  return [
    fromHex(link),
    fromHex(agent),
    next,
    status.kind,
    detail(status),
    replies.map(({ seq, payload }) => [seq, payload]),
  ];
}

/** A `linkAck` from its body. @throws {MalformedMessageError}. */
export function readAck(body: CborValue): LinkAck {
  const reader = new FieldReader(body, "a link acknowledgement");
  const link = readLink(reader);
  const agent = reader.agent("agent");
  const next = reader.int("next");
  const kind = reader.word("status", ["ok", "gap", "stale", "unknown-agent", "retry", "moved"]);
  const status = readStatus(kind, reader.nested("detail"));
  const replies = reader.list("replies", ASKS_MAX, (item) => {
    const reply = new FieldReader(item, "a reply");
    const seq = reply.int("seq", Number.MAX_SAFE_INTEGER, 1);
    const payload = reply.bytes("payload", PAYLOAD_MAX);
    reply.end();
    return { seq, payload };
  });
  reader.end();
  return { link, agent, next, status, replies };
}

/** The body of a `linkClose`. */
export function closeBody(link: LinkId, agent: AgentId): CborValue {
  return [fromHex(link), fromHex(agent)];
}

/** A `linkClose` from its body. @throws {MalformedMessageError}. */
export function readClose(body: CborValue): { link: LinkId; agent: AgentId } {
  const reader = new FieldReader(body, "a link close");
  const close = { link: readLink(reader), agent: reader.agent("agent") };
  reader.end();
  return close;
}

function readLink(reader: FieldReader): LinkId {
  return toHex(reader.bytes("link", LINK_ID_BYTES, LINK_ID_BYTES));
}

function detail(status: LinkStatus): CborValue {
  if (status.kind === "retry") return [status.retryAfterMs];
  if (status.kind !== "moved") return [];
  const { epoch, owner, address } = status;
  return [epoch, fromHex(owner), address === undefined ? null : [address.host, address.port]];
}

function readStatus(kind: LinkStatus["kind"], reader: FieldReader): LinkStatus {
  if (kind === "retry") return { kind, retryAfterMs: reader.int("retry after", RETRY_MAX_MS, 1) };
  if (kind !== "moved") return { kind };
  const epoch = reader.epoch("epoch");
  const owner = reader.node("owner");
  const address = reader.optional("address", (value) => {
    const fields = new FieldReader(value, "an address");
    return { host: fields.text("host", HOST_MAX, 1), port: fields.int("port", 65_535, 1) };
  });
  return { kind, epoch, owner, address };
}
