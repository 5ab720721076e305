/** Identity of nodes, clusters and sessions (docs/spec/ids.md). */
import { MalformedError } from "../errors/glia-error.ts";
import type { Brand } from "./brand.ts";
import { toHex } from "./hex.ts";

/** SHA-256 of a node's long-term Ed25519 public key: 32 bytes as 64 hexadecimal characters. */
export type NodeId = Brand<string, "NodeId">;

/** SHA-256 of a cluster's Ed25519 public key: 32 bytes as 64 hexadecimal characters. */
export type ClusterId = Brand<string, "ClusterId">;

/** The node id of a raw 32-byte Ed25519 public key. @throws {MalformedError} for a key of another length. */
export function nodeIdOf(publicKey: Uint8Array, sha256: (data: Uint8Array) => Uint8Array): NodeId {
  if (publicKey.length !== 32)
    throw new MalformedError("node public key", `it has ${publicKey.length} bytes, not 32`);
  return toHex(sha256(publicKey)) as NodeId;
}

/** The node id in some text. @throws {MalformedError} unless it is 64 characters of 0-9a-f. */
export function parseNodeId(text: string): NodeId {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new MalformedError("node id", "it is not 64 characters of 0-9a-f", { text: text.slice(0, 80) });
  return text as NodeId;
}

/** The cluster id in some text. @throws {MalformedError} unless it is 64 characters of 0-9a-f. */
export function parseClusterId(text: string): ClusterId {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new MalformedError("cluster id", "it is not 64 characters of 0-9a-f");
  return text as ClusterId;
}
