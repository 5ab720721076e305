import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BadKeyError, createEd25519Signer, createSystemDigests, generateEd25519Key } from "../src/digests.ts";
import { KEPT_KEYS, PublicKeyTable } from "../src/public-key-table.ts";
import { digestsContract, ED25519_VECTOR, signerContract } from "../src/testing/index.ts";
import { forgeSmallOrder, satisfiesEquation } from "./edwards25519.ts";

/** The DER around a raw Ed25519 secret in PKCS#8 (RFC 8410 section 7). */
const pkcs8 = (secret: string) =>
  new Uint8Array(Buffer.from(`302e020100300506032b657004220420${secret}`, "hex"));

describe("digests", () => {
  for (const contract of digestsContract(createSystemDigests)) it(contract.title, contract.run);

  it("verify never throws, whatever the bytes (D1)", () => {
    const digests = createSystemDigests();
    const some = fc.uint8Array({ maxLength: 100 });
    const key = fc.oneof(some, fc.uint8Array({ minLength: 32, maxLength: 32 }));
    const signature = fc.oneof(some, fc.uint8Array({ minLength: 64, maxLength: 64 }));
    fc.assert(
      fc.property(key, some, signature, (publicKey, message, bytes) => {
        expect(digests.verify(publicKey, message, bytes)).toBe(false);
      }),
    );
  });

  it("a signature forged without a private key is refused for every key of small order (D2)", () => {
    const digests = createSystemDigests();
    const forged = forgeSmallOrder((data) => digests.sha256(data));
    expect(forged.map(({ order }) => order).sort()).toEqual([1, 2, 4, 4, 8, 8, 8, 8]);
    for (const { order, publicKey, message, signature } of forged) {
      expect(satisfiesEquation(publicKey, message, signature), `order ${order}`).toBe(true);
      expect(digests.verify(publicKey, message, signature), `order ${order}`).toBe(false);
    }
  });

  it("the equation the forgeries satisfy holds for a real signature and not for another message", () => {
    const [publicKey, message, signature] = [
      ED25519_VECTOR.publicKey,
      ED25519_VECTOR.message,
      ED25519_VECTOR.point + ED25519_VECTOR.scalar,
    ].map((hex) => new Uint8Array(Buffer.from(hex, "hex"))) as [Uint8Array, Uint8Array, Uint8Array];
    expect(satisfiesEquation(publicKey, message, signature)).toBe(true);
    expect(satisfiesEquation(publicKey, new Uint8Array([1]), signature)).toBe(false);
  });

  it("a key that was seen before is never taken for another one (K1)", () => {
    const digests = createSystemDigests();
    const signers = [1, 2, 3].map(() => createEd25519Signer(generateEd25519Key()));
    const message = new Uint8Array([1, 2, 3]);
    for (let round = 0; round < 3; round += 1) {
      for (const holder of signers) {
        for (const signer of signers) {
          expect(digests.verify(holder.publicKey, message, signer.sign(message))).toBe(holder === signer);
        }
      }
    }
  });
});

describe("the table of public keys", () => {
  const keys = Array.from({ length: 5 }, () => createEd25519Signer(generateEd25519Key()).publicKey);

  it("never holds more than its limit, and drops the key used longest ago (K2)", () => {
    const table = new PublicKeyTable(3);
    const objects = keys.slice(0, 3).map((key) => table.get(key));
    expect(table.get(keys[0]!)).toBe(objects[0]);
    table.get(keys[3]!);
    expect(table.size).toBe(3);
    expect(table.get(keys[0]!)).toBe(objects[0]);
    expect(table.get(keys[1]!)).not.toBe(objects[1]);
    for (const key of keys) table.get(key);
    expect(table.size).toBe(3);
  });

  it("holds 1,024 keys by default", () => {
    expect(KEPT_KEYS).toBe(1024);
  });
});

describe("the Ed25519 signer", () => {
  const key = generateEd25519Key();
  for (const contract of signerContract(() => createEd25519Signer(key), createSystemDigests())) {
    it(contract.title, contract.run);
  }

  it("gives the key and signature of RFC 8032", () => {
    const signer = createEd25519Signer(pkcs8(ED25519_VECTOR.secret));
    expect(Buffer.from(signer.publicKey).toString("hex")).toBe(ED25519_VECTOR.publicKey);
    const signature = signer.sign(new Uint8Array(Buffer.from(ED25519_VECTOR.message, "hex")));
    expect(Buffer.from(signature).toString("hex")).toBe(ED25519_VECTOR.point + ED25519_VECTOR.scalar);
  });

  it("takes the same key as PEM", () => {
    const pem = createPrivateKey({ key: Buffer.from(key), format: "der", type: "pkcs8" }).export({
      format: "pem",
      type: "pkcs8",
    });
    expect(createEd25519Signer(pem as string).publicKey).toEqual(createEd25519Signer(key).publicKey);
  });

  it("is not affected when the caller wipes the key bytes afterwards", () => {
    const own = generateEd25519Key();
    const signer = createEd25519Signer(own);
    own.fill(0);
    const message = new Uint8Array([7]);
    expect(createSystemDigests().verify(signer.publicKey, message, signer.sign(message))).toBe(true);
  });

  it("refuses what is not an Ed25519 private key, without quoting it (S1, S2)", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      format: "der",
      type: "pkcs8",
    });
    const locked = generateKeyPairSync("ed25519").privateKey.export({
      format: "pem",
      type: "pkcs8",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    const refused = [
      new Uint8Array(),
      new Uint8Array(32).fill(7),
      "",
      "hunter2",
      ec,
      locked as string,
      new Uint8Array(20_000),
    ];
    for (const bad of refused) {
      expect(() => createEd25519Signer(bad)).toThrow(BadKeyError);
    }
    expect(() => createEd25519Signer(ec)).toThrow("ec");
    try {
      createEd25519Signer("hunter2");
    } catch (error) {
      expect(JSON.stringify((error as BadKeyError).toRecord())).not.toContain("hunter2");
      expect((error as Error).cause).toBeUndefined();
    }
  });

  it("a key from generateEd25519Key shows no secret through the signer's properties", () => {
    const signer = createEd25519Signer(key);
    const secret = Buffer.from(key.subarray(16)).toString("hex");
    expect(
      JSON.stringify(signer, (_, value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
      ),
    ).not.toContain(secret);
  });
});
