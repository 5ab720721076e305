/** The bodies of `dht.find` and its answer (docs/spec/kademlia.md). */
import { fromHex, toHex } from "@glia-os/abi/ids";
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { type Contact, contactFields, readContact } from "./contact.ts";

/** Version of the bodies of this protocol. */
export const DHT_VERSION = 1;
/** Contacts in one answer: k at most. */
export const CONTACTS_MAX = 20;
/** Largest value in an answer, in bytes. */
export const VALUE_MAX = 1024;

/** The question: who is near `key`, and, with `value`, what do you hold under it? */
export interface FindQuestion {
  /** 64 hexadecimal digits. */
  readonly key: string;
  readonly value: boolean;
  /** Where the asker listens; undefined when it does not serve and must not enter tables. */
  readonly address: Contact["address"] | undefined;
}

/** The answer. */
export interface FindAnswer {
  readonly contacts: readonly Contact[];
  readonly value: Uint8Array | undefined;
}

/** The bytes of a question. */
export function findBody({ key, value, address }: FindQuestion): Uint8Array {
  const where: CborValue = address === undefined ? null : [address.host, address.port];
  return encodeCbor([DHT_VERSION, fromHex(key), value, where]);
}

/** A question. @throws {MalformedMessageError}. */
export function readFind(bytes: Uint8Array): FindQuestion {
  const reader = new FieldReader(decodeCbor(bytes, "a find"), "a find");
  reader.int("version", DHT_VERSION, DHT_VERSION);
  const key = toHex(reader.bytes("key", 32, 32));
  const value = reader.bool("value");
  const address = reader.optional("address", (fields) => {
    const where = new FieldReader(fields, "an address");
    const hostPort = { host: where.text("host", 96, 1), port: where.int("port", 65_535, 1) };
    where.end();
    return hostPort;
  });
  reader.end();
  return { key, value, address };
}

/** The bytes of an answer. */
export function foundBody({ contacts, value }: FindAnswer): Uint8Array {
  return encodeCbor([DHT_VERSION, contacts.map(contactFields), value ?? null]);
}

/** An answer. @throws {MalformedMessageError}. */
export function readFound(bytes: Uint8Array): FindAnswer {
  const reader = new FieldReader(decodeCbor(bytes, "a find answer"), "a find answer");
  reader.int("version", DHT_VERSION, DHT_VERSION);
  const contacts = reader.list("contacts", CONTACTS_MAX, readContact);
  const value = reader.optional("value", (item) => {
    if (!(item instanceof Uint8Array) || item.length > VALUE_MAX)
      throw reader.refuse("value", `not at most ${VALUE_MAX} bytes`);
    return item;
  });
  reader.end();
  return { contacts, value };
}
