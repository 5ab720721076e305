/**
 * The receiving end of an agent's links: what was applied from each sender (docs/spec/links.md).
 *
 * LT1. A message of a link is accepted exactly when its sequence number is the last accepted one plus one.
 * LT2. A number up to {@link DEDUPE_WINDOW} behind is a duplicate: refused, with the reply again if it was an ask.
 *      Further behind is `stale`: this end no longer vouches for it and never guesses.
 * LT3. A link that is not in the table starts at 1. Any other first number is a gap, so a lost table cannot hide lost messages.
 * LT4. Replies are kept until the sender says it has them (`floor`), at most {@link ASKS_MAX} per link.
 * LT5. The table travels with the agent: `restore(serialize())` behaves as the original in every later offer.
 * LT6. It holds at most {@link LINKS_MAX} links; when full, the longest-closed link makes room, never an open one.
 */
import { fromHex, toHex } from "@glia-os/abi/ids";
import { type CborValue, decodeCbor, encodeCbor } from "../codec/cbor.ts";
import { FieldReader } from "../codec/reader.ts";
import { InvalidOptionError, MalformedMessageError } from "../errors.ts";

/** How far behind a repeated message is still recognised. */
export const DEDUPE_WINDOW = 1024;
/** Asks of one link without a released reply. */
export const ASKS_MAX = 64;
/** Links one agent keeps. */
export const LINKS_MAX = 4096;
/** Largest payload of one agent message or reply in bytes. */
export const PAYLOAD_MAX = 1_048_576;
/** Bytes of a link id. */
export const LINK_ID_BYTES = 16;

/** The sending end of a link: 16 random bytes as 32 hexadecimal characters, new for every {@link LinkSender}. */
export type LinkId = string;

/** What the receiving end says to one offered message. `next` is the sequence number it accepts next: a cumulative acknowledgement. */
export type LinkOffer =
  | { readonly kind: "accepted"; readonly next: number }
  | { readonly kind: "duplicate"; readonly next: number; readonly reply?: Uint8Array }
  | { readonly kind: "gap"; readonly next: number }
  | { readonly kind: "stale"; readonly next: number }
  | { readonly kind: "busy"; readonly next: number };

interface Entry {
  last: number;
  floor: number;
  closed: boolean;
  readonly asks: Map<number, Uint8Array | undefined>;
}

const TABLE_VERSION = 1;

/** Per-agent table of links. */
export class LinkTable {
  readonly #links = new Map<LinkId, Entry>();
  readonly #linksMax: number;

  constructor(linksMax: number = LINKS_MAX) {
    if (!Number.isInteger(linksMax) || linksMax < 1 || linksMax > LINKS_MAX)
      throw new InvalidOptionError("linksMax", `${linksMax} is not an integer from 1 to ${LINKS_MAX}`);
    this.#linksMax = linksMax;
  }

  /** Links in the table. */
  get size(): number {
    return this.#links.size;
  }

  /** Judge one message and, when it is accepted, note it (LT1-LT3). The caller puts an accepted one into the mailbox in the same turn. */
  offer(link: LinkId, seq: number, floor: number, ask: boolean): LinkOffer {
    const entry = this.#links.get(link);
    if (entry === undefined) return this.#first(link, seq, floor, ask);
    release(entry, floor);
    const next = entry.last + 1;
    if (seq > next) return { kind: "gap", next };
    if (seq <= entry.last - DEDUPE_WINDOW) return { kind: "stale", next };
    if (seq < next) {
      const reply = entry.asks.get(seq);
      return reply === undefined ? { kind: "duplicate", next } : { kind: "duplicate", next, reply };
    }
    if (ask && entry.asks.size >= ASKS_MAX) return { kind: "busy", next };
    return accept(entry, seq, ask);
  }

  /** The number a link accepts next, without changing anything. */
  nextOf(link: LinkId): number {
    return (this.#links.get(link)?.last ?? 0) + 1;
  }

  /** Keep the reply to an ask until its sender releases it (LT4). False when nobody waits for it any more. */
  reply(link: LinkId, seq: number, payload: Uint8Array): boolean {
    const asks = this.#links.get(link)?.asks;
    if (asks?.has(seq) !== true || asks.get(seq) !== undefined) return false;
    asks.set(seq, payload);
    return true;
  }

  /** The sender is done: the entry may make room for another link (LT6). */
  close(link: LinkId): void {
    const entry = this.#links.get(link);
    if (entry === undefined) return;
    entry.closed = true;
    entry.asks.clear();
    this.#links.delete(link);
    this.#links.set(link, entry);
  }

  /** The table as bytes (LT5). */
  serialize(): Uint8Array {
    const rows: CborValue[] = [...this.#links].map(([link, { last, floor, closed, asks }]) => [
      fromHex(link),
      last,
      floor,
      closed,
      [...asks].map(([seq, reply]) => [seq, reply ?? null]),
    ]);
    return encodeCbor([TABLE_VERSION, rows]);
  }

  /** The table in `bytes`. @throws {MalformedMessageError} for anything `serialize` does not write. */
  static restore(bytes: Uint8Array, linksMax: number = LINKS_MAX): LinkTable {
    const table = new LinkTable(linksMax);
    const reader = new FieldReader(decodeCbor(bytes, "a link table"), "a link table");
    reader.int("version", TABLE_VERSION, TABLE_VERSION);
    reader.list("links", linksMax, (row) => table.#restoreRow(new FieldReader(row, "a link table row")));
    reader.end();
    return table;
  }

  #restoreRow(row: FieldReader): void {
    const link = toHex(row.bytes("link", LINK_ID_BYTES, LINK_ID_BYTES));
    if (this.#links.has(link)) throw new MalformedMessageError("a link table", "a link appears twice");
    const last = row.int("last", Number.MAX_SAFE_INTEGER - 1);
    const entry: Entry = { last, floor: row.int("floor"), closed: row.bool("closed"), asks: new Map() };
    row.list("asks", ASKS_MAX, (item) => {
      const ask = new FieldReader(item, "a kept reply");
      const seq = ask.int("seq", last, 1);
      const reply = ask.optional("reply", (value) =>
        new FieldReader([value], "a reply").bytes("reply", PAYLOAD_MAX),
      );
      ask.end();
      entry.asks.set(seq, reply);
    });
    row.end();
    this.#links.set(link, entry);
  }

  #first(link: LinkId, seq: number, floor: number, ask: boolean): LinkOffer {
    if (seq !== 1) return { kind: "gap", next: 1 };
    if (this.#links.size >= this.#linksMax && !this.#evictClosed()) return { kind: "busy", next: 1 };
    const entry: Entry = { last: 0, floor, closed: false, asks: new Map() };
    this.#links.set(link, entry);
    return accept(entry, seq, ask);
  }

  #evictClosed(): boolean {
    for (const [link, { closed }] of this.#links) {
      if (closed) return this.#links.delete(link);
    }
    return false;
  }
}

function accept(entry: Entry, seq: number, ask: boolean): LinkOffer {
  entry.last = seq;
  if (ask) entry.asks.set(seq, undefined);
  return { kind: "accepted", next: seq + 1 };
}

function release(entry: Entry, floor: number): void {
  if (floor <= entry.floor) return;
  entry.floor = floor;
  for (const seq of entry.asks.keys()) if (seq < floor) entry.asks.delete(seq);
}
