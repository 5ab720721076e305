/** The header of an agent file (docs/spec/agent-file.md): what a reader knows before it has a key. */
import {
  type AgentId,
  type ClusterId,
  type Epoch,
  fromHex,
  type NodeId,
  nodeIdOf,
  toEpoch,
  toHex,
} from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { decode, encode } from "cborg";
import { FileCorruptError } from "./errors.ts";

/** Largest header in bytes. */
export const FILE_HEADER_MAX = 4096;
/** Bounds of scrypt's parameters in a file that is read: up to 256 MiB of memory. */
export const SCRYPT_BOUNDS = { leastLogN: 14, mostLogN: 18, r: 8, mostP: 4 } as const;
/** What files are written with: 128 MiB of memory, some tenths of a second. */
export const SCRYPT_WRITTEN = { logN: 17, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** Where the secret of a file comes from. */
export type FileSeal =
  | {
      readonly kind: "passphrase";
      readonly salt: Uint8Array;
      readonly logN: number;
      readonly r: number;
      readonly p: number;
    }
  | { readonly kind: "cluster"; readonly clusterKey: Uint8Array; readonly ephemeral: Uint8Array };

/** What a file says of itself. */
export interface AgentFileHeader {
  readonly cluster: ClusterId;
  /** Of the node that wrote it. */
  readonly nodeKey: Uint8Array;
  readonly agent: AgentId;
  /** The agent's epoch when it was read out. */
  readonly epoch: Epoch;
  readonly name: string;
  /** Milliseconds since 1970, on the clock of that node. */
  readonly exportedMs: number;
  readonly seal: FileSeal;
}

/** The node that wrote a file. */
export function signerOf(header: AgentFileHeader, digests: Digests): NodeId {
  return nodeIdOf(header.nodeKey, digests.sha256);
}

/** The bytes of a header. */
export function encodeFileHeader(header: AgentFileHeader): Uint8Array {
  const { cluster, nodeKey, agent, epoch, name, exportedMs, seal } = header;
  const sealed =
    seal.kind === "passphrase"
      ? [1, seal.salt, seal.logN, seal.r, seal.p]
      : [2, seal.clusterKey, seal.ephemeral];
  return encode([fromHex(cluster), nodeKey, fromHex(agent), epoch, name, exportedMs, sealed]);
}

/** The header in some bytes. @throws {FileCorruptError} */
export function decodeFileHeader(bytes: Uint8Array): AgentFileHeader {
  let value: unknown;
  try {
    value = decode(bytes, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new FileCorruptError("its header is not deterministic CBOR");
  }
  if (!Array.isArray(value) || value.length !== 7)
    throw new FileCorruptError("its header is not a list of seven");
  const [cluster, nodeKey, agent, epoch, name, exportedMs, seal] = value as unknown[];
  if (typeof name !== "string" || name.length === 0 || name.length > 64)
    throw new FileCorruptError("its header names no agent");
  return {
    cluster: toHex(bytesOf(cluster, KEY_BYTES, "cluster")) as ClusterId,
    nodeKey: bytesOf(nodeKey, KEY_BYTES, "node key"),
    agent: toHex(bytesOf(agent, 16, "agent")) as AgentId,
    epoch: toEpoch(numberIn(epoch, 1, Number.MAX_SAFE_INTEGER, "epoch")),
    name,
    exportedMs: numberIn(exportedMs, 0, Number.MAX_SAFE_INTEGER, "time"),
    seal: sealIn(seal),
  };
}

function sealIn(value: unknown): FileSeal {
  if (!Array.isArray(value)) throw new FileCorruptError("its header does not say how it is sealed");
  const [kind, first, second, r, p] = value as unknown[];
  const { leastLogN, mostLogN, mostP } = SCRYPT_BOUNDS;
  if (kind === 1 && value.length === 5)
    return {
      kind: "passphrase",
      salt: bytesOf(first, SALT_BYTES, "salt"),
      logN: numberIn(second, leastLogN, mostLogN, "logN"),
      r: numberIn(r, SCRYPT_BOUNDS.r, SCRYPT_BOUNDS.r, "r"),
      p: numberIn(p, 1, mostP, "p"),
    };
  if (kind === 2 && value.length === 3)
    return {
      kind: "cluster",
      clusterKey: bytesOf(first, KEY_BYTES, "cluster key"),
      ephemeral: bytesOf(second, KEY_BYTES, "ephemeral key"),
    };
  throw new FileCorruptError("it is sealed in a way that this build does not know");
}

function bytesOf(value: unknown, length: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length)
    throw new FileCorruptError(`its ${what} is not ${length} bytes`);
  return value.slice();
}

function numberIn(value: unknown, least: number, most: number, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
    throw new FileCorruptError(`its ${what} is not from ${least} to ${most}`);
  return value;
}
