/** The envelope and CBOR decoders against their vectors, their limits and noise. */
import { readFileSync } from "node:fs";
import { fromHex, toHex } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeBefore } from "../src/codec/cbor.ts";
import {
  CBOR_DEPTH_MAX,
  type CborValue,
  decodeCbor,
  decodeEnvelope,
  encodeCbor,
  encodeEnvelope,
  inOnePiece,
  JoinedBytes,
  KINDS,
  type Kind,
  MeshError,
} from "../src/index.ts";
import { readAck, readClose, readData } from "../src/links/messages.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/envelope.json", import.meta.url), "utf8"),
) as {
  valid: { name: string; kind: Kind; requestId: number; body: string; hex: string }[];
  refused: { name: string; hex: string; code: string }[];
};

const leaf = fc.oneof(
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
  fc.string(),
  fc.uint8Array({ maxLength: 300 }),
);
const { body: anyBody } = fc.letrec<{ body: CborValue; node: CborValue }>((tie) => ({
  body: fc.array(tie("node"), { maxLength: 6 }),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("node"), { maxLength: 4 }),
  ),
}));

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(MeshError);
    return (error as MeshError).code;
  }
}

describe("envelopes", () => {
  for (const { name, kind, requestId, body, hex } of vectors.valid)
    it(`vector ${name} encodes and decodes to itself`, () => {
      const envelope = decodeEnvelope(fromHex(hex));
      expect(envelope).toMatchObject({ kind, requestId });
      expect(toHex(encodeCbor(envelope.body))).toBe(body);
      expect(toHex(encodeEnvelope(envelope))).toBe(hex);
    });

  for (const { name, hex, code } of vectors.refused)
    it(`N1-N3, C1-C3: vector ${name} is refused as ${code}`, () => {
      expect(codeOf(() => decodeEnvelope(fromHex(hex)))).toBe(code);
    });

  it("any body survives the round trip", () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(KINDS)), fc.maxSafeInteger(), anyBody, (kind, id, body) => {
        const envelope = { kind: kind as Kind, requestId: Math.abs(id), body };
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual(envelope);
      }),
    );
  });

  it("noise, truncation and flipped bits give a typed error or a message, never anything else", () => {
    const seed = encodeEnvelope({
      kind: "call",
      requestId: 7,
      body: ["m", new Uint8Array(40), [1, [true, null]]],
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        codeOf(() => decodeEnvelope(noise));
        codeOf(() => decodeCbor(noise));
        for (const read of [readAck, readData, readClose]) codeOf(() => read(decodeCbor(noise)));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.nat(seed.length - 1), fc.nat(255), fc.nat(seed.length), (at, value, length) => {
        const changed = seed.slice(0, length);
        if (at < length) changed[at] = value;
        codeOf(() => decodeEnvelope(changed));
      }),
      { numRuns: 3000 },
    );
  });

  it("N2: a message over its class's limit is refused on both sides", () => {
    const body = [new Uint8Array(1200)];
    expect(codeOf(() => encodeEnvelope({ kind: "ping", requestId: 1, body }, "datagram"))).toBe(
      "mesh.message-too-large",
    );
    expect(codeOf(() => decodeEnvelope(new Uint8Array(1201), "datagram"))).toBe("mesh.message-too-large");
    expect(
      codeOf(() => encodeEnvelope({ kind: "call", requestId: 1, body: [new Uint8Array(16_777_216)] })),
    ).toBe("mesh.message-too-large");
  });

  it("C3: nesting and item count are bounded before anything is built", () => {
    const deep = new Uint8Array(1_000_000).fill(0x81);
    expect(codeOf(() => decodeCbor(deep))).toBe("mesh.malformed-message");
    const nested = (depth: number): CborValue => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(decodeCbor(encodeCbor(nested(CBOR_DEPTH_MAX)))).toEqual(nested(CBOR_DEPTH_MAX));
    expect(codeOf(() => decodeCbor(encodeCbor(nested(CBOR_DEPTH_MAX + 1))))).toBe("mesh.malformed-message");
    const many = new Uint8Array(200_005);
    many.set([0x9a, 0x00, 0x03, 0x0d, 0x40]);
    expect(codeOf(() => decodeCbor(many))).toBe("mesh.malformed-message");
  });

  it("C2: text crosses as it is, and half a surrogate pair as the sign for what is unknown", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 3000 }), (text) => {
        expect(decodeCbor(encodeCbor(text))).toBe(text);
      }),
    );
    for (const text of ["", "a\ufeff", "x".repeat(10_000), "\u{1f600}".repeat(5000)])
      expect(decodeCbor(encodeCbor(text))).toBe(text);
    expect(decodeCbor(encodeCbor("a\ud800b"))).toBe("a\ufffdb");
    expect(decodeCbor(encodeCbor("\udc00"))).toBe("\ufffd");
  });

  it("C5, N4: a chunk is not copied on its way in; a small field is not a view", () => {
    const chunk = new Uint8Array(100_000).fill(7);
    const bytes = encodeEnvelope({ kind: "call", requestId: 1, body: ["m", chunk, new Uint8Array(16)] });
    const [, large, small] = decodeEnvelope(bytes).body as [string, Uint8Array, Uint8Array];
    expect(large.buffer).toBe(bytes.buffer);
    expect(large).toEqual(chunk);
    expect(small.buffer.byteLength).toBe(16);
  });

  it("C4: bytes in parts are one byte string, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), anyBody, (parts, body) => {
        const joined = new JoinedBytes(parts);
        const one = inOnePiece(joined);
        expect(one).toEqual(new Uint8Array(Buffer.concat(parts)));
        expect(toHex(encodeCbor([body, joined]))).toBe(toHex(encodeCbor([body, one])));
        expect(toHex(inOnePiece(encodeBefore([body], joined)))).toBe(toHex(encodeCbor([body, one])));
      }),
    );
  });
});
