/** Admission: who gets in, who does not, and what each side is told. */
import { readFileSync } from "node:fs";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase32, toBase32 } from "../src/admission/base32.ts";
import {
  issueCertificate,
  openCertificate,
  openClusterRecord,
  signClusterRecord,
} from "../src/admission/certificate.ts";
import { formatJoinLine } from "../src/admission/join-line.ts";
import { JoinTokens, joinProof, TOKENS_MAX, tokenIdOf } from "../src/admission/join-token.ts";
import { encodeEnvelope, parseJoinLine } from "../src/index.ts";
import { CALM } from "../src/testing/index.ts";
import { Cluster, type TestNode } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/join.json", import.meta.url), "utf8"),
) as {
  lines: {
    line: string;
    cluster: string;
    introducer: string;
    host: string;
    port: number;
    secret: string;
    expiresSeconds: number;
    uses: number;
  }[];
  refused: { line: string; code: string }[];
  proofs: {
    side: "joiner" | "introducer";
    secret: string;
    exporter: string;
    cluster: string;
    introducer: string;
    joiner: string;
    role: string;
    proof: string;
    tokenId: string;
  }[];
};

async function codeOf(cluster: Cluster, promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await cluster.time.settle(promise);
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  }
}

const refusals = ({ events }: TestNode): string[] =>
  events.flatMap((event) => (event.kind === "refused" ? [event.code] : []));

describe("a join line", () => {
  for (const { line, host, port, secret, ...rest } of vectors.lines)
    it(`J1: vector ${host} parses and formats to itself`, () => {
      const parsed = parseJoinLine(line, digests);
      expect(parsed).toEqual({ ...rest, address: { host, port }, secret: fromHex(secret) });
      expect(formatJoinLine(parsed, digests)).toBe(line);
      expect(
        parseJoinLine(
          `  ${line.toUpperCase().replace(/^[^/]*\/[^/]*\//, `${line.split("/").slice(0, 2).join("/")}/`)}\n`,
          digests,
        ),
      ).toEqual(parsed);
    });

  for (const { line, code } of vectors.refused)
    it(`vector ${JSON.stringify(line.slice(0, 40))} is refused as ${code}`, () => {
      expect(() => parseJoinLine(line, digests)).toThrow(expect.objectContaining({ code }));
    });

  it("J1: any changed, lost or added character is a typed refusal", () => {
    const line = vectors.lines[0]?.line ?? "";
    fc.assert(
      fc.property(
        fc.nat(line.length - 1),
        fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz./:-!"),
        fc.nat(2),
        (at, character, how) => {
          const changed =
            line.slice(0, at) + (how === 1 ? "" : character) + line.slice(how === 2 ? at : at + 1);
          if (changed === line) return;
          try {
            const parsed = parseJoinLine(changed, digests);
            expect(formatJoinLine(parsed, digests), "only a harmless spelling is accepted").toBe(line);
          } catch (error) {
            expect(errorCodeOf(error)).toMatch(/^mesh\.join-line-/);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("base 32 keeps every byte string", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromBase32(toBase32(bytes))).toEqual(bytes);
      }),
    );
  });

  for (const { side, proof, tokenId, ...context } of vectors.proofs)
    it(`JT1: vector of the ${side}'s proof`, () => {
      const secret = fromHex(context.secret);
      const made = joinProof(digests, side, {
        secret,
        exporter: fromHex(context.exporter),
        cluster: context.cluster as ClusterId,
        introducer: context.introducer as NodeId,
        joiner: context.joiner as NodeId,
        role: context.role,
      });
      expect(toHex(made)).toBe(proof);
      expect(toHex(tokenIdOf(digests, secret))).toBe(tokenId);
    });
});

describe("joining", () => {
  async function founded(): Promise<Cluster> {
    const cluster = new Cluster(31);
    await cluster.boot(1);
    return cluster;
  }

  it("JT3, uses: a line admits as many nodes as it says, one node as often as it likes", async () => {
    const cluster = await founded();
    const line = cluster.anchor.mesh.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const first = cluster.build(1, "edge", { kind: "join", line });
    await cluster.time.settle(first.mesh.start());
    await cluster.time.settle(first.mesh.stop());
    const again = cluster.build(1, "edge", { kind: "join", line }, { bootEpoch: 2 });
    await cluster.time.settle(again.mesh.start());
    const second = cluster.build(2, "edge", { kind: "join", line });
    expect(await codeOf(cluster, second.mesh.start())).toBe("mesh.join-token-used-up");
    expect(refusals(cluster.anchor)).toEqual(["mesh.join-token-used-up"]);
  });

  it("an expired line is refused with the same code on both sides", async () => {
    const cluster = await founded();
    const line = cluster.anchor.mesh.createJoinLine({ ttlMs: 1000, uses: 5 });
    await cluster.time.advance(2500);
    const late = cluster.build(1, "edge", { kind: "join", line });
    expect(await codeOf(cluster, late.mesh.start())).toBe("mesh.join-token-expired");
    expect(refusals(cluster.anchor)).toEqual(["mesh.join-token-expired"]);
  });

  it("an unknown token, another introducer and a wrong secret are refused", async () => {
    const cluster = await founded();
    const good = parseJoinLine(cluster.joinLine, digests);
    const start = (change: Partial<typeof good>): Promise<string | undefined> => {
      const line = formatJoinLine({ ...good, ...change }, digests);
      return codeOf(cluster, cluster.build(1, "edge", { kind: "join", line }).mesh.start());
    };
    expect(await start({ secret: new Uint8Array(16) })).toBe("mesh.join-token-unknown");
    expect(await start({ introducer: idOf(signerOf(9)) })).toBe("mesh.introducer-unreachable");
    expect(await start({ address: { host: "memory", port: 9 } })).toBe("mesh.introducer-unreachable");
    expect(await start({ cluster: "ab".repeat(32) as ClusterId })).toBe("mesh.wrong-cluster");
    expect(cluster.anchor.mesh.members()).toHaveLength(1);
  });

  it("JT1: a proof made for another session, or with another secret, is refused and uses nothing up", () => {
    const tokens = new JoinTokens(digests);
    const secret = new Uint8Array(16).fill(7);
    tokens.add(secret, { expiresSeconds: 100, uses: 1, madeMs: 0 });
    const context = {
      exporter: new Uint8Array(32),
      cluster: "ab".repeat(32) as ClusterId,
      introducer: idOf(signerOf(1)),
      joiner: idOf(signerOf(2)),
      role: "edge",
    };
    const id = tokenIdOf(digests, secret);
    const proof = joinProof(digests, "joiner", { ...context, secret });
    const other = { ...context, exporter: new Uint8Array(32).fill(1) };
    const code = (run: () => unknown): string | undefined => {
      try {
        run();
        return undefined;
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    expect(code(() => tokens.redeem(id, proof, other, { wallMs: 0 }))).toBe("mesh.join-proof-invalid");
    expect(code(() => tokens.redeem(id, proof, { ...context, role: "core" }, { wallMs: 0 }))).toBe(
      "mesh.join-proof-invalid",
    );
    expect(code(() => tokens.redeem(id, proof, context, { wallMs: 100_000 }))).toBe(
      "mesh.join-token-expired",
    );
    expect(code(() => tokens.redeem(id, proof, context, { wallMs: 0 }))).toBe(undefined);
    const terms = { expiresSeconds: 100, uses: 1, madeMs: 0 };
    for (let n = 0; n < TOKENS_MAX; n++) tokens.add(new Uint8Array(16).fill(n % 251).fill(n >> 4, 8), terms);
    for (let n = 0; n < TOKENS_MAX; n++)
      tokens.add(digests.sha256(Uint8Array.of(n, n >> 8)).subarray(0, 16), terms);
    expect(code(() => tokens.redeem(id, proof, context, { wallMs: 0 }))).toBe("mesh.join-token-unknown");
  });

  it("only the founder makes join lines, and only within its limits", async () => {
    const cluster = new Cluster(32);
    await cluster.boot(2);
    expect(() => cluster.node(1).mesh.createJoinLine({ ttlMs: 60_000, uses: 1 })).toThrow(
      expect.objectContaining({ code: "mesh.no-cluster-key" }),
    );
    for (const options of [
      { ttlMs: 10, uses: 1 },
      { ttlMs: 60_000, uses: 0 },
      { ttlMs: 60_000, uses: 10_001 },
    ])
      expect(() => cluster.anchor.mesh.createJoinLine(options)).toThrow(
        expect.objectContaining({ code: "mesh.invalid-option" }),
      );
  });

  it("H2: a stranger's messages are refused before they are looked at, and its session ends", async () => {
    const cluster = await founded();
    const signer = signerOf(50);
    const stranger = cluster.network.process({ node: idOf(signer), publicKey: signer.publicKey });
    const address = cluster.anchor.mesh.address ?? { host: "", port: 0 };
    for (const kind of ["call", "linkData", "viewDigest", "ping", "welcome", "ready"] as const) {
      const session = await cluster.time.settle(stranger.transport.connect(address));
      const heard: number[] = [];
      session.onMessage((_class, bytes) => void heard.push(bytes[1] ?? 0));
      let closed = false;
      session.closed.then(() => {
        closed = true;
      });
      void session.send("request", encodeEnvelope({ kind, requestId: 1, body: [] }));
      await cluster.time.advance(100);
      expect(closed, kind).toBe(true);
      expect(heard, "one refusal").toEqual([4]);
    }
    expect(new Set(refusals(cluster.anchor))).toEqual(new Set(["mesh.not-admitted"]));
  });

  it("H2: noise on an unadmitted or admitted session closes it with a typed refusal", async () => {
    const cluster = new Cluster(33);
    await cluster.boot(2);
    const signer = signerOf(51);
    const stranger = cluster.network.process({ node: idOf(signer), publicKey: signer.publicKey });
    const address = cluster.anchor.mesh.address ?? { host: "", port: 0 };
    const session = await cluster.time.settle(stranger.transport.connect(address));
    let closed = false;
    session.closed.then(() => {
      closed = true;
    });
    void session.send("request", Uint8Array.of(9, 9, 9));
    await cluster.time.advance(6000);
    expect(closed).toBe(true);
    expect(refusals(cluster.anchor)).toEqual(["mesh.malformed-message"]);
    const slow = await cluster.time.settle(stranger.transport.connect(address));
    let ended = false;
    slow.closed.then(() => {
      ended = true;
    });
    await cluster.time.advance(6000);
    expect(ended, "S4: a session that says nothing is closed").toBe(true);
  });

  it("AC1-AC4: certificates of another cluster, another key, or out of date are refused", () => {
    const [cluster, foreign, node] = [signerOf(0, "cluster"), signerOf(1, "cluster"), signerOf(1)];
    const issue = (by: typeof cluster) =>
      issueCertificate(by, { nodeKey: node.publicKey, role: "edge", issuedMs: 1, expiresMs: 9 });
    expect(openCertificate(digests, cluster.publicKey, issue(cluster))).toMatchObject({
      role: "edge",
      node: idOf(node),
    });
    expect(() => openCertificate(digests, cluster.publicKey, issue(foreign))).toThrow(/another cluster/);
    const record = signClusterRecord(cluster, node.publicKey, 3);
    expect(openClusterRecord(digests, record)).toMatchObject({ anchor: idOf(node), anchorEpoch: 3 });
    expect(() => openClusterRecord(digests, record, "ab".repeat(32) as ClusterId)).toThrow(
      /belongs to cluster/,
    );
    fc.assert(
      fc.property(fc.nat(record.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        for (const [bytes, open] of [
          [record, (b: Uint8Array) => openClusterRecord(digests, b)],
          [issue(cluster), (b: Uint8Array) => openCertificate(digests, cluster.publicKey, b)],
        ] as const) {
          const changed = bytes.slice();
          changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ flip;
          expect(() => open(changed)).toThrow(
            expect.objectContaining({ code: expect.stringMatching(/^mesh\./) }),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a member whose certificate has expired is refused, and says so", async () => {
    const cluster = new Cluster(34, CALM);
    await cluster.boot(2, { certificateTtlMs: 60_000 });
    const credentials = cluster.node(1).mesh.credentials();
    await cluster.time.settle(cluster.node(1).mesh.stop());
    await cluster.time.advance(400_000);
    const contacts = [cluster.anchor.mesh.address ?? { host: "", port: 0 }];
    const again = cluster.build(1, "edge", { kind: "member", credentials, contacts }, { bootEpoch: 2 });
    expect(await codeOf(cluster, again.mesh.start())).toBe("mesh.certificate-expired");
  });
});
