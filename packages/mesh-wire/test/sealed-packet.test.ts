import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REPLAY_WINDOW, ReplayWindow } from "../src/datagrams/replay-window.ts";
import {
  PACKET_BYTES,
  PACKET_KIND,
  PACKET_OVERHEAD_BYTES,
  PacketOpener,
  PacketSealer,
  readPacketHeader,
} from "../src/datagrams/sealed-packet.ts";

interface Vectors {
  readonly secret: string;
  readonly packets: readonly {
    readonly what: string;
    readonly epoch: number;
    readonly kind: number;
    readonly path: number;
    readonly sequence: number;
    readonly payload: string;
    readonly bytes: string;
  }[];
  readonly dropped: readonly { readonly what: string; readonly bytes: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/datagram.json", import.meta.url), "utf8"),
) as Vectors;
const SECRET = Buffer.from(vectors.secret, "hex");

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
}

function openedBy(opener: PacketOpener, packet: Uint8Array): Uint8Array | undefined {
  const header = readPacketHeader(packet);
  return header === undefined ? undefined : opener.open(packet, header);
}

const STRINGS = process.env["GLIA_SOAK"] === "1" ? 50_000 : 10_000;

describe("sealed packets", () => {
  it("open as the golden vectors say, over three epochs", () => {
    const opener = new PacketOpener(SECRET);
    for (const { what, bytes, payload, epoch, kind, path, sequence } of vectors.packets) {
      const packet = Buffer.from(bytes, "hex");
      expect(readPacketHeader(packet), what).toEqual({ kind, epoch, path, sequence });
      expect(hex(openedBy(opener, packet)), what).toBe(payload);
    }
    expect(vectors.packets.length).toBe(6);
  });

  it("are sealed as the golden vectors say", () => {
    const sealer = new PacketSealer(SECRET, vectors.packets[0]!.path);
    for (const { what, bytes, payload, kind } of vectors.packets.slice(0, 4))
      expect(hex(sealer.seal(kind, Buffer.from(payload, "hex"))), what).toBe(bytes);
  });

  it("SP3: the damaged ones of the golden vectors do not open, and the good ones after them do", () => {
    const opener = new PacketOpener(SECRET);
    for (const { what, bytes } of vectors.dropped)
      expect(openedBy(opener, Buffer.from(bytes, "hex")), what).toBeUndefined();
    expect(vectors.dropped.length).toBe(12);
    expect(openedBy(opener, Buffer.from(vectors.packets[0]!.bytes, "hex"))).toBeDefined();
  });

  it("SP1: a message of 1,200 bytes makes a packet of 1,232", () => {
    const packet = new PacketSealer(SECRET, 1).seal(PACKET_KIND.message, new Uint8Array(1200));
    expect(packet?.length).toBe(PACKET_BYTES);
    expect(hex(openedBy(new PacketOpener(SECRET), packet!))).toBe("00".repeat(1200));
  });

  it(`SP3: ${STRINGS} random byte strings neither open nor throw`, () => {
    const opener = new PacketOpener(SECRET);
    const shaped = fc
      .tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ minLength: 30, maxLength: 200 }))
      .map(([kind, rest]) => Uint8Array.of(1, kind, 0, 0, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1300 }), shaped), (bytes) => {
        expect(openedBy(opener, bytes)).toBeUndefined();
      }),
      { numRuns: STRINGS },
    );
    expect(opener.highest).toBe(-1);
  });

  it("SP3: no packet opens after any one bit of it was changed", () => {
    const packet = new PacketSealer(SECRET, 9).seal(PACKET_KIND.message, Buffer.from("probe"))!;
    const opener = new PacketOpener(SECRET);
    for (let bit = 0; bit < packet.length * 8; bit++) {
      const changed = Buffer.from(packet);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      // Whom a packet is for is judged by the socket; here every path is taken.
      expect(openedBy(opener, changed), `bit ${bit}`).toBeUndefined();
    }
    expect(openedBy(opener, packet)).toBeDefined();
  });

  it("SP2: the two directions of a session have different keys", () => {
    const packet = new PacketSealer(SECRET, 1).seal(PACKET_KIND.message, Buffer.from("x"))!;
    expect(openedBy(new PacketOpener(Buffer.alloc(32, 9)), packet)).toBeUndefined();
  });

  it("SP4: a new key comes after the packets of an epoch, and late packets of the epoch before still open", () => {
    const sealer = new PacketSealer(SECRET, 1, 4);
    const packets = Array.from({ length: 40 }, (_, i) => sealer.seal(PACKET_KIND.message, Uint8Array.of(i))!);
    expect(packets.map((packet) => readPacketHeader(packet)?.epoch)).toEqual(
      Array.from({ length: 40 }, (_, i) => Math.floor(i / 4)),
    );
    const swapped = packets.map(
      (_, i) => packets[i % 4 === 0 ? Math.max(0, i - 1) : i % 4 === 3 ? i + 1 : i],
    );
    const opener = new PacketOpener(SECRET);
    const got = swapped.flatMap((packet) => (packet && openedBy(opener, packet)?.[0]) ?? []);
    expect([...got].sort((x, y) => x - y)).toEqual(Array.from({ length: 39 }, (_, i) => i));
  });

  it("a receiver that missed a whole epoch opens nothing of the later ones", () => {
    const sealer = new PacketSealer(SECRET, 1, 2);
    const packets = Array.from({ length: 8 }, () => sealer.seal(PACKET_KIND.message, Uint8Array.of(1))!);
    const opener = new PacketOpener(SECRET);
    expect(openedBy(opener, packets[0]!)).toBeDefined();
    for (const packet of packets.slice(4)) expect(openedBy(opener, packet)).toBeUndefined();
  });

  it("SP4: after the last epoch nothing is sealed", () => {
    const sealer = new PacketSealer(SECRET, 1, 1);
    let sealed = 0;
    while (sealer.seal(PACKET_KIND.message, new Uint8Array(0)) !== undefined) sealed++;
    expect(sealed).toBe(65_536);
  });
});

describe("the replay window", () => {
  it("RW1: takes what a set of all numbers would take, except what is 1,024 below the highest", () => {
    const steps = fc.array(fc.integer({ min: -1500, max: 1500 }), { maxLength: 400 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 2 ** 40 }), (moves, start) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let [at, highest] = [start, -1];
        for (const move of moves) {
          at = Math.max(0, at + move);
          const expected = !seen.has(at) && at > highest - REPLAY_WINDOW;
          expect(window.fresh(at)).toBe(expected);
          if (!expected) continue;
          window.take(at);
          seen.add(at);
          highest = Math.max(highest, at);
        }
        expect(window.highest).toBe(highest);
      }),
      { numRuns: 500 },
    );
  });

  it("RW1: a replayed packet does not open, nor one that is 1,024 late; one that is 1,023 late does", () => {
    const sealer = new PacketSealer(SECRET, 1);
    const packets = Array.from(
      { length: 1026 },
      (_, i) => sealer.seal(PACKET_KIND.message, Uint8Array.of(i & 255))!,
    );
    const opener = new PacketOpener(SECRET);
    expect(openedBy(opener, packets[1025]!)).toBeDefined();
    expect(openedBy(opener, packets[1025]!)).toBeUndefined();
    expect(openedBy(opener, packets[1]!)).toBeUndefined();
    expect(openedBy(opener, packets[2]!)).toBeDefined();
    expect(PACKET_OVERHEAD_BYTES).toBe(32);
  });
});
