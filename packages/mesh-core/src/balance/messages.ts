/** The bodies of balancing (docs/spec/balance.md). */
import type { JobEnvelope } from "@glia-os/abi/ports";
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import type { Load } from "./load.ts";

/** Version of the bodies. */
export const BALANCE_VERSION = 1;
/** The methods. */
export const JOB_METHODS = {
  give: "job.give",
  steal: "job.steal",
  done: "job.done",
  status: "job.status",
  cancel: "job.cancel",
  load: "job.load",
} as const;
/** Nodes a job may be handed to, one after the other. */
export const JOB_HOPS_MAX = 4;
/** Jobs in one answer to a thief. */
export const STEAL_MAX = 16;
/** Features of a node or a job. */
export const FEATURES_MAX = 32;
/** Largest payload or result, encoded. */
export const JOB_BYTES_MAX = 1_048_576;
const TEXT_MAX = 128;
const LINEAGE_MAX = 64;
const COUNT_MAX = 1_000_000_000;

/** Turns payloads and results into bytes and back. */
export interface JobCodec {
  encode(value: unknown): Uint8Array;
  /** @throws for bytes that are none of its own. */
  decode(bytes: Uint8Array): unknown;
}

/** JSON values. Bytes, maps and dates need another codec. */
export const JSON_CODEC: JobCodec = {
  encode: (value) => encodeCbor(value === undefined ? null : JSON.stringify(value)),
  decode: (bytes) => {
    const text = decodeCbor(bytes, "a job value");
    return typeof text === "string" ? (JSON.parse(text) as unknown) : undefined;
  },
};

/** A job on its way. */
export interface JobParcel {
  /** Names the transfer to the giver. */
  readonly ticket: number;
  readonly hops: number;
  readonly priority: number;
  readonly features: readonly string[];
  readonly job: JobEnvelope;
}

function parcelFields(parcel: JobParcel, codec: JobCodec): CborValue {
  const { ticket, hops, priority, features, job } = parcel;
  const trace = job.traceparent === undefined ? [] : [job.traceparent];
  const envelope = [job.id, job.origin, job.lineage, job.entry, codec.encode(job.payload), ...trace];
  return [ticket, hops, priority, features, envelope];
}

function readParcel(fields: CborValue, codec: JobCodec): JobParcel {
  const reader = new FieldReader(fields, "a job");
  const ticket = reader.int("ticket");
  const hops = reader.int("hops", JOB_HOPS_MAX);
  const priority = reader.int("priority", COUNT_MAX, -COUNT_MAX);
  const features = readFeatures(reader);
  const envelope = reader.nested("envelope");
  reader.end();
  const job = {
    id: envelope.text("id", TEXT_MAX, 1),
    origin: envelope.text("origin", TEXT_MAX, 1),
    lineage: envelope.list("lineage", LINEAGE_MAX, (item) =>
      new FieldReader([item], "a lineage").text("id", TEXT_MAX, 1),
    ),
    entry: envelope.text("entry", TEXT_MAX, 1),
    payload: codec.decode(envelope.bytes("payload", JOB_BYTES_MAX)),
  };
  const trace = envelope.more ? { traceparent: envelope.text("traceparent", TEXT_MAX, 1) } : {};
  envelope.end();
  return { ticket, hops, priority, features, job: { ...job, ...trace } };
}

export function giveBody(parcel: JobParcel, codec: JobCodec): Uint8Array {
  return encodeCbor([BALANCE_VERSION, parcelFields(parcel, codec)]);
}

/** @throws {MalformedMessageError}, and what the codec throws. */
export function readGive(body: Uint8Array, codec: JobCodec): JobParcel {
  const reader = open(body, "a given job");
  const [parcel] = [readOne(reader, codec)];
  reader.end();
  return parcel;
}

function readOne(reader: FieldReader, codec: JobCodec): JobParcel {
  const parcel = reader.optional("job", (fields) => readParcel(fields, codec));
  if (parcel === undefined) throw reader.refuse("job", "null");
  return parcel;
}

export function stealBody(count: number, features: readonly string[]): Uint8Array {
  return encodeCbor([BALANCE_VERSION, count, features]);
}

/** @throws {MalformedMessageError}. */
export function readSteal(body: Uint8Array): {
  readonly count: number;
  readonly features: readonly string[];
} {
  const reader = open(body, "a steal");
  const count = reader.int("count", STEAL_MAX, 1);
  const features = readFeatures(reader);
  reader.end();
  return { count, features };
}

export function lootBody(parcels: readonly JobParcel[], codec: JobCodec): Uint8Array {
  return encodeCbor([BALANCE_VERSION, parcels.map((parcel) => parcelFields(parcel, codec))]);
}

/** @throws {MalformedMessageError}, and what the codec throws. */
export function readLoot(body: Uint8Array, codec: JobCodec): JobParcel[] {
  const reader = open(body, "stolen jobs");
  const parcels = reader.list("jobs", STEAL_MAX, (fields) => readParcel(fields, codec));
  reader.end();
  return parcels;
}

/** How a job ended, for the node that gave it. */
export interface JobDone {
  readonly ticket: number;
  readonly ok: boolean;
  /** The result by the codec, or the fields of the error record. */
  readonly value: Uint8Array;
}

export function doneBody({ ticket, ok, value }: JobDone): Uint8Array {
  return encodeCbor([BALANCE_VERSION, ticket, ok, value]);
}

/** @throws {MalformedMessageError}. */
export function readDone(body: Uint8Array): JobDone {
  const reader = open(body, "a finished job");
  const done = {
    ticket: reader.int("ticket"),
    ok: reader.bool("ok"),
    value: reader.bytes("value", JOB_BYTES_MAX + 1024),
  };
  reader.end();
  return done;
}

/** What is asked about the job of a ticket: whether it is held, or that it be stopped. */
export function statusBody(ticket: number): Uint8Array {
  return encodeCbor([BALANCE_VERSION, ticket]);
}

/** @throws {MalformedMessageError}. */
export function readStatus(body: Uint8Array): number {
  const reader = open(body, "a status question");
  const ticket = reader.int("ticket");
  reader.end();
  return ticket;
}

export function heldBody(held: boolean): Uint8Array {
  return encodeCbor([BALANCE_VERSION, held]);
}

/** @throws {MalformedMessageError}. */
export function readHeld(body: Uint8Array): boolean {
  const reader = open(body, "a status");
  const held = reader.bool("held");
  reader.end();
  return held;
}

export function loadBody(load: Load): Uint8Array {
  const { waiting, running, slots, cpu, memoryFree, features } = load;
  const share = (value: number | undefined): number | null =>
    value === undefined ? null : Math.round(1000 * value);
  return encodeCbor([BALANCE_VERSION, waiting, running, slots, share(cpu), share(memoryFree), features]);
}

/** @throws {MalformedMessageError}. */
export function readLoad(body: Uint8Array): Load {
  const reader = open(body, "a load");
  const share = (name: string): number | undefined =>
    reader.optional(name, (item) => new FieldReader([item], name).int(name, 1000) / 1000);
  const load = {
    waiting: reader.int("waiting", COUNT_MAX),
    running: reader.int("running", COUNT_MAX),
    slots: reader.int("slots", COUNT_MAX),
    cpu: share("cpu"),
    memoryFree: share("memory"),
    features: readFeatures(reader),
  };
  reader.end();
  return load;
}

function readFeatures(reader: FieldReader): string[] {
  return reader.list("features", FEATURES_MAX, (item) =>
    new FieldReader([item], "a feature").text("feature", 64, 1),
  );
}

function open(body: Uint8Array, what: string): FieldReader {
  const reader = new FieldReader(decodeCbor(body, what), what);
  reader.int("version", BALANCE_VERSION, BALANCE_VERSION);
  return reader;
}
