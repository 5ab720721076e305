/** An image on its way between gate and runner, at both ends (IO1, IW1, IW2). */
import { inOnePiece, type JoinedBytes } from "@glia-os/mesh-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AgentManifest } from "../src/agent-manifest.ts";
import { CHUNK_BYTES } from "../src/frozen-cell.ts";
import { askBeginning, imageSource, LOOKS_MAX, piecesSource } from "../src/image-source.ts";
import { AHEAD_MARK, ImageReader, lengthOf } from "../src/image-stream.ts";
import { ImageWrites, WRITES_MAX } from "../src/image-writes.ts";
import { receiveImage } from "../src/receive-image.ts";
import type { FrozenMail } from "../src/runner-port.ts";
import { AGENT } from "./host-under-test.ts";

const framedPiece = (piece: Uint8Array = new Uint8Array()) =>
  new Uint8Array(Buffer.concat([lengthOf(piece), piece]));

const chunk = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);

async function all(source: () => Promise<Uint8Array | JoinedBytes | undefined>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (let one = await source(); one !== undefined; one = await source()) chunks.push(inOnePiece(one));
  return chunks;
}

/** A runner that reads these, and counts how often it was asked. */
class Reads {
  asked = 0;
  readonly #pieces: readonly (Uint8Array | Error)[];

  constructor(...pieces: readonly (Uint8Array | Error)[]) {
    this.#pieces = pieces;
  }

  readonly readImage = async (): Promise<Uint8Array | undefined> => {
    const piece = this.#pieces[this.asked++];
    if (piece instanceof Error) throw piece;
    return piece;
  };
  readonly readAhead = this.readImage;
}

describe("what is read of a cell", () => {
  test("IO1: is asked for before its turn, in order, and never after the end", async () => {
    const reads = new Reads(chunk(10, 1), chunk(20, 2), chunk(30, 3));
    const source = imageSource(reads, AGENT, chunk(5));
    expect(reads.asked, "before the first chunk is wanted").toBe(1);
    expect(await source()).toEqual(Uint8Array.from([...chunk(5), ...chunk(10, 1)]));
    expect(reads.asked).toBe(2);
    expect(await all(source)).toEqual([chunk(20, 2), chunk(30, 3)]);
    expect(await source()).toBeUndefined();
    expect(reads.asked).toBe(4);
  });

  test("IO2: the beginning is asked for before the head is there, and one piece is all of it", async () => {
    const reads = new Reads(chunk(10, 1));
    const beginning = askBeginning(reads, AGENT);
    expect(reads.asked, "with the freeze").toBe(2);
    const source = imageSource(reads, AGENT, chunk(5), beginning);
    expect(await all(source)).toEqual([Uint8Array.from([...chunk(5), ...chunk(10, 1)])]);
    expect(reads.asked, "nothing more after the end").toBe(2);
    const more = new Reads(chunk(10, 1), chunk(20, 2), chunk(30, 3));
    const chunks = await all(imageSource(more, AGENT, chunk(5), askBeginning(more, AGENT)));
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.concat([chunk(5), chunk(10, 1), chunk(20, 2), chunk(30, 3)]),
    );
    expect(more.asked).toBe(4);
  });

  test("IO1: a failure is told once to whoever waits, and nothing is asked for after it", async () => {
    const reads = new Reads(chunk(10), new RangeError("gone"), chunk(10));
    const source = piecesSource(reads, AGENT, 0, chunk(3));
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for (;;) seen.push(await source());
      })(),
    ).rejects.toThrow("gone");
    expect(seen.length, "the mark, the first piece, the one before the failure").toBe(3);
    await expect(source()).rejects.toThrow("gone");
    expect(reads.asked).toBe(2);
  });

  test("a head and what follows are cut into chunks that are allowed, whatever their lengths, and stay in order", async () => {
    const length = fc.constantFrom(1, 9, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES);
    const pieces = fc.array(fc.constantFrom(1, 50, CHUNK_BYTES), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(length, pieces, async (head, lengths) => {
        const read = lengths.map((one, index) => chunk(one, index + 1));
        const chunks = await all(imageSource(new Reads(...read), AGENT, chunk(head, 99)));
        for (const one of chunks) expect(one.length > 0 && one.length <= CHUNK_BYTES).toBe(true);
        expect(Buffer.concat(chunks).equals(Buffer.concat([chunk(head, 99), ...read]))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("pieces that are read while a cell runs come out of the reader as they were", async () => {
    const chunks = await all(piecesSource(new Reads(chunk(4, 2), chunk(5, 3)), AGENT, 0, chunk(3, 1)));
    const reader = new ImageReader();
    const parts = chunks.flatMap((one) => [...reader.push(one)]);
    expect(parts.flatMap((part) => (part.kind === "guest" ? [part.bytes.slice()] : []))).toEqual([
      chunk(3, 1),
      chunk(4, 2),
      chunk(5, 3),
    ]);
  });
});

test("whoever gets bytes of an image may give their memory away before more of it is read", () => {
  const stream = Buffer.concat([
    AHEAD_MARK,
    framedPiece(chunk(9, 1)),
    framedPiece(chunk(20, 2)),
    framedPiece(),
  ]);
  for (const size of [1, 3, 14, 38, 100]) {
    const reader = new ImageReader();
    const seen: number[] = [];
    for (let at = 0; at < stream.length; at += size)
      for (const part of reader.push(new Uint8Array(stream.subarray(at, at + size)))) {
        if (part.kind !== "guest") continue;
        seen.push(...part.bytes);
        const { buffer, byteOffset, byteLength } = part.bytes;
        if (byteOffset + byteLength === buffer.byteLength)
          structuredClone(part.bytes, { transfer: [buffer as ArrayBuffer] });
      }
    expect(seen).toEqual([...chunk(9, 1), ...chunk(20, 2)]);
  }
});

/** A runner whose writes wait until they are let go. */
class Writes {
  readonly waiting: PromiseWithResolvers<void>[] = [];
  readonly writeImage = (): Promise<void> => {
    const one = Promise.withResolvers<void>();
    this.waiting.push(one);
    return one.promise;
  };
}

const settled = async (work: Promise<unknown>): Promise<boolean> => {
  let done = false;
  work.then(
    () => (done = true),
    () => (done = true),
  );
  for (let turns = 0; turns < 20; turns++) await Promise.resolve();
  return done;
};

describe("a cell that runs is looked at again", () => {
  test("IO3: when everything was taken where it goes, and what it changed meanwhile crosses before it stands still", async () => {
    const told: string[] = [];
    const pieces = [undefined, chunk(4, 2), undefined, undefined];
    const readAhead = async (): Promise<Uint8Array | undefined> => {
      told.push("asked");
      return pieces.shift();
    };
    const source = piecesSource({ readAhead }, AGENT, 0, chunk(3, 1));
    const chunks = await all(() => source(async () => told.push("taken")));
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.concat([AHEAD_MARK, framedPiece(chunk(3, 1)), framedPiece(chunk(4, 2)), framedPiece()]),
    );
    expect(told).toEqual(["asked", "taken", "asked", "asked", "taken", "asked"]);
  });

  test("IO3: a few times only, however much it changes", async () => {
    let asked = 0;
    const readAhead = async (): Promise<Uint8Array | undefined> => (asked++ % 2 === 0 ? undefined : chunk(4));
    const source = piecesSource({ readAhead }, AGENT, 0, chunk(3));
    const chunks = await all(() => source(async () => undefined));
    expect(chunks.length, "the mark, the first piece, one for each look, the end").toBe(2 + LOOKS_MAX + 1);
  });

  test("RI1: the end of what crossed before counts as taken when the runner has built all of that", async () => {
    const writes = new Writes();
    const runner = {
      expect: async () => undefined,
      stage: async () => undefined,
      writeImage: writes.writeImage,
      finishImage: async () => undefined,
    };
    const chunks = [AHEAD_MARK, framedPiece(chunk(3)), framedPiece(chunk(4)), framedPiece()];
    let wanted = 0;
    const more = Promise.withResolvers<Uint8Array | undefined>();
    const taken = receiveImage(
      { agent: AGENT, manifest: {} as AgentManifest },
      async () => chunks[wanted++] ?? more.promise,
      { runner, several: true, pages: undefined, takeHead: () => ({}) as FrozenMail },
    );
    expect(await settled(taken)).toBe(false);
    expect([wanted, writes.waiting.length], "nothing behind the end was asked for").toEqual([4, 2]);
    writes.waiting[0]?.resolve();
    expect(await settled(taken)).toBe(false);
    expect(wanted).toBe(4);
    writes.waiting[1]?.resolve();
    expect(await settled(taken)).toBe(false);
    expect(wanted).toBe(5);
    more.resolve(undefined);
    await expect(taken).rejects.toMatchObject({ code: "cells.bad-image" });
  });

  test("RI1: what the runner refused of it is told before anything more is asked for", async () => {
    const runner = {
      expect: async () => undefined,
      stage: async () => undefined,
      writeImage: () => Promise.reject(new RangeError("no room")),
      finishImage: async () => undefined,
    };
    const chunks = [AHEAD_MARK, framedPiece(chunk(3)), framedPiece()];
    const taken = receiveImage(
      { agent: AGENT, manifest: {} as AgentManifest },
      async () => chunks.shift() ?? expect.unreachable("something behind the end was asked for"),
      { runner, several: true, pages: undefined, takeHead: () => ({}) as FrozenMail },
    );
    await expect(taken).rejects.toThrow("no room");
  });
});

describe("what is written to a cell", () => {
  test("IW1: as many pieces are on their way as may be, and no more", async () => {
    const runner = new Writes();
    const writes = new ImageWrites(runner, AGENT, true);
    for (let n = 1; n < WRITES_MAX; n++) expect(await settled(writes.write(chunk(1)))).toBe(true);
    const last = writes.write(chunk(1));
    expect(await settled(last)).toBe(false);
    expect(runner.waiting.length).toBe(WRITES_MAX);
    runner.waiting[0]?.resolve();
    expect(await settled(last)).toBe(true);
  });

  test("IW1: one after the other for a runner that takes one at a time", async () => {
    const runner = new Writes();
    const first = new ImageWrites(runner, AGENT, false).write(chunk(1));
    expect(await settled(first)).toBe(false);
    runner.waiting[0]?.resolve();
    expect(await settled(first)).toBe(true);
  });

  test("IW2: what the runner refused is told by a later write, or by the end, and nothing is unhandled", async () => {
    const runner = new Writes();
    const writes = new ImageWrites(runner, AGENT, true);
    const two = [writes.write(chunk(1)), writes.write(chunk(1))];
    await Promise.all(two);
    runner.waiting[1]?.reject(new RangeError("the second"));
    runner.waiting[0]?.resolve();
    await expect(writes.end(Promise.reject(new RangeError("the end")))).rejects.toThrow("the second");
    const again = new ImageWrites(runner, AGENT, true);
    await expect(again.end(Promise.reject(new RangeError("the end")))).rejects.toThrow("the end");
  });
});
