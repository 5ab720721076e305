/**
 * What the registry says of one agent (docs/spec/registry.md).
 *
 * AR1. Only a member of the cluster makes records; one that says "it is here" names its speaker as the owner.
 * AR2. Of two records for one agent, the one with the higher (epoch, boot epoch, sequence number) holds.
 * AR3. The life of a record counts on the monotonic clock from its arrival, shortened by its age on the wall clock: a wall clock that
 *      jumps back does not keep it, and no record outlives its time to live.
 */
import { type AgentId, type Epoch, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests, HostPort } from "@glia-os/abi/ports";
import { CLOCK_SKEW_MS } from "../admission/certificate.ts";
import { ascii, concat } from "../codec/ascii.ts";
import type { CborValue } from "../codec/cbor.ts";
import type { FieldReader } from "../codec/reader.ts";
import { FieldReader as Reader } from "../codec/reader.ts";
import { RecordRefusedError } from "../overlay-errors.ts";
import { Vouch, type VouchOptions } from "../vouched.ts";

/** Version of agent records. */
export const AGENT_RECORD_VERSION = 1;
/** Longest life of a record in milliseconds: 10 minutes. */
export const RECORD_TTL_MS = 600_000;
/** Largest record in bytes. */
export const AGENT_RECORD_MAX = 1024;
/** Longest agent name in a record, in UTF-16 units. */
export const AGENT_NAME_MAX = 64;
/** Addresses in a record. */
export const ADDRESSES_MAX = 2;

/** `live`: it is with the owner. `moved`: its former host says where it went. `gone`: it ended. */
export type AgentRecordStatus = "live" | "moved" | "gone";
const STATUSES: readonly AgentRecordStatus[] = ["live", "moved", "gone"];

/** One record. */
export interface AgentRecord {
  readonly agent: AgentId;
  /** Empty when the agent has none. */
  readonly name: string;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** Boot epoch of the speaker; 0 in a `moved` record, so that the new owner's own record holds. */
  readonly boot: number;
  /** Grows with every publication of this boot. */
  readonly seq: number;
  /** Where the owner listens. */
  readonly addresses: readonly HostPort[];
  readonly status: AgentRecordStatus;
  /** Wall clock of the speaker when it was signed, in milliseconds since the Unix epoch. */
  readonly issuedMs: number;
  /** Life in milliseconds from then: 1 to {@link RECORD_TTL_MS}. */
  readonly ttlMs: number;
}

/** A record as it arrived, not verified. */
export interface HeardAgentRecord {
  readonly record: AgentRecord;
  readonly speaker: NodeId;
  readonly bytes: Uint8Array;
  /** @throws `mesh.certificate-invalid`. */
  verify(): void;
}

/** Signs and reads agent records. */
export class AgentRecords {
  readonly #vouch: Vouch;

  constructor(options: VouchOptions) {
    this.#vouch = new Vouch(options, "agent-record", "an agent record", AGENT_RECORD_MAX);
  }

  /** The signed bytes of a record. */
  sign(record: AgentRecord): Uint8Array {
    const { agent, name, owner, epoch, boot, seq, addresses, status, issuedMs, ttlMs } = record;
    const where: CborValue = addresses.map(({ host, port }) => [host, port]);
    const who = [fromHex(agent), name, fromHex(owner), epoch, boot, seq];
    const bytes = this.#vouch.sign([
      AGENT_RECORD_VERSION,
      ...who,
      where,
      STATUSES.indexOf(status),
      issuedMs,
      ttlMs,
    ]);
    if (bytes.length > AGENT_RECORD_MAX)
      throw new RecordRefusedError(`it has ${bytes.length} bytes, more than ${AGENT_RECORD_MAX}`);
    return bytes;
  }

  /** A record. @throws {MalformedMessageError}, {RecordRefusedError} (AR1) and certificate errors. */
  read(bytes: Uint8Array): HeardAgentRecord {
    if (bytes.length > AGENT_RECORD_MAX)
      throw new RecordRefusedError(`it has ${bytes.length} bytes, more than ${AGENT_RECORD_MAX}`);
    const vouched = this.#vouch.read(bytes);
    const record = readFields(vouched.fields());
    const speaker = vouched.speaker.node;
    if (vouched.speaker.role === "client") throw new RecordRefusedError("a client hosts no agents");
    if (record.status !== "moved" && record.owner !== speaker)
      throw new RecordRefusedError("its speaker is not the owner it names");
    if (record.status === "moved" && (record.owner === speaker || record.boot !== 0 || record.seq !== 0))
      throw new RecordRefusedError("it is no valid word of a former host");
    return { record, speaker, bytes, verify: () => vouched.verify() };
  }
}

/** How long a record may still be kept, in milliseconds; 0 or less when it has expired (AR3). @throws {RecordRefusedError}. */
export function remainingMs({ issuedMs, ttlMs }: AgentRecord, wallMs: number): number {
  const ageMs = wallMs - issuedMs;
  if (ageMs < -CLOCK_SKEW_MS) throw new RecordRefusedError("it was signed in the future");
  // Within the tolerance between clocks nobody can tell age from skew: such a record gets its whole life.
  return Math.min(ttlMs, ttlMs + CLOCK_SKEW_MS - ageMs);
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b` (AR2). */
export function compareRecords(a: AgentRecord, b: AgentRecord): number {
  return a.epoch - b.epoch || a.boot - b.boot || a.seq - b.seq;
}

/** The key an agent is stored under: 64 hexadecimal digits. */
export function agentKey(digests: Digests, agent: AgentId): string {
  return toHex(digests.sha256(concat(ascii("glia/agent-key/v1\0"), fromHex(agent))));
}

/** The key a name is stored under. Names are compared by their UTF-16 units, without normalisation. */
export function nameKey(digests: Digests, name: string): string {
  const units = new Uint8Array(2 * name.length);
  for (let i = 0; i < name.length; i++) {
    units[2 * i] = name.charCodeAt(i) >>> 8;
    units[2 * i + 1] = name.charCodeAt(i) & 255;
  }
  return toHex(digests.sha256(concat(ascii("glia/agent-name/v1\0"), units)));
}

function readFields(reader: FieldReader): AgentRecord {
  reader.int("version", AGENT_RECORD_VERSION, AGENT_RECORD_VERSION);
  const record = {
    agent: reader.agent("agent"),
    name: reader.text("name", AGENT_NAME_MAX),
    owner: reader.node("owner"),
    epoch: reader.epoch("epoch"),
    boot: reader.int("boot"),
    seq: reader.int("seq"),
    addresses: reader.list("addresses", ADDRESSES_MAX, readAddress),
    status: STATUSES[reader.int("status", STATUSES.length - 1)] ?? "gone",
    issuedMs: reader.int("issued"),
    ttlMs: reader.int("ttl", RECORD_TTL_MS, 1),
  };
  reader.end();
  return record;
}

function readAddress(fields: CborValue): HostPort {
  const reader = new Reader(fields, "an address");
  const address = { host: reader.text("host", 96, 1), port: reader.int("port", 65_535, 1) };
  reader.end();
  return address;
}
