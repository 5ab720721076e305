import "reflect-metadata";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { X509Certificate as IndependentCertificate } from "@peculiar/x509";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CERTIFICATE_VALIDITY_MS,
  type CertificateFault,
  CertificateRequestError,
  CLOCK_SKEW_MS,
  createNodeIdentity,
  issueNodeCertificate,
  type NodeIdentity,
  PeerCertificateError,
  proveNode,
} from "../src/index.ts";
import { readIdentityExtension } from "../src/node-certificate.ts";
import { realRandom } from "./ports.ts";

const identity = createNodeIdentity();
const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0);
const DAY_MS = 86_400_000;

function issue(
  term = { notBeforeMs: NOW_MS, validityMs: CERTIFICATE_VALIDITY_MS },
  who: NodeIdentity = identity,
) {
  return issueNodeCertificate(who, term, realRandom);
}

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw;
}

function faultOf(der: Buffer, nowMs = NOW_MS): CertificateFault | undefined {
  try {
    proveNode(new X509Certificate(der), nowMs);
    return undefined;
  } catch (error) {
    if (error instanceof PeerCertificateError) return error.reason;
    throw error;
  }
}

/** Replace the first occurrence of some bytes. */
function patch(der: Buffer, from: Uint8Array, to: Uint8Array): Buffer {
  const at = der.indexOf(from);
  expect(at).toBeGreaterThan(0);
  const patched = Buffer.from(der);
  patched.set(to, at);
  return patched;
}

describe("node certificates", () => {
  it("prove the identity that signed them", () => {
    const proven = proveNode(new X509Certificate(issue().cert), NOW_MS);
    expect(proven.nodeId).toBe(identity.nodeId);
    expect(proven.publicKey).toEqual(identity.publicKey);
  });

  it("fit their key, end after 90 days and name the node", () => {
    const { cert, notAfterMs } = issue();
    const certificate = new X509Certificate(cert);
    expect(notAfterMs - NOW_MS).toBe(90 * DAY_MS);
    expect(certificate.validToDate.getTime()).toBe(notAfterMs);
    expect(certificate.subject).toBe(`CN=${identity.nodeId}`);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it("are read the same by an independent parser", () => {
    const { cert, notBeforeMs, notAfterMs } = issue();
    const independent = new IndependentCertificate(cert);
    expect(independent.subject).toBe(`CN=${identity.nodeId}`);
    expect(independent.notBefore.getTime()).toBe(notBeforeMs);
    expect(independent.notAfter.getTime()).toBe(notAfterMs);
    expect(independent.extensions.length).toBe(1);
    expect(Buffer.from(independent.serialNumber, "hex").length).toBeLessThanOrEqual(17);
  });

  it("after 2049 use GeneralizedTime, as RFC 5280 requires", () => {
    const notBeforeMs = Date.UTC(2049, 11, 20);
    const { cert } = issue({ notBeforeMs, validityMs: CERTIFICATE_VALIDITY_MS });
    expect(new IndependentCertificate(cert).notAfter.getTime()).toBe(notBeforeMs + CERTIFICATE_VALIDITY_MS);
    expect(faultOf(derOf(cert), notBeforeMs)).toBe(undefined);
  });

  it("are parsed and self-verified by the openssl command", ({ skip }) => {
    const { cert } = issue();
    const { status, stdout, error } = spawnSync("openssl", ["x509", "-noout", "-text"], {
      input: cert,
      encoding: "utf8",
    });
    skip(error !== undefined, "openssl is not installed: `openssl x509` was not run on our certificate");
    expect(status).toBe(0);
    expect(stdout).toContain("Version: 3");
    expect(stdout).toContain(`CN = ${identity.nodeId}`);
    expect(stdout).toContain("2.25.221063439686607519105143333225690446603");
    expect(stdout).toContain("prime256v1");
  });

  it("are refused before and after their validity, with five minutes of skew", () => {
    const der = derOf(issue().cert);
    const endMs = NOW_MS + CERTIFICATE_VALIDITY_MS;
    expect(faultOf(der, NOW_MS - CLOCK_SKEW_MS)).toBe(undefined);
    expect(faultOf(der, NOW_MS - CLOCK_SKEW_MS - 1)).toBe("not-yet-valid");
    expect(faultOf(der, endMs + CLOCK_SKEW_MS)).toBe(undefined);
    expect(faultOf(der, endMs + CLOCK_SKEW_MS + 1)).toBe("expired");
  });

  it("whose validity was stretched with the leaf key are refused: the identity key signed the dates", () => {
    const der = derOf(issue({ notBeforeMs: NOW_MS, validityMs: DAY_MS }).cert);
    const stretched = patch(der, Buffer.from("261122120000Z"), Buffer.from("261222120000Z"));
    expect(["self-signature", "identity-signature"]).toContain(faultOf(stretched));
  });

  it("with another identity's key in the extension are refused", () => {
    const der = derOf(issue().cert);
    const forged = patch(der, identity.publicKey, createNodeIdentity().publicKey);
    expect(faultOf(forged)).toBe("self-signature");
  });

  it("cannot be asked for with impossible terms", () => {
    for (const validityMs of [0, 999, CERTIFICATE_VALIDITY_MS + 1, Number.NaN, -1]) {
      expect(() => issue({ notBeforeMs: NOW_MS, validityMs })).toThrow(CertificateRequestError);
    }
    expect(() => issue({ notBeforeMs: -1, validityMs: DAY_MS })).toThrow(CertificateRequestError);
  });

  it("that are absent are refused as absent", () => {
    expect(() => proveNode(undefined, NOW_MS)).toThrow(PeerCertificateError);
  });

  it("with any bit flipped never prove an identity", () => {
    const der = derOf(issue().cert);
    fc.assert(
      fc.property(fc.nat({ max: der.length * 8 - 1 }), (bit) => {
        const flipped = Buffer.from(der);
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        let certificate: X509Certificate;
        try {
          certificate = new X509Certificate(flipped);
        } catch {
          return true;
        }
        // OpenSSL forgives encodings it reads to the same content; what counts is that nothing else is proved.
        try {
          return certificate.raw.equals(der) || proveNode(certificate, NOW_MS).nodeId === undefined;
        } catch (error) {
          return error instanceof PeerCertificateError;
        }
      }),
      { numRuns: 600 },
    );
  });
});

describe("the golden vectors of node certificates", () => {
  const { certificates } = JSON.parse(
    readFileSync(new URL("../../../conformance/vectors/node-certificate.json", import.meta.url), "utf8"),
  ) as {
    certificates: readonly { what: string; der: string; nowMs: number; nodeId?: string; reason?: string }[];
  };

  it.each(certificates)("$what", ({ der, nowMs, nodeId, reason }) => {
    const bytes = Buffer.from(der, "hex");
    if (reason !== undefined) expect(faultOf(bytes, nowMs)).toBe(reason);
    else expect(proveNode(new X509Certificate(bytes), nowMs).nodeId).toBe(nodeId);
  });
});

describe("the reader of the identity extension", () => {
  it("throws nothing but PeerCertificateError, whatever the bytes", () => {
    const der = derOf(issue().cert);
    const mutated = fc
      .array(fc.tuple(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 })
      .map((edits) => {
        const bytes = Buffer.from(der);
        for (const [at, value] of edits) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat({ max: der.length }).map((length) => der.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated, cut), (bytes) => {
        try {
          const { publicKey, signature } = readIdentityExtension(bytes);
          return publicKey.length === 32 && signature.length === 64;
        } catch (error) {
          return error instanceof PeerCertificateError;
        }
      }),
      { numRuns: 20_000 },
    );
  });
});
