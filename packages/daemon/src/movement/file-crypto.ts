/**
 * The cryptography of agent files on `node:crypto` (docs/spec/agent-file.md).
 *
 * FK1. Secrets are derived where they are known: from a passphrase by whoever has it, from the cluster's key on the node that holds it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  scrypt,
} from "node:crypto";
import type { FileCrypto, FileSeal } from "@glia-os/cells";
import { createSystemDigests } from "@glia-os/hal";

const CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Field of Curve25519 (RFC 7748). */
const P = 2n ** 255n - 19n;
/** What stands in front of the 32 bytes of an X25519 key in SPKI and PKCS#8 (RFC 8410). */
const SPKI_FRONT = Buffer.from("302a300506032b656e032100", "hex");
const PKCS8_FRONT = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The primitives. */
export const FILE_CRYPTO: FileCrypto = {
  digests: createSystemDigests(),
  cipher: {
    seal: (key, nonce, additional, plain) => {
      const cipher = createCipheriv(CIPHER, key, nonce).setAAD(additional);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (key, nonce, additional, sealed) => {
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(additional);
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  },
  sha256: () => {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.copy().digest() };
  },
};

/** The secret that a passphrase stands for in a file with this seal. Takes some tenths of a second and up to 256 MiB. */
export function secretOfPassphrase(
  passphrase: string,
  { salt, logN, r, p }: Extract<FileSeal, { kind: "passphrase" }>,
): Promise<Uint8Array> {
  const cost = 2 ** logN;
  const options = { cost, blockSize: r, parallelization: p, maxmem: 130 * cost * r };
  return new Promise((resolve, reject) =>
    scrypt(passphrase.normalize("NFC"), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(new Uint8Array(key)) : reject(error),
    ),
  );
}

/** A secret that only the holder of the cluster's key can make again, with the seal that says how. */
export function secretForCluster(clusterKey: Uint8Array): {
  readonly secret: Uint8Array;
  readonly seal: FileSeal;
} {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const spki = publicKey.export({ format: "der", type: "spki" });
  const ephemeral = new Uint8Array(spki.subarray(SPKI_FRONT.length));
  const secret = diffieHellman({ privateKey, publicKey: agreementKey(montgomery(clusterKey)) });
  return { secret: new Uint8Array(secret), seal: { kind: "cluster", clusterKey, ephemeral } };
}

/** The secret of a file for the cluster, on the node that holds its key as PEM. */
export function secretOfCluster(
  pem: string,
  { ephemeral }: Extract<FileSeal, { kind: "cluster" }>,
): Uint8Array {
  const pkcs8 = createPrivateKey(pem).export({ format: "der", type: "pkcs8" });
  const scalar = createHash("sha512").update(pkcs8.subarray(-KEY_BYTES)).digest().subarray(0, KEY_BYTES);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_FRONT, scalar]),
    format: "der",
    type: "pkcs8",
  });
  return new Uint8Array(diffieHellman({ privateKey, publicKey: agreementKey(ephemeral) }));
}

function agreementKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_FRONT, raw]), format: "der", type: "spki" });
}

/** The u coordinate of an Ed25519 public key: (1 + y) / (1 - y) (RFC 7748, section 4.1). */
function montgomery(publicKey: Uint8Array): Uint8Array {
  const bytes = publicKey.slice();
  bytes[KEY_BYTES - 1] = (bytes[KEY_BYTES - 1] as number) & 0x7f;
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const u = ((1n + y) * power(P + 1n - y, P - 2n)) % P;
  return new Uint8Array(Buffer.from(u.toString(16).padStart(64, "0"), "hex").reverse());
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base % P];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
