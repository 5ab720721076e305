/**
 * What an agent or a program outside asks its node to do (docs/spec/agents-service.md), and its checked form.
 *
 * AC1. What comes from a guest is checked whole before any of it is done.
 * AC2. `from` of an envelope is written by the node of the sender, and what is no field of an envelope is left out: no guest speaks for another,
 *      or as its node. A priority stays first, and a trace last, where nodes look for them.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { isAgentId, isAgentName, traceOf } from "@glia-os/cells/agent";
import { PAYLOAD_MAX } from "@glia-os/mesh-core";

/** One wish. `request` comes back with the answer. */
export type AgentAct =
  | { readonly kind: "send"; readonly to: string; readonly payload: Uint8Array }
  | { readonly kind: "publish"; readonly topic: string; readonly payload: Uint8Array }
  | { readonly kind: "subscribe" | "unsubscribe"; readonly topic: string }
  | { readonly kind: "find"; readonly request: number; readonly name: string }
  | { readonly kind: "spawn"; readonly request: number; readonly spawn: ChildRequest };

/** A child to make: of the module of its parent unless the node is told otherwise. */
export interface ChildRequest {
  /** The name of the definition, and `@VERSION` for another version than 1. */
  readonly definition: string;
  readonly name?: string;
  /** What the hook `start` gets: the input of this envelope. */
  readonly input?: unknown;
  /** A member. Default: the node of the parent. */
  readonly on?: string;
}

/** Acts in one call. */
export const ACTS_MAX = 1024;
const TEXT = new TextEncoder();

type Wish = Readonly<Record<string, unknown>>;

function refused(why: string): MalformedError {
  return new MalformedError("agents call", why);
}

function request(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw refused("a request has no number");
}

function named(value: unknown, what: string): string {
  if (isAgentName(value)) return value;
  throw refused(`a ${what} is not 1 to 64 of a-z 0-9 - . _`);
}

const KIND = /^[a-z0-9._-]{1,64}(@[1-9][0-9]{0,15})?$/;

function kindIn(value: unknown): string {
  if (typeof value === "string" && KIND.test(value)) return value;
  throw refused("a definition is no name, with @ and a version or without");
}

/** The address in an act: an id or a name. @throws {MalformedError} */
export function target(value: unknown): string {
  if (isAgentId(value) || isAgentName(value)) return value;
  throw refused("an address is neither an id nor a name");
}

/** An envelope with its sender (AC2). @throws {MalformedError} */
export function signed(envelope: unknown, from: { readonly id: string; readonly name?: string }): Uint8Array {
  if (typeof envelope !== "object" || envelope === null || Array.isArray(envelope))
    throw refused("an envelope is no object");
  const { priority, glia, kind, correlation, message, input, ...more } = envelope as Wish;
  const trace = traceOf(more["traceparent"], more["tracestate"]);
  const fields = { priority, glia, kind, from, correlation, message, input };
  const bytes = TEXT.encode(
    JSON.stringify({ ...fields, tracestate: trace?.state, traceparent: trace?.parent }),
  );
  if (bytes.length > PAYLOAD_MAX)
    throw refused(`an envelope has ${bytes.length} bytes; the limit is ${PAYLOAD_MAX}`);
  return bytes;
}

/** What a child is to be. @throws {MalformedError} */
export function childRequest(value: unknown): ChildRequest {
  if (typeof value !== "object" || value === null) throw refused("a child is no object");
  const { definition, name, input, on } = value as Readonly<Record<string, unknown>>;
  if (on !== undefined && (typeof on !== "string" || on.length === 0 || on.length > 64))
    throw refused("a place is not text of 1 to 64 characters");
  return {
    definition: kindIn(definition),
    ...(name === undefined ? {} : { name: named(name, "name") }),
    ...(input === undefined ? {} : { input }),
    ...(on === undefined ? {} : { on }),
  };
}

/** The acts of a guest: lists as docs/spec/agents-service.md has them. @throws {MalformedError} (AC1) */
export function actsOf(
  value: unknown,
  from: { readonly id: string; readonly name?: string },
): readonly AgentAct[] {
  if (!Array.isArray(value) || value.length > ACTS_MAX)
    throw refused(`the acts are no list of at most ${ACTS_MAX}`);
  return value.map((one) => actOf(one, from));
}

function actOf(value: unknown, from: { readonly id: string; readonly name?: string }): AgentAct {
  if (!Array.isArray(value)) throw refused("an act is no list");
  const [kind, first, second] = value as unknown[];
  switch (kind) {
    case "send":
      return { kind, to: target(first), payload: signed(second, from) };
    case "publish":
      return { kind, topic: named(first, "topic"), payload: signed(second, from) };
    case "subscribe":
    case "unsubscribe":
      return { kind, topic: named(first, "topic") };
    case "find":
      return { kind, request: request(first), name: named(second, "name") };
    case "spawn":
      return { kind, request: request(first), spawn: childRequest(second) };
    default:
      throw refused(`there is no act ${JSON.stringify(kind)?.slice(0, 40)}`);
  }
}
