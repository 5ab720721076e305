/** A node as the routing table and lookups know it. */
import { fromHex, type NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { CborValue } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { HOST_MAX } from "../membership/statement.ts";
import { type KeyWords, wordsOf } from "./distance.ts";

/** Where a node is. */
export interface Contact {
  readonly node: NodeId;
  readonly address: HostPort;
  /** The node id as words. */
  readonly words: KeyWords;
}

/** A contact of its parts. */
export function contactOf(node: NodeId, address: HostPort): Contact {
  return { node, address, words: wordsOf(node) };
}

/** The fields of a contact in a message. */
export function contactFields({ node, address }: Contact): CborValue {
  return [fromHex(node), address.host, address.port];
}

/** A contact of a message. @throws {MalformedMessageError}. */
export function readContact(fields: CborValue): Contact {
  const reader = new FieldReader(fields, "a contact");
  const node = reader.node("node");
  const address = { host: reader.text("host", HOST_MAX, 1), port: reader.int("port", 65_535, 1) };
  reader.end();
  return contactOf(node, address);
}
