/**
 * An outbox as bytes: beside the checkpoints of an agent with a replica, and as what moves with it (docs/spec/replica.md, "Outputs").
 *
 * OC1. `decodeOutbox(encodeOutbox(...))` is the same outbox; what is out of shape is refused with `cells.bad-image`.
 */
import { type AgentId, fromHex } from "@glia-os/abi/ids";
import { BadImageError } from "@glia-os/cells";
import { encode } from "cborg";
import { actIn, actRow, decoded, nameIn, numberIn, payloadIn } from "./act-codec.ts";
import { KEY_BYTES, Outbox, type OutboxParts, type OutLine, type OutName, type Request } from "./outbox.ts";
import { idIn } from "./outbox-event.ts";

/** Baggage of desks without a record has version 1. */
const VERSION = 2;
/** Most rows of one list. */
const ROWS_MAX = 65_536;

/** As bytes. */
export function encodeOutbox({ parts }: Outbox): Uint8Array {
  const { key, ordinal, lines, names, topics, family, requests } = parts;
  return encode([
    VERSION,
    key,
    ordinal,
    lineRows(lines.post),
    lineRows(lines.news),
    [...names].map(([name, { agent, waiting }]) => [
      name,
      agent === undefined ? null : fromHex(agent),
      waiting.map((one) => [one.ordinal, one.payload]),
    ]),
    [...topics],
    [
      family.parent === undefined ? null : fromHex(family.parent),
      family.children.map((child) => fromHex(child)),
    ],
    [...requests].map(([number, act]) => [number, actRow(act)]),
  ]);
}

function lineRows(lines: ReadonlyMap<AgentId, OutLine>): readonly unknown[] {
  return [...lines].map(([to, { link, base, attempts, queue }]) => [
    fromHex(to),
    fromHex(link),
    base,
    attempts,
    queue,
  ]);
}

/** Whether bytes are one, as opposed to the baggage of a desk without a record. @throws {BadImageError} for what is neither */
export function isOutbox(bytes: Uint8Array): boolean {
  return rows(decoded(bytes, "what the agent asked for"))[0] === VERSION;
}

/** From bytes. @throws {BadImageError} (OC1) */
export function decodeOutbox(bytes: Uint8Array): Outbox {
  const [version, key, ordinal, post, news, names, topics, family, requests, ...more] = rows(
    decoded(bytes, "what the agent asked for"),
  );
  if (version !== VERSION || more.length > 0) refuse("its version is unknown to this build");
  if (!(key instanceof Uint8Array) || key.length !== KEY_BYTES) refuse("its key is not 16 bytes");
  const [parent, children] = rows(family);
  const parts: OutboxParts = {
    key,
    ordinal: count(ordinal),
    lines: { post: linesIn(post), news: linesIn(news) },
    names: new Map(rows(names).map(nameRow)),
    topics: rows(topics).map(nameIn),
    family: { parent: parent === null ? undefined : idIn(parent), children: rows(children).map(idIn) },
    requests: new Map(rows(requests).map(requestRow)),
  };
  return new Outbox(parts);
}

function linesIn(value: unknown): ReadonlyMap<AgentId, OutLine> {
  return new Map(
    rows(value).map((row) => {
      const [to, link, base, attempts, queue] = rows(row);
      const line: OutLine = {
        link: idIn(link),
        base: numberIn(base),
        attempts: count(attempts),
        queue: rows(queue).map(payloadIn),
      };
      return [idIn(to), line];
    }),
  );
}

function nameRow(row: unknown): [string, OutName] {
  const [name, agent, waiting] = rows(row);
  const list = rows(waiting).map((one) => {
    const [ordinal, payload] = rows(one);
    return { ordinal: numberIn(ordinal), payload: payloadIn(payload) };
  });
  return [nameIn(name), { agent: agent === null ? undefined : idIn(agent), waiting: list }];
}

function requestRow(row: unknown): [number, Request] {
  const [ordinal, asked] = rows(row);
  const act = actIn(asked);
  if (act.kind !== "publish" && act.kind !== "find" && act.kind !== "spawn") refuse("a request is none");
  return [numberIn(ordinal), act as Request];
}

function rows(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length <= ROWS_MAX ? value : refuse("a list is none");
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse("a number is out of range");
}

function refuse(why: string): never {
  throw new BadImageError(`what it asked for cannot be read: ${why}`);
}
