/** Golden vectors of membership and migration, and noise into every decoder behind a call. */
import { readFileSync } from "node:fs";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type ClusterId, type Epoch, fromHex, toHex } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCertificate, openClusterRecord } from "../src/admission/certificate.ts";
import { ClusterKeys } from "../src/admission/cluster-keys.ts";
import { errorRecordOf } from "../src/admission/error-record.ts";
import { readChange, readLogEntry, readOutcome, readRow, readSession } from "../src/anchor/messages.ts";
import { inOnePiece } from "../src/codec/joined-bytes.ts";
import { decodeCbor, FieldReader } from "../src/index.ts";
import { Statements } from "../src/membership/statement.ts";
import * as moves from "../src/migration/messages.ts";
import { digests, signerOf } from "./digests.ts";

const load = (name: string): never =>
  JSON.parse(
    readFileSync(new URL(`../../../conformance/vectors/${name}.json`, import.meta.url), "utf8"),
  ) as never;

interface MembershipVectors {
  clusterKey: string;
  cluster: ClusterId;
  certificate: {
    node: string;
    nodeKey: string;
    role: string;
    issuedMs: number;
    expiresMs: number;
    hex: string;
  };
  clusterRecord: { anchor: string; anchorEpoch: number; hex: string };
  records: { hex: string; node: string; name: string }[];
  accusations: { hex: string; accuserKey: string; subject: string }[];
}
interface MigrationVectors {
  move: string;
  agent: string;
  chunks: string[];
  hashes: string[];
  bodies: Record<"plan" | "chunk" | "stage" | "activate" | "abort" | "status", string>;
  answers: Record<"plan" | "chunk", string>;
}
const membership: MembershipVectors = load("membership");
const migration: MigrationVectors = load("migration");
const statements = new Statements(
  digests,
  new ClusterKeys(digests, fromHex(membership.clusterKey), membership.cluster),
  () => 1,
);

describe("membership vectors", () => {
  it("the certificate and the cluster record open to what they say", () => {
    const { hex, nodeKey, ...says } = membership.certificate;
    const opened = openCertificate(digests, fromHex(membership.clusterKey), fromHex(hex));
    expect({ ...opened, nodeKey: toHex(opened.nodeKey) }).toEqual({ ...says, nodeKey });
    const { hex: record, ...names } = membership.clusterRecord;
    expect(openClusterRecord(digests, fromHex(record), membership.cluster)).toMatchObject(names);
  });

  it("records and accusations read to what they say, verify, and are written the same", () => {
    for (const { hex, node, ...says } of membership.records) {
      const heard = statements.read(fromHex(hex));
      if (heard.type !== "record") throw new TypeError("not a record");
      expect(heard.record).toEqual(says);
      expect(heard.verify().node).toBe(node);
      expect(
        toHex(statements.signRecord(signerOf(1), fromHex(membership.certificate.hex), heard.record)),
      ).toBe(hex);
    }
    for (const { hex, accuserKey, ...says } of membership.accusations) {
      const heard = statements.read(fromHex(hex));
      if (heard.type !== "accusation") throw new TypeError("not an accusation");
      expect(heard.accusation).toEqual(says);
      expect(heard.verify(fromHex(accuserKey))).toBe(true);
    }
  });

  it("a statement with any byte changed is refused or does not verify", () => {
    const [record, accusation] = [membership.records[0]?.hex ?? "", membership.accusations[0]?.hex ?? ""].map(
      (hex) => fromHex(hex),
    );
    const key = fromHex(membership.accusations[0]?.accuserKey ?? "");
    fc.assert(
      fc.property(
        fc.constantFrom(record, accusation),
        fc.nat(1000),
        fc.integer({ min: 1, max: 255 }),
        (good, at, flip) => {
          const changed = (good as Uint8Array).slice();
          changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ flip;
          try {
            const heard = statements.read(changed);
            if (heard.type === "record") heard.verify();
            else if (heard.type !== "accusation") return;
            else if (heard.verify(key)) throw new TypeError("a changed accusation verifies");
            else return;
            throw new TypeError("a changed record verifies");
          } catch (error) {
            expect(errorCodeOf(error)).toMatch(/^mesh\.(malformed-message|certificate-invalid)$/);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("migration vectors", () => {
  it("running hashes and bodies are as written", () => {
    const move = fromHex(migration.move);
    let hash = moves.firstHash(digests, move);
    const hashes = [toHex(hash)];
    for (const chunk of migration.chunks) {
      hash = moves.nextHash(digests, hash, fromHex(chunk));
      hashes.push(toHex(hash));
    }
    expect(hashes).toEqual(migration.hashes);
    const { bodies, answers } = migration;
    expect(toHex(moves.planBody(moves.readPlan(fromHex(bodies.plan))))).toBe(bodies.plan);
    expect(moves.readPlan(fromHex(bodies.plan))).toMatchObject({
      agent: migration.agent,
      epoch: 4,
      estimatedBytes: 8,
    });
    expect(toHex(inOnePiece(moves.chunkBody(moves.readChunk(fromHex(bodies.chunk)))))).toBe(bodies.chunk);
    expect(moves.readStage(fromHex(bodies.stage))).toEqual({ move, total: 8, hash });
    expect(moves.readActivate(fromHex(bodies.activate))).toEqual({ move, epoch: 5 as Epoch });
    expect(moves.readMove(fromHex(bodies.abort))).toEqual(move);
    expect(moves.readPlanAnswer(fromHex(answers.plan))).toBe("session");
    expect(moves.readNumber(fromHex(answers.chunk))).toBe(3);
  });
});

describe("decoders behind calls", () => {
  it("noise and changed bytes give a typed error, never anything else", () => {
    const decoders: ((bytes: Uint8Array) => unknown)[] = [
      moves.readPlan,
      moves.readChunk,
      moves.readStage,
      moves.readActivate,
      moves.readMove,
      moves.readNumber,
      moves.readPlanAnswer,
      (bytes) => statements.read(bytes),
      (bytes) => errorRecordOf(decodeCbor(bytes)),
      (bytes) => readRow(decodeCbor(bytes)),
      (bytes) => readLogEntry(decodeCbor(bytes)),
      (bytes) => readSession(new FieldReader(decodeCbor(bytes), "x")),
      (bytes) => readChange(new FieldReader(decodeCbor(bytes), "x")),
      (bytes) => readOutcome(new FieldReader(decodeCbor(bytes), "x")),
    ];
    const seeds = [...Object.values(migration.bodies), membership.records[0]?.hex ?? ""].map((hex) =>
      fromHex(hex),
    );
    const changedSeed = fc
      .tuple(fc.constantFrom(...seeds), fc.nat(400), fc.nat(255), fc.nat(400))
      .map(([seed, at, value, length]) => {
        const bytes = seed.slice(0, length);
        if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 120 }), changedSeed),
        fc.constantFrom(...decoders),
        (bytes, decode) => {
          try {
            decode(bytes);
          } catch (error) {
            expect(errorCodeOf(error)).toMatch(/^(mesh|abi)\./);
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
