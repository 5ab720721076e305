/** What every `Digests` and `Signer` must do, with vectors of the standards. */
import assert from "node:assert/strict";
import type { Digests, Signer } from "@glia-os/abi/ports";
import type { ContractCase } from "./contract-case.ts";

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** FIPS 180-4 examples: the empty message, one block and two blocks. */
const SHA256_VECTORS = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
] as const;

/** RFC 4231 test case 2. */
const HMAC_VECTOR = {
  key: "Jefe",
  data: "what do ya want for nothing?",
  mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
} as const;

/** RFC 8032 section 7.1, test 3. */
export const ED25519_VECTOR = {
  secret: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
  publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
  message: "af82",
  /** The two halves of the signature: the point R and the scalar S. */
  point: "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
  scalar: "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
} as const;

function digestCases(make: () => Digests): readonly ContractCase[] {
  return [
    {
      title: "SHA-256 gives the digests of FIPS 180-4",
      run: async () => {
        for (const [message, digest] of SHA256_VECTORS)
          assert.equal(hex(make().sha256(text(message))), digest);
      },
    },
    {
      title: "SHA-256 of parts is that of all of them, wherever they are cut",
      run: async () => {
        const digests = make();
        for (const [message, digest] of SHA256_VECTORS)
          for (let cut = 0; cut <= message.length; cut++) {
            const parts = [text(message.slice(0, cut)), text(""), text(message.slice(cut))];
            assert.equal(hex(digests.sha256Of?.(parts) ?? digests.sha256(text(message))), digest);
          }
      },
    },
    {
      title: "HMAC-SHA-256 gives the code of RFC 4231",
      run: async () => {
        assert.equal(hex(make().hmacSha256(text(HMAC_VECTOR.key), text(HMAC_VECTOR.data))), HMAC_VECTOR.mac);
      },
    },
    {
      title: "constant-time equality agrees with comparison, also for different lengths",
      run: async () => {
        const { equalConstantTime } = make();
        assert.equal(equalConstantTime(bytes("0102"), bytes("0102")), true);
        assert.equal(equalConstantTime(bytes("0102"), bytes("0103")), false);
        assert.equal(equalConstantTime(bytes("0102"), bytes("01")), false);
        assert.equal(equalConstantTime(bytes(""), bytes("")), true);
      },
    },
  ];
}

/** The contract of `Digests`. */
export function digestsContract(make: () => Digests): readonly ContractCase[] {
  const { publicKey, message, point, scalar } = ED25519_VECTOR;
  const signature = point + scalar;
  return [
    ...digestCases(make),
    {
      title: "verify accepts the signature of RFC 8032 and refuses it with any one bit changed",
      run: async () => {
        const digests = make();
        const signed = bytes(signature);
        assert.equal(digests.verify(bytes(publicKey), bytes(message), signed), true);
        for (let bit = 0; bit < signed.length * 8; bit += 1) {
          const changed = signed.slice();
          changed[bit >> 3]! ^= 1 << (bit & 7);
          assert.equal(digests.verify(bytes(publicKey), bytes(message), changed), false, `bit ${bit}`);
        }
        assert.equal(digests.verify(bytes(publicKey), bytes("af83"), signed), false);
      },
    },
    {
      title: "verify answers false for keys and signatures of any other length",
      run: async () => {
        const digests = make();
        for (const length of [0, 1, 31, 33, 63, 64, 65, 128]) {
          assert.equal(digests.verify(new Uint8Array(length), bytes(message), bytes(signature)), false);
          if (length !== 64) {
            assert.equal(digests.verify(bytes(publicKey), bytes(message), new Uint8Array(length)), false);
          }
        }
      },
    },
  ];
}

/** The contract of `Signer`: what it signs verifies under its public key and nothing else does. */
export function signerContract(make: () => Signer, digests: Digests): readonly ContractCase[] {
  return [
    {
      title: "a signature has 64 bytes and verifies under the signer's 32-byte public key",
      run: async () => {
        const signer = make();
        const signature = signer.sign(text("message"));
        assert.equal(signer.publicKey.length, 32);
        assert.equal(signature.length, 64);
        assert.equal(digests.verify(signer.publicKey, text("message"), signature), true);
        assert.equal(digests.verify(signer.publicKey, text("another"), signature), false);
      },
    },
    {
      title: "changing the public key a signer gave out does not change the signer",
      run: async () => {
        const signer = make();
        const before = hex(signer.publicKey);
        signer.publicKey.fill(0);
        assert.equal(hex(signer.publicKey), before);
      },
    },
  ];
}
