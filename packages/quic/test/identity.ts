/** Identities for tests: a self-signed certificate of a fresh key. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { cryptoProvider, X509CertificateGenerator } from "@peculiar/x509";
import type { QuicIdentity } from "../src/index.ts";

cryptoProvider.set(webcrypto as never);

const algorithms = {
  ed25519: { key: { name: "Ed25519" }, sign: { name: "Ed25519" } },
  p256: {
    key: { name: "ECDSA", namedCurve: "P-256" },
    sign: { name: "ECDSA", hash: "SHA-256" },
  },
} as const;

/** A certificate and its key. */
export async function makeIdentity(kind: keyof typeof algorithms = "ed25519"): Promise<QuicIdentity> {
  const { key, sign } = algorithms[kind];
  const keys = (await webcrypto.subtle.generateKey(key, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=test",
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 86_400_000),
    keys: keys as never,
    signingAlgorithm: sign as never,
  });
  return {
    certificate: new Uint8Array(certificate.rawData),
    key: new Uint8Array(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
  };
}
