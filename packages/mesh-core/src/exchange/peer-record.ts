/**
 * Peer records: where a member listens, in its own words (docs/spec/peer-exchange.md). The semantics are those of libp2p's RFC 0003: a
 * sequence number that only grows, compared and never interpreted.
 *
 * PR1. Only the member itself makes its record, under its membership certificate; clients have none.
 * PR2. Of two records of one member the one with the higher sequence number holds.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { CborValue } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import type { NodeRole } from "../mesh-types.ts";
import { RecordRefusedError } from "../overlay-errors.ts";
import { Vouch, type VouchOptions } from "../vouched.ts";

/** Version of peer records. */
export const PEER_RECORD_VERSION = 1;
/** Largest peer record in bytes. */
export const PEER_RECORD_MAX = 900;
/** Addresses in one record. */
export const PEER_ADDRESSES_MAX = 4;

/** One record. */
export interface PeerRecord {
  readonly node: NodeId;
  readonly role: NodeRole;
  /** Grows with every change, also across starts: the boot epoch is a good beginning. */
  readonly seq: number;
  readonly addresses: readonly HostPort[];
}

/** A record as it arrived. */
export interface HeardPeerRecord {
  readonly record: PeerRecord;
  readonly bytes: Uint8Array;
  verify(): void;
}

/** Signs and reads peer records. */
export class PeerRecords {
  readonly #vouch: Vouch;

  constructor(options: VouchOptions) {
    this.#vouch = new Vouch(options, "peer-record", "a peer record", PEER_RECORD_MAX);
  }

  /** This node's record. */
  sign(seq: number, addresses: readonly HostPort[]): Uint8Array {
    const where: CborValue = addresses.slice(0, PEER_ADDRESSES_MAX).map(({ host, port }) => [host, port]);
    return this.#vouch.sign([PEER_RECORD_VERSION, seq, where]);
  }

  /** A record. @throws {MalformedMessageError}, {RecordRefusedError}, certificate errors. */
  read(bytes: Uint8Array): HeardPeerRecord {
    const vouched = this.#vouch.read(bytes);
    const { node, role } = vouched.speaker;
    if (role === "client") throw new RecordRefusedError("a client listens nowhere");
    const reader = vouched.fields();
    reader.int("version", PEER_RECORD_VERSION, PEER_RECORD_VERSION);
    const seq = reader.int("seq");
    const addresses = reader.list("addresses", PEER_ADDRESSES_MAX, readAddress);
    reader.end();
    return { record: { node, role, seq, addresses }, bytes, verify: () => vouched.verify() };
  }
}

function readAddress(fields: CborValue): HostPort {
  const reader = new FieldReader(fields, "an address");
  const address = { host: reader.text("host", 96, 1), port: reader.int("port", 65_535, 1) };
  reader.end();
  return address;
}
