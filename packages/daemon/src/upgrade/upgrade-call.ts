/**
 * What nodes ask of each other for upgrades (docs/spec/upgrade.md, "Calls between nodes").
 *
 * UC1. A body that does not have the shape of its method is refused with `abi.malformed`.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import { UPGRADE_TIMEOUT_RANGE } from "@glia-os/cells";
import { decode, encode } from "cborg";
import type { UpgradeRequest } from "./upgrade-api.ts";

/** The methods; the answer of both is an `UpgradeReport` as JSON. */
export const UPGRADE_CALLS = {
  /** Body: deterministic CBOR `[agent, timeoutMs, module, grants or null, pages or null]`. */
  upgrade: "agent.upgrade",
  /** Body: deterministic CBOR `[agent, timeoutMs]`. */
  rollback: "agent.rollback",
} as const;

/** An upgrade of an agent as a body. */
export function upgradeBody(agent: AgentId, request: UpgradeRequest, timeoutMs: number): Uint8Array {
  const { module, grants, memoryPages } = request;
  return encode([agent, timeoutMs, module, grants === undefined ? null : [...grants], memoryPages ?? null]);
}

/** A rollback as a body. */
export function rollbackBody(agent: AgentId, timeoutMs: number): Uint8Array {
  return encode([agent, timeoutMs]);
}

/** What a body asks for. @throws {MalformedError} */
export function upgradeIn(body: Uint8Array): {
  readonly agent: AgentId;
  readonly timeoutMs: number;
  readonly request: UpgradeRequest;
} {
  const fields = listIn(body, 5);
  const [, , module, grants, pages] = fields;
  const wellGranted = grants === null || (Array.isArray(grants) && grants.every(isText));
  if (!(module instanceof Uint8Array) || !wellGranted || (pages !== null && typeof pages !== "number"))
    throw new MalformedError("call body", "it is no upgrade");
  const request = {
    module,
    ...(grants === null ? {} : { grants: grants as readonly string[] }),
    ...(pages === null ? {} : { memoryPages: pages }),
  };
  return { ...headIn(fields), request };
}

/** The agent of a rollback. @throws {MalformedError} */
export function rollbackIn(body: Uint8Array): { readonly agent: AgentId; readonly timeoutMs: number } {
  return headIn(listIn(body, 2));
}

/** A time that may be given to an agent. */
export function isUpgradeTimeout(value: unknown): value is number {
  const [least, most] = UPGRADE_TIMEOUT_RANGE;
  return typeof value === "number" && value >= least && value <= most;
}

function headIn([agent, timeoutMs]: readonly unknown[]): {
  readonly agent: AgentId;
  readonly timeoutMs: number;
} {
  if (typeof agent !== "string" || !isUpgradeTimeout(timeoutMs))
    throw new MalformedError("call body", "it names no agent and time");
  return { agent: parseAgentId(agent), timeoutMs };
}

function listIn(body: Uint8Array, fields: number): readonly unknown[] {
  let value: unknown;
  try {
    value = decode(body, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new MalformedError("call body", "it is not deterministic CBOR");
  }
  if (Array.isArray(value) && value.length === fields) return value as readonly unknown[];
  throw new MalformedError("call body", `it is no list of ${fields}`);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
