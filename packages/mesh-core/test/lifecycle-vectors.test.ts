/** Golden vectors of removals, key successions and view digests (docs/spec/membership.md, docs/spec/join.md). */
import { readFileSync } from "node:fs";
import { type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { ClusterKeys, signSuccession } from "../src/admission/cluster-keys.ts";
import { Removals } from "../src/admission/removals.ts";
import { MemberTable } from "../src/membership/member-table.ts";
import { Statements } from "../src/membership/statement.ts";
import { ViewDigest } from "../src/membership/view-digest.ts";
import { digests, signerOf } from "./digests.ts";

interface Row {
  readonly node: NodeId;
  readonly bootEpoch: number;
  readonly incarnation: number;
  readonly left: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/membership.json", import.meta.url), "utf8"),
) as {
  clusterKey: string;
  cluster: ClusterId;
  removal: { hex: string; node: NodeId; removedMs: number; untilMs: number };
  succession: { hex: string; nextKey: string; overlapUntilMs: number };
  view: { rows: Row[]; removed: { node: NodeId; removedMs: number }[]; bucket0: string; bucket255: string };
};
const key = fromHex(vectors.clusterKey);
const signer = signerOf(0, "cluster");

describe("vectors of what a cluster key signs", () => {
  it("the removal reads to what it says, verifies, and is written the same", () => {
    const statements = new Statements(digests, new ClusterKeys(digests, key, vectors.cluster), () => 1);
    const { hex, ...says } = vectors.removal;
    const heard = statements.read(fromHex(hex));
    if (heard.type !== "removal") throw new TypeError("it is no removal");
    expect(heard.removal).toEqual(says);
    expect(() => heard.verify()).not.toThrow();
    expect(toHex(statements.signRemoval(signer, says))).toBe(hex);
  });

  it("the succession is adopted, and is written the same", () => {
    const keys = new ClusterKeys(digests, key, vectors.cluster);
    const { hex, nextKey, overlapUntilMs } = vectors.succession;
    expect(keys.adopt(fromHex(hex))).toBe(true);
    expect(toHex(keys.current)).toBe(nextKey);
    expect(toHex(signSuccession(signer, vectors.cluster, fromHex(nextKey), overlapUntilMs))).toBe(hex);
  });

  it("any changed byte of either is a typed refusal", () => {
    const statements = new Statements(digests, new ClusterKeys(digests, key), () => 1);
    for (const { hex } of [vectors.removal, vectors.succession])
      for (let at = 0; at < hex.length / 2; at++) {
        const changed = Uint8Array.from(fromHex(hex));
        changed[at] = (changed[at] ?? 0) ^ 0x21;
        const believe = (): void => {
          if (hex === vectors.succession.hex) new ClusterKeys(digests, key).adopt(changed);
          else {
            const heard = statements.read(changed);
            if (heard.type === "removal") heard.verify();
          }
        };
        expect(believe).toThrow(expect.objectContaining({ code: expect.stringMatching(/^mesh\./) }));
      }
  });
});

describe("vectors of a view's digest", () => {
  /** A bucket as the page says, written here once more. */
  function bucket(prefix: string): string {
    const number = (value: number): string => value.toString(16).padStart(16, "0");
    const rows = vectors.view.rows
      .filter(({ node }) => node.startsWith(prefix))
      .sort((a, b) => (a.node < b.node ? -1 : 1))
      .map((row) => row.node + number(row.bootEpoch) + number(row.incarnation) + (row.left ? "03" : "00"));
    const removed = vectors.view.removed
      .filter(({ node }) => node.startsWith(prefix))
      .map(({ node, removedMs }) => `${node}${number(removedMs)}ff`);
    return toHex(digests.sha256(fromHex([...rows, ...removed].join(""))).subarray(0, 8));
  }

  it("buckets with rows, with a removal, and empty ones", () => {
    expect(bucket("00")).toBe(vectors.view.bucket0);
    expect(bucket("ff")).toBe(vectors.view.bucket255);
    const [table, removals] = [new MemberTable(), new Removals()];
    for (const { node, ...version } of vectors.view.rows) {
      const certificate = { node, nodeKey: key, role: "edge" as const, issuedMs: 0, expiresMs: 1 };
      const record = { name: "n", address: { host: "h", port: 1 }, ...version };
      table.put(certificate, record, new Uint8Array(1), 0);
    }
    for (const removal of vectors.view.removed)
      removals.put({ ...removal, untilMs: 9e15 }, new Uint8Array(1));
    const bytes = new ViewDigest(table, removals, digests).bytes();
    expect(toHex(bytes.subarray(0, 8))).toBe(vectors.view.bucket0);
    expect(toHex(bytes.subarray(255 * 8))).toBe(vectors.view.bucket255);
    expect(bytes.subarray(8, 255 * 8).every((byte) => byte === 0)).toBe(true);
  });
});
