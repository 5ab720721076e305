import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import { BatchBuffers } from "../src/batch-buffers.ts";
import { FLAG_FIRST, FLAG_LAST, FRAME_KIND, FRAME_PAYLOAD_BYTES } from "../src/frame.ts";
import { FramedConnection } from "../src/framed-connection.ts";
import { unread } from "../src/hello.ts";
import { BULK_WRITES, TURN_BYTES } from "../src/limits.ts";
import type { Lane } from "../src/outbox.ts";
import { realTimers, until } from "./ports.ts";

/** A stream whose other end takes everything at once. */
class Swallowing extends Duplex {
  taken = 0;

  override _read(): void {}

  override _write(chunk: Uint8Array, _: unknown, done: () => void): void {
    this.taken += chunk.length;
    done();
  }
}

describe("writing to a connection", () => {
  it("X2: a reader that takes everything at once gets 2 MiB and a batch per turn of the event loop, and no more", async () => {
    const stream = new Swallowing();
    const connection = new FramedConnection(
      {
        carrier: "tls-tcp",
        peer: { nodeId: "00" as never, publicKey: new Uint8Array(32), notAfterMs: 0 },
        stream,
        remoteHost: undefined,
        exportKeyingMaterial: () => new Uint8Array(32),
      },
      realTimers,
      unread(),
    );
    const payload = new Uint8Array(FRAME_PAYLOAD_BYTES);
    let left = 1000;
    const lane: Lane = {
      takeFrame: () =>
        left-- > 0
          ? { kind: FRAME_KIND.bulk, flags: FLAG_FIRST | FLAG_LAST, messageLength: payload.length, payload }
          : undefined,
    };
    connection.handTo(unread(), [lane], BULK_WRITES);
    const perTurn: number[] = [];
    let before = 0;
    while (left > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      perTurn.push(stream.taken - before);
      before = stream.taken;
    }
    expect(Math.max(...perTurn)).toBeGreaterThan(TURN_BYTES / 2);
    expect(Math.max(...perTurn)).toBeLessThan(
      TURN_BYTES + BULK_WRITES.batchBytes + FRAME_PAYLOAD_BYTES + 1000,
    );
    await until(() => stream.taken > 1000 * FRAME_PAYLOAD_BYTES);
    connection.destroy();
    await connection.gone;
  });
});

describe("memory for batches", () => {
  it("BB1: is handed out again only after it was given back", () => {
    const buffers = new BatchBuffers();
    const first = buffers.take(BULK_WRITES.batchBytes);
    const second = buffers.take(BULK_WRITES.batchBytes);
    expect(second.buffer).not.toBe(first.buffer);
    buffers.giveBack(first.subarray(0, 1000));
    expect(buffers.take(BULK_WRITES.batchBytes).buffer).toBe(first.buffer);
    expect(buffers.take(BULK_WRITES.batchBytes).buffer).not.toBe(second.buffer);
  });

  it("BB2: four are kept at most, and none after a clear", () => {
    const buffers = new BatchBuffers();
    const taken = Array.from({ length: 6 }, () => buffers.take(BULK_WRITES.batchBytes));
    for (const batch of taken) buffers.giveBack(batch);
    const again = Array.from({ length: 6 }, () => buffers.take(BULK_WRITES.batchBytes));
    const known = new Set(taken.map(({ buffer }) => buffer));
    expect(again.filter(({ buffer }) => known.has(buffer)).length).toBe(4);
    for (const batch of again) buffers.giveBack(batch);
    buffers.clear();
    expect(known.has(buffers.take(BULK_WRITES.batchBytes).buffer)).toBe(false);
  });

  it("a small or a huge batch has memory of its own, of its size", () => {
    const buffers = new BatchBuffers();
    expect(buffers.take(100).length).toBe(100);
    expect(buffers.take(10_000_000).length).toBe(10_000_000);
  });
});
