/**
 * The long-term identity of a node: one Ed25519 key (RFC 8032), kept as PKCS#8 in a file only its owner can read.
 *
 * N1. The node id is SHA-256 of the raw public key; it stays the same however often certificates are renewed.
 * N2. A file that exists is never replaced: what is in it is loaded or refused.
 * N3. Two processes that create the same file at the same time end with the same key.
 * N4. The private key does not leave this file's closures.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { link, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Random, Signer } from "@glia-os/abi/ports";
import { IdentityCorruptError, IdentityExposedError, IdentityFileError } from "./errors.ts";

/** A node that can prove who it is. */
export interface NodeIdentity extends Signer {
  /** SHA-256 of `publicKey` (N1). */
  readonly nodeId: NodeId;
}

/** An Ed25519 SubjectPublicKeyInfo is this prefix and the 32 raw bytes (RFC 8410 section 4). */
const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
/** A PKCS#8 Ed25519 key in PEM has 119 bytes; anything much longer is something else. */
const IDENTITY_FILE_BYTES_MAX = 4096;

/** SHA-256 of some bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/** The public key object of a raw Ed25519 key of 32 bytes. */
export function ed25519PublicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([ED25519_SPKI_PREFIX, raw]), format: "der", type: "spki" });
}

function identityOf(privateKey: KeyObject): NodeIdentity {
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(spki.subarray(ED25519_SPKI_PREFIX.length));
  return {
    nodeId: nodeIdOf(publicKey, sha256),
    publicKey,
    sign: (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}

/** A fresh identity that exists only in memory. */
export function createNodeIdentity(): NodeIdentity {
  return identityOf(generateKeyPairSync("ed25519").privateKey);
}

/**
 * The identity stored at `path`; created there on the first call (N2, N3).
 *
 * @param random names the temporary file
 * @throws {IdentityCorruptError} the file is not an Ed25519 private key in PKCS#8 PEM
 * @throws {IdentityExposedError} others may read the file (POSIX systems)
 * @throws {IdentityFileError} it cannot be read or created
 */
export async function loadOrCreateNodeIdentity(path: string, random: Random): Promise<NodeIdentity> {
  try {
    return (await loadIdentity(path)) ?? (await createIdentityFile(path, random));
  } catch (error) {
    if (error instanceof IdentityCorruptError || error instanceof IdentityExposedError) throw error;
    throw new IdentityFileError(path, error);
  }
}

async function loadIdentity(path: string): Promise<NodeIdentity | undefined> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (facts === undefined) return undefined;
  if (facts.size > IDENTITY_FILE_BYTES_MAX)
    throw new IdentityCorruptError(path, `it has ${facts.size} bytes`);
  if (process.platform !== "win32" && (facts.mode & 0o077) !== 0)
    throw new IdentityExposedError(path, facts.mode);
  const pem = await readFile(path);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: "pem" });
  } catch (error) {
    throw new IdentityCorruptError(path, "it is not a private key in PEM", error);
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw new IdentityCorruptError(path, `it holds a key of type ${key.asymmetricKeyType}, not ed25519`);
  }
  return identityOf(key);
}

/** Write a temporary file, flush it, and link it into place: the name appears complete or not at all (N3). */
async function createIdentityFile(path: string, random: Random): Promise<NodeIdentity> {
  const pem = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" });
  const temporary = `${path}.${Buffer.from(random.bytes(new Uint8Array(8))).toString("hex")}.new`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(temporary);
  }
  await flushFolder(dirname(path));
  const identity = await loadIdentity(path);
  if (identity === undefined) throw new IdentityCorruptError(path, "it vanished while it was created");
  return identity;
}

/** Make the new name durable. Windows cannot open folders and does not need it. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
