import { readFileSync } from "node:fs";
import { isGliaError } from "@glia-os/abi/errors";
import { MESSAGE_LIMIT_BYTES } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  controlFrame,
  FLAG_FIRST,
  FLAG_LAST,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  FRAME_PAYLOAD_BYTES,
  FrameDecoder,
  type FrameHeader,
  writeFrameHeader,
} from "../src/frame.ts";
import { BadFrameError } from "../src/index.ts";
import { MessageReader } from "../src/message-reader.ts";
import { Outbox } from "../src/outbox.ts";

interface Vectors {
  readonly frames: readonly { what: string; bytes: string; kind: number; message?: string }[];
  readonly refused: readonly { what: string; bytes: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../../conformance/vectors/frame.json", import.meta.url), "utf8"),
) as Vectors;
const WHOLE = FLAG_FIRST | FLAG_LAST;

function frame(header: Partial<FrameHeader>, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  const full = {
    kind: FRAME_KIND.request,
    flags: WHOLE,
    payloadLength: payload.length,
    messageLength: payload.length,
    ...header,
  };
  bytes.set(payload, writeFrameHeader(bytes, 0, full));
  return bytes;
}

/** Decodes like a session: one reader per class. */
function decode(chunks: readonly Uint8Array[]) {
  const messages: { kind: number; message: Uint8Array }[] = [];
  const controls: { kind: number; payload: Uint8Array }[] = [];
  const readerOf = (kind: number) => new MessageReader((message) => messages.push({ kind, message }));
  const readers = new Map([1, 2, 3].map((kind) => [kind, readerOf(kind)]));
  let current: MessageReader | undefined;
  const decoder = new FrameDecoder({
    begin(header) {
      current = readers.get(header.kind);
      current?.begin(header);
    },
    data: (piece) => current?.data(piece),
    end: () => current?.end(),
    control: (kind, payload) => controls.push({ kind, payload }),
  });
  for (const chunk of chunks) decoder.push(chunk);
  return { messages, controls };
}

/** Cut bytes at the given points. */
function cut(bytes: Uint8Array, points: readonly number[]): Uint8Array[] {
  const sorted = [
    0,
    ...[...points].map((point) => point % (bytes.length + 1)).sort((x, y) => x - y),
    bytes.length,
  ];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

describe("frames", () => {
  it("carry any messages through any cuts of the stream", () => {
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: 70_000 }).map((size) => new Uint8Array(size).fill(size)),
    );
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (messages, points) => {
          const outbox = new Outbox({ kind: FRAME_KIND.bulk, boundBytes: 2 ** 30 });
          for (const each of messages) void outbox.offer(each);
          const parts: Buffer[] = [];
          for (let next = outbox.takeFrame(); next !== undefined; next = outbox.takeFrame()) {
            expect(next.payload.length).toBeLessThanOrEqual(FRAME_PAYLOAD_BYTES);
            parts.push(frame({ ...next, payloadLength: next.payload.length }, next.payload));
          }
          const decoded = decode(cut(Buffer.concat(parts), points));
          expect(decoded.messages.length).toBe(messages.length);
          return decoded.messages.every(({ message }, i) => Buffer.from(message).equals(messages[i]!));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("F2: 100,000 random byte strings never throw anything but typed errors", () => {
    const almost = fc
      .tuple(
        fc.constantFrom(1, 1, 1, 0, 2),
        fc.constantFrom(1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 4, 255),
        fc.nat({ max: 4 }),
        fc.constantFrom(0, 0, 0, 1),
        fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 0xffffffff })),
        fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 0xffffffff })),
        fc.uint8Array({ maxLength: 120 }),
      )
      .map(([version, kind, flags, reserved, payloadLength, messageLength, rest]) => {
        const bytes = Buffer.concat([Buffer.alloc(FRAME_HEADER_BYTES), rest]);
        bytes.set([version, kind, flags, reserved]);
        bytes.writeUInt32BE(payloadLength, 4);
        bytes.writeUInt32BE(messageLength, 8);
        return bytes as Uint8Array;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), almost), (bytes) => {
        try {
          decode([bytes]);
          return true;
        } catch (error) {
          return isGliaError(error);
        }
      }),
      { numRuns: 100_000 },
    );
  });

  it("F2: after a bad frame the decoder takes no more bytes", () => {
    const decoder = new FrameDecoder({ begin() {}, data() {}, end() {}, control() {} });
    expect(() => decoder.push(Buffer.alloc(12))).toThrow(BadFrameError);
    expect(() => decoder.push(frame({}))).toThrow(BadFrameError);
  });

  it("F1: an announced size over the limit of the class is refused from the header alone", () => {
    for (const [name, kind] of [
      ["request", 2],
      ["bulk", 3],
      ["datagram", 1],
    ] as const) {
      const messageLength = MESSAGE_LIMIT_BYTES[name] + 1;
      const flags = name === "datagram" ? WHOLE : FLAG_FIRST;
      const header = frame({ kind, flags, payloadLength: 1, messageLength });
      expect(() => decode([header])).toThrow(/over the limit/);
    }
  });

  it.each([
    ["another version", Buffer.from([2, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]), /version/],
    ["a reserved byte that is not zero", Buffer.from([1, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0]), /reserved/],
    ["an unknown kind", frame({ kind: 9 }), /unknown/],
    ["unknown flags", frame({ flags: 4 }), /flags/],
    [
      "a payload over 16 KiB",
      frame({ flags: FLAG_FIRST, payloadLength: 16_385, messageLength: 99_999 }),
      /is over/,
    ],
    ["a payload longer than its message", frame({ payloadLength: 2, messageLength: 1 }), /longer/],
    [
      "a whole frame with another message length",
      frame({ payloadLength: 1, messageLength: 2 }),
      /another length/,
    ],
    ["an empty part", frame({ flags: FLAG_FIRST, payloadLength: 0, messageLength: 5 }), /empty/],
    ["a split datagram", frame({ kind: 1, flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(2)), /split/],
    [
      "a control frame in parts",
      frame({ kind: FRAME_KIND.ping, flags: FLAG_FIRST }, new Uint8Array(8)),
      /not whole/,
    ],
    ["a ping of the wrong size", frame({ kind: FRAME_KIND.ping }, new Uint8Array(7)), /does not fit/],
    ["a reason that is too long", frame({ kind: FRAME_KIND.close }, new Uint8Array(600)), /does not fit/],
    ["a part without a start", frame({ flags: FLAG_LAST, messageLength: 5 }, new Uint8Array(5)), /no start/],
    [
      "a message inside another",
      Buffer.concat([
        frame({ flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(2)),
        frame({ flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(2)),
      ]),
      /inside another/,
    ],
    [
      "two lengths for one message",
      Buffer.concat([
        frame({ flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(2)),
        frame({ flags: FLAG_LAST, messageLength: 6 }, new Uint8Array(3)),
      ]),
      /two lengths/,
    ],
    [
      "a last frame that does not end its message",
      Buffer.concat([
        frame({ flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(2)),
        frame({ flags: FLAG_LAST, messageLength: 5 }, new Uint8Array(2)),
      ]),
      /does not end/,
    ],
    [
      "a message longer than announced",
      Buffer.concat([
        frame({ flags: FLAG_FIRST, messageLength: 5 }, new Uint8Array(4)),
        frame({ flags: 0, messageLength: 5 }, new Uint8Array(4)),
      ]),
      /longer than it announced/,
    ],
  ])("%s is refused with wire.bad-frame", (_, bytes, why) => {
    expect(() => decode([bytes])).toThrow(why);
  });

  it("of control kinds deliver a payload the sink may keep", () => {
    const bytes = controlFrame(FRAME_KIND.ping, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const { controls } = decode([...bytes].map((byte) => Uint8Array.of(byte)));
    expect(controls).toEqual([{ kind: FRAME_KIND.ping, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }]);
  });

  it("decode as the golden vectors say", () => {
    for (const { what, bytes, kind, message } of vectors.frames) {
      const decoded = decode([Buffer.from(bytes, "hex")]);
      const [found] = [...decoded.messages, ...decoded.controls];
      expect(found?.kind, what).toBe(kind);
      if (message !== undefined)
        expect(Buffer.from(decoded.messages[0]!.message).toString("hex"), what).toBe(message);
    }
    for (const { what, bytes } of vectors.refused) {
      expect(() => decode([Buffer.from(bytes, "hex")]), what).toThrow(BadFrameError);
    }
    expect(vectors.frames.length + vectors.refused.length).toBe(17);
  });
});
