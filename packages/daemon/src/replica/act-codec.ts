/**
 * Acts of agents as bytes: in the log of a replica, and in what moves with an agent (docs/spec/replica.md, "Outputs").
 *
 * AK1. `decodeActs(encodeActs(...))` gives back what was written, or refuses with `cells.bad-image`.
 */
import { BadImageError } from "@glia-os/cells";
import { isAgentName } from "@glia-os/cells/agent";
import { PAYLOAD_MAX } from "@glia-os/mesh-core";
import { decode, encode } from "cborg";
import { ACTS_MAX, type AgentAct, childRequest, target } from "../agents/act.ts";

type Row = readonly [string, unknown, unknown?];

/** An act as a list. */
export function actRow(act: AgentAct): Row {
  switch (act.kind) {
    case "send":
      return [act.kind, act.to, act.payload];
    case "publish":
      return [act.kind, act.topic, act.payload];
    case "find":
      return [act.kind, act.request, act.name];
    case "spawn":
      return [act.kind, act.request, JSON.stringify(act.spawn)];
    default:
      return [act.kind, act.topic];
  }
}

/** Acts as bytes. */
export function encodeActs(acts: readonly AgentAct[]): Uint8Array {
  return encode(acts.map(actRow));
}

/** The acts in some bytes. @throws {BadImageError} */
export function decodeActs(bytes: Uint8Array): readonly AgentAct[] {
  const rows = decoded(bytes, "what the agent asked for");
  if (!Array.isArray(rows) || rows.length > ACTS_MAX) throw refused("it is no list");
  return rows.map(actIn);
}

/** Strict CBOR. @throws {BadImageError} */
export function decoded(bytes: Uint8Array, what: string): unknown {
  try {
    return decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new BadImageError(`${what} is not deterministic CBOR`);
  }
}

/** The act in a list. @throws {BadImageError} */
export function actIn(row: unknown): AgentAct {
  if (!Array.isArray(row)) throw refused("an act is no list");
  const [kind, first, second] = row as unknown[];
  switch (kind) {
    case "send":
      return { kind, to: addressIn(first), payload: payloadIn(second) };
    case "publish":
      return { kind, topic: nameIn(first), payload: payloadIn(second) };
    case "subscribe":
    case "unsubscribe":
      return { kind, topic: nameIn(first) };
    case "find":
      return { kind, request: numberIn(first), name: nameIn(second) };
    case "spawn":
      return { kind, request: numberIn(first), spawn: childIn(second) };
    default:
      throw refused("an act is of no known kind");
  }
}

function refused(why: string): BadImageError {
  return new BadImageError(`what the agent asked for cannot be read: ${why}`);
}

function addressIn(value: unknown): string {
  try {
    return target(value);
  } catch {
    throw refused("an address is none");
  }
}

function childIn(value: unknown): ReturnType<typeof childRequest> {
  try {
    return childRequest(JSON.parse(String(value)));
  } catch {
    throw refused("a child is none");
  }
}

/** A message. @throws {BadImageError} */
export function payloadIn(value: unknown): Uint8Array {
  if (value instanceof Uint8Array && value.length <= PAYLOAD_MAX) return value;
  throw refused("a message is no bytes");
}

/** A name of an agent or a topic. @throws {BadImageError} */
export function nameIn(value: unknown): string {
  if (isAgentName(value)) return value;
  throw refused("a name is none");
}

/** A number from 1. @throws {BadImageError} */
export function numberIn(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw refused("a number is out of range");
}
