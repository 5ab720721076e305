/** Golden vectors of the overlay's formats: read to what they say, verified by real keys, written the same again. */
import { readFileSync } from "node:fs";
import { type AgentId, type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { openCertificate } from "../src/admission/certificate.ts";
import {
  giveBody,
  type JobParcel,
  JSON_CODEC,
  loadBody,
  readGive,
  readLoad,
} from "../src/balance/messages.ts";
import { chunkBody, outlineAnswer, readChunkBody, readOutline } from "../src/blobs/messages.ts";
import { Broadcasts, pushBody, readPush } from "../src/broadcast/message.ts";
import { PeerRecords } from "../src/exchange/peer-record.ts";
import { findBody, foundBody, readFind, readFound } from "../src/kademlia/messages.ts";
import { type AgentRecord, AgentRecords, agentKey, nameKey } from "../src/registry/agent-record.ts";
import { rendezvous } from "../src/registry/rendezvous.ts";
import { forwardBody, RoutedBatches, readForward } from "../src/routing/routed-batch.ts";
import type { VouchOptions } from "../src/vouched.ts";
import { digests, signerOf } from "./digests.ts";

interface Vectors {
  clusterKey: string;
  cluster: ClusterId;
  nodeKey: string;
  node: NodeId;
  other: NodeId;
  certificate: string;
  keys: { agent: AgentId; agentKey: string; name: string; nameKey: string };
  rendezvous: { key: string; nodes: NodeId[]; ranked: NodeId[] };
  agentRecord: AgentRecord & { hex: string };
  peerRecord: { seq: number; addresses: { host: string; port: number }[]; hex: string };
  find: { key: string; hex: string };
  found: { hex: string };
  batch: { to: NodeId; seq: number; topic: string; payload: string; hex: string };
  forward: { ttl: number; path: NodeId[]; budgetMs: number; hex: string };
  broadcast: { seq: number; topic: string; payload: string; hex: string; push: string };
  outline: { bytes: number; chunks: string[]; hex: string };
  chunk: { hash: string; index: number; hex: string };
  job: JobParcel & { hex: string };
  load: { waiting: number; running: number; slots: number; cpu: number; features: string[]; hex: string };
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/overlay.json", import.meta.url), "utf8"),
) as Vectors;

const vouch: VouchOptions = {
  signer: signerOf(1),
  digests,
  cluster: () => vectors.cluster,
  certificate: () => fromHex(vectors.certificate),
  open: (bytes) => openCertificate(digests, fromHex(vectors.clusterKey), bytes),
};

describe("vectors of the overlay", () => {
  it("keys and ranks", () => {
    const { keys, rendezvous: ranks } = vectors;
    expect([agentKey(digests, keys.agent), nameKey(digests, keys.name)]).toEqual([
      keys.agentKey,
      keys.nameKey,
    ]);
    expect(rendezvous(ranks.key, ranks.nodes, 5)).toEqual(ranks.ranked);
  });

  it("signed records and messages", () => {
    const { hex, ...record } = vectors.agentRecord;
    const records = new AgentRecords(vouch);
    const heard = records.read(fromHex(hex));
    heard.verify();
    expect([heard.record, heard.speaker, toHex(records.sign(record))]).toEqual([record, vectors.node, hex]);
    const peers = new PeerRecords(vouch);
    const peer = peers.read(fromHex(vectors.peerRecord.hex));
    peer.verify();
    expect(peer.record).toMatchObject({
      node: vectors.node,
      role: "core",
      seq: 6,
      addresses: vectors.peerRecord.addresses,
    });
    const batch = new RoutedBatches(vouch).read(fromHex(vectors.batch.hex));
    batch.verify();
    expect(batch).toMatchObject({
      source: vectors.node,
      batch: { to: vectors.batch.to, seq: 9, messages: [{ topic: "mail" }] },
    });
    const cast = new Broadcasts(vouch).read(fromHex(vectors.broadcast.hex));
    cast.verify();
    expect([cast.origin, cast.message.seq, toHex(cast.message.payload)]).toEqual([
      vectors.node,
      4,
      vectors.broadcast.payload,
    ]);
  });

  it("bodies of the methods", () => {
    const again = [
      [findBody(readFind(fromHex(vectors.find.hex))), vectors.find.hex],
      [foundBody(readFound(fromHex(vectors.found.hex))), vectors.found.hex],
      [forwardBody(readForward(fromHex(vectors.forward.hex))), vectors.forward.hex],
      [pushBody(readPush(fromHex(vectors.broadcast.push))), vectors.broadcast.push],
      [outlineAnswer(readOutline(fromHex(vectors.outline.hex))), vectors.outline.hex],
      [chunkBody(vectors.chunk.hash, vectors.chunk.index), vectors.chunk.hex],
      [giveBody(readGive(fromHex(vectors.job.hex), JSON_CODEC), JSON_CODEC), vectors.job.hex],
      [loadBody(readLoad(fromHex(vectors.load.hex))), vectors.load.hex],
    ] as const;
    for (const [written, hex] of again) expect(toHex(written)).toBe(hex);
    expect(readFind(fromHex(vectors.find.hex))).toMatchObject({ key: vectors.find.key, value: true });
    expect(readFound(fromHex(vectors.found.hex)).contacts).toMatchObject([{ node: vectors.other }]);
    expect(readForward(fromHex(vectors.forward.hex))).toMatchObject({
      ttl: 15,
      path: [vectors.node],
      budgetMs: 20_000,
    });
    expect(readOutline(fromHex(vectors.outline.hex))).toEqual({
      bytes: 65_537,
      chunks: vectors.outline.chunks,
    });
    expect(readChunkBody(fromHex(vectors.chunk.hex))).toEqual({ hash: vectors.chunk.hash, index: 1 });
    const { hex: _job, ...parcel } = vectors.job;
    expect(readGive(fromHex(vectors.job.hex), JSON_CODEC)).toEqual(parcel);
    expect(readLoad(fromHex(vectors.load.hex))).toMatchObject({
      waiting: 3,
      cpu: 0.5,
      memoryFree: undefined,
    });
  });
});
