/**
 * A frozen cell as one stream of bytes (docs/spec/cell-image.md): a head with the link table and mailbox, then the guest's snapshot.
 *
 * FC1. The head's length comes first; image-stream.ts checks it before anything is allocated.
 * FC2. A reader gives back exactly what was written, or refuses with `cells.bad-image`; it never guesses.
 * FC3. The head of a cell that is suspended says so in a field of its own and has version 2; that of any other cell is as in version 1.
 * FC4. The head of a cell with baggage (cell-baggage.ts) has version 3: whether it is suspended, then the baggage.
 */
import { fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import { LinkTable } from "@glia-os/mesh-core";
import { decode, encode } from "cborg";
import { BAGGAGE_BYTES_MAX } from "./cell-baggage.ts";
import { BadImageError } from "./errors.ts";
import type { Asker, FrozenMail, MailItem } from "./runner-port.ts";

/** Largest head: a full mailbox, a full link table and room for their framing. */
export const HEAD_BYTES_MAX: number = 96 * 1024 * 1024;
/** Largest chunk a stream is cut into. */
export const CHUNK_BYTES: number = 1024 * 1024;
const VERSION = 1;
const VERSION_SUSPENDED = 2;
const VERSION_BAGGAGE = 3;
/** Fields of a head by its version. */
const FIELDS: Readonly<Record<number, number>> = {
  [VERSION]: 6,
  [VERSION_SUSPENDED]: 7,
  [VERSION_BAGGAGE]: 8,
};
const LENGTH_BYTES = 4;

/** What stands in front of the guest's snapshot. */
export interface CellHead {
  readonly links: LinkTable;
  readonly mail: FrozenMail;
  /** Whether the cell stands still by request (FC3). */
  readonly suspended: boolean;
  /** What else goes with the cell (FC4). */
  readonly baggage?: Uint8Array | undefined;
}

type AskerRow = [Uint8Array, number, Uint8Array];

function askerRow({ link, seq, from }: Asker): AskerRow {
  return [fromHex(link), seq, fromHex(from)];
}

function readAsker(row: unknown): Asker {
  const [link, seq, from] = row as AskerRow;
  if (!(link instanceof Uint8Array) || link.length !== 16)
    throw new BadImageError("a link id is not 16 bytes");
  if (!(from instanceof Uint8Array) || from.length !== 32)
    throw new BadImageError("a node id is not 32 bytes");
  if (!Number.isSafeInteger(seq) || seq < 1) throw new BadImageError("a sequence number is out of range");
  return { link: toHex(link), seq, from: toHex(from) as NodeId };
}

function readItem(row: unknown): MailItem {
  if (!Array.isArray(row) || row.length !== 5)
    throw new BadImageError("a mailbox entry is not a list of five");
  const [ask, payload] = row.slice(3) as [unknown, unknown];
  if (typeof ask !== "boolean" || !(payload instanceof Uint8Array))
    throw new BadImageError("a mailbox entry has fields of the wrong type");
  return { ...readAsker(row), ask, payload };
}

function whole(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new BadImageError(`${what} is not a whole number`);
  return value;
}

/** The bytes of a head, length first. */
export function encodeHead({ links, mail, suspended, baggage }: CellHead): Uint8Array {
  const items = mail.mailbox.map((item) => [...askerRow(item), item.ask, item.payload]);
  const asker = mail.asker === undefined ? null : askerRow(mail.asker);
  const sleep = mail.sleepMs === undefined ? null : Math.ceil(mail.sleepMs);
  const fields = [links.serialize(), items, asker, mail.received, sleep];
  const plain = suspended ? [VERSION_SUSPENDED, ...fields, true] : [VERSION, ...fields];
  const body = encode(baggage === undefined ? plain : [VERSION_BAGGAGE, ...fields, suspended, baggage]);
  const bytes = new Uint8Array(LENGTH_BYTES + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, LENGTH_BYTES);
  return bytes;
}

/** The head in a body (without its length). @throws {BadImageError}. */
export function decodeHead(body: Uint8Array): CellHead {
  let value: unknown;
  try {
    value = decode(body, { strict: true, allowIndefinite: false, allowUndefined: false });
  } catch {
    throw new BadImageError("its head is not deterministic CBOR");
  }
  if (!Array.isArray(value)) throw new BadImageError("its head is not a list");
  const [version, table, items, asker, received, sleep, suspended, baggage] = value as unknown[];
  const fields = typeof version === "number" ? FIELDS[version] : undefined;
  if (fields === undefined) throw new BadImageError("its version is unknown to this build");
  if (value.length !== fields) throw new BadImageError(`its head has ${value.length} fields`);
  if (version === VERSION_SUSPENDED && suspended !== true)
    throw new BadImageError("its head does not say whether it is suspended");
  if (version === VERSION_BAGGAGE) checkBaggage(suspended, baggage);
  if (!(table instanceof Uint8Array) || !Array.isArray(items))
    throw new BadImageError("its head has fields of the wrong type");
  if (asker !== null && !Array.isArray(asker)) throw new BadImageError("its asker is not a list");
  return {
    links: LinkTable.restore(table),
    suspended: suspended === true,
    baggage: baggage as Uint8Array | undefined,
    mail: {
      mailbox: items.map(readItem),
      asker: asker === null ? undefined : readAsker(asker),
      received: whole(received, "the count of received messages"),
      sleepMs: sleep === null ? undefined : whole(sleep, "the rest of a sleep"),
    },
  };
}

function checkBaggage(suspended: unknown, baggage: unknown): void {
  if (typeof suspended !== "boolean")
    throw new BadImageError("its head does not say whether it is suspended");
  if (!(baggage instanceof Uint8Array) || baggage.length > BAGGAGE_BYTES_MAX)
    throw new BadImageError(`its baggage is not at most ${BAGGAGE_BYTES_MAX} bytes`);
}

/** The head of a copy with another identity: the guest's own state, without what others sent it or it sent others. */
export function copiedHead({ mail, suspended }: CellHead): CellHead {
  const { received, sleepMs } = mail;
  return {
    links: new LinkTable(),
    suspended,
    mail: { mailbox: [], asker: undefined, received, sleepMs },
  };
}
