import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  agentIdHash,
  agentIdOf,
  fromHex,
  nextEpoch,
  nodeIdOf,
  parseAgentId,
  parseClusterId,
  parseNodeId,
  toEpoch,
  toHex,
  toLinkSeq,
} from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(data).digest());
const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/ids.json", import.meta.url), "utf8"),
) as {
  agents: { ownerKey: string; nonce: string; manifestHash: string; hash: string; id: string }[];
  nodes: { publicKey: string; id: string }[];
};

describe("golden vectors (docs/spec/ids.md)", () => {
  test.each(vectors.agents)("ID1: agent $id", (vector) => {
    const identity = {
      ownerKey: fromHex(vector.ownerKey),
      nonce: fromHex(vector.nonce),
      manifestHash: fromHex(vector.manifestHash),
    };
    expect(toHex(agentIdHash(identity, sha256))).toBe(vector.hash);
    expect(agentIdOf(identity, sha256)).toBe(vector.id);
    expect(vector.hash.startsWith(vector.id), "ID2: the id is a prefix of the full hash").toBe(true);
  });

  test.each(vectors.nodes)("node $id", (vector) => {
    expect(nodeIdOf(fromHex(vector.publicKey), sha256)).toBe(vector.id);
  });
});

test("hexadecimal text reads back as the bytes it was made from", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }),
  );
});

test("any text that is not lower-case hexadecimal is refused, never read as something else", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (/^([0-9a-f]{2})*$/.test(text)) return;
      expect(() => fromHex(text)).toThrowError(expect.objectContaining({ code: "abi.malformed" }));
    }),
  );
});

test.each([
  ["", "agent id"],
  ["AB".repeat(16), "agent id"],
  [`${"a".repeat(31)}g`, "agent id"],
  ["a".repeat(33), "agent id"],
])("the text %j is not an agent id", (text, what) => {
  expect(() => parseAgentId(text)).toThrowError(
    expect.objectContaining({ message: expect.stringContaining(what) }),
  );
});

test("node and cluster ids are 64 characters of 0-9a-f", () => {
  const id = "0f".repeat(32);
  expect(parseNodeId(id)).toBe(id);
  expect(parseClusterId(id)).toBe(id);
  for (const bad of ["", id.slice(1), id.toUpperCase(), `${id}0`]) {
    expect(() => parseNodeId(bad)).toThrow();
    expect(() => parseClusterId(bad)).toThrow();
  }
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
  "%s is neither an epoch nor a link sequence",
  (value) => {
    expect(() => toEpoch(value)).toThrow();
    expect(() => toLinkSeq(value)).toThrow();
  },
);

test("epochs only grow, and the last one has no successor", () => {
  expect(nextEpoch(toEpoch(1))).toBe(2);
  expect(() => nextEpoch(toEpoch(Number.MAX_SAFE_INTEGER))).toThrow();
});

test.each([0, 31, 33])("a key of %i bytes names no node and owns no agent", (length) => {
  const key = new Uint8Array(length);
  expect(() => nodeIdOf(key, sha256)).toThrow();
  const identity = { ownerKey: key, nonce: new Uint8Array(16), manifestHash: new Uint8Array(32) };
  expect(() => agentIdHash(identity, sha256)).toThrow();
});
