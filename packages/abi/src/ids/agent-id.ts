/**
 * Identity of agents (docs/spec/ids.md).
 *
 * ID1. An agent id is the first 16 bytes of SHA-256 over a domain string, the owner's public key, a nonce and the manifest hash.
 * ID2. The full 32-byte hash travels in signed records; 16 bytes are accident-safe, not safe against a chosen-prefix attacker.
 */
import { MalformedError } from "../errors/glia-error.ts";
import type { Brand } from "./brand.ts";
import { toHex } from "./hex.ts";

/** 16 bytes as 32 hexadecimal characters. */
export type AgentId = Brand<string, "AgentId">;

/** SHA-256 as a function; the caller brings it (`@glia-os/hal` has one) so this package stays free of host types. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

const AGENT_DOMAIN = [..."glia/agent-id/v1\0"].map((character) => character.charCodeAt(0));
const SHA256_BYTES = 32;
const NONCE_BYTES = 16;
const AGENT_ID_BYTES = 16;

/** What an agent id is derived from. */
export interface AgentIdentity {
  /** The owner's Ed25519 public key: 32 bytes. */
  readonly ownerKey: Uint8Array;
  /** 16 random bytes chosen when the agent is created. */
  readonly nonce: Uint8Array;
  /** SHA-256 of the agent's manifest: 32 bytes. */
  readonly manifestHash: Uint8Array;
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new MalformedError(what, `it has ${bytes.length} bytes, not ${length}`);
}

/** The full 32-byte hash of an identity (ID1). @throws {MalformedError} for a part of the wrong length. */
export function agentIdHash(identity: AgentIdentity, sha256: Sha256): Uint8Array {
  checkLength(identity.ownerKey, 32, "owner key");
  checkLength(identity.nonce, NONCE_BYTES, "agent nonce");
  checkLength(identity.manifestHash, SHA256_BYTES, "manifest hash");
  const preimage = new Uint8Array(AGENT_DOMAIN.length + 32 + NONCE_BYTES + SHA256_BYTES);
  preimage.set(AGENT_DOMAIN, 0);
  preimage.set(identity.ownerKey, AGENT_DOMAIN.length);
  preimage.set(identity.nonce, AGENT_DOMAIN.length + 32);
  preimage.set(identity.manifestHash, AGENT_DOMAIN.length + 32 + NONCE_BYTES);
  return sha256(preimage);
}

/** The id of an agent: the first 16 bytes of {@link agentIdHash}. */
export function agentIdOf(identity: AgentIdentity, sha256: Sha256): AgentId {
  return toHex(agentIdHash(identity, sha256).subarray(0, AGENT_ID_BYTES)) as AgentId;
}

/** The agent id in some text. @throws {MalformedError} unless it is 32 characters of 0-9a-f. */
export function parseAgentId(text: string): AgentId {
  if (!/^[0-9a-f]{32}$/.test(text))
    throw new MalformedError("agent id", "it is not 32 characters of 0-9a-f", { text: text.slice(0, 80) });
  return text as AgentId;
}
