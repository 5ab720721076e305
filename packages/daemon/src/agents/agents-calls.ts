/**
 * What nodes ask each other for agents that talk (docs/spec/agents-service.md).
 *
 * AL1. `agents.spawn`: deterministic CBOR `[manifest, beginning as JSON]`, answered by the agent's row. `agents.subscribers`: `{topic}`, answered by
 *      a list of ids.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import { type AgentManifest, decodeManifest, encodeManifest } from "@glia-os/cells";
import { isAgentName } from "@glia-os/cells/agent";
import type { Mesh } from "@glia-os/mesh-core";
import { decode, encode } from "cborg";
import { decodeBody, encodeBody } from "../node-call.ts";
import type { AgentsOffice, Beginning } from "./agents-office.ts";
import { SUBSCRIBERS_CALL } from "./publisher.ts";

const SPAWN_CALL = "agents.spawn";
const SPAWN_TIMEOUT_MS = 60_000;

/** Have a member make an agent that begins with something. */
export async function spawnThere(
  mesh: Mesh,
  node: NodeId,
  manifest: AgentManifest,
  beginning: Beginning,
): Promise<AgentRow> {
  const body = encode([encodeManifest(manifest), JSON.stringify(beginning)]);
  return decodeBody(await mesh.call(node, SPAWN_CALL, body, { timeoutMs: SPAWN_TIMEOUT_MS })) as AgentRow;
}

/** Answer the calls on this node. */
export function answerAgentsCalls(
  mesh: Mesh,
  office: AgentsOffice,
  spawnHere: (manifest: AgentManifest, beginning: Beginning) => Promise<AgentRow>,
): void {
  mesh.handle(SUBSCRIBERS_CALL, async (_caller, body) => {
    const { topic } = (decodeBody(body) ?? {}) as { readonly topic?: unknown };
    if (!isAgentName(topic)) throw new MalformedError("call body", "it names no topic");
    return encodeBody(office.subscribers(topic));
  });
  mesh.handle(SPAWN_CALL, async (_caller, body) => {
    const [manifest, beginning] = spawnIn(body);
    return encodeBody(await spawnHere(decodeManifest(manifest), beginning));
  });
}

function spawnIn(body: Uint8Array): readonly [Uint8Array, Beginning] {
  try {
    const [manifest, text] = decode(body, { strict: true }) as [unknown, unknown];
    const beginning: unknown = JSON.parse(String(text));
    if (manifest instanceof Uint8Array && typeof beginning === "object" && beginning !== null)
      return [manifest, beginning as Beginning];
  } catch {
    // Said below.
  }
  throw new MalformedError("call body", "it is no manifest and beginning");
}
