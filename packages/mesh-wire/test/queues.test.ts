import { hasErrorCode } from "@glia-os/abi/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo } from "../src/fifo.ts";
import { FLAG_FIRST, FLAG_LAST, FRAME_KIND } from "../src/frame.ts";
import { Inbox } from "../src/inbox.ts";
import { DATAGRAM_INBOX_BYTES, FRAME_COST_BYTES, OUTBOX_BYTES, WAITING_SENDS } from "../src/limits.ts";
import { Outbox } from "../src/outbox.ts";
import { Reassembly } from "../src/reassembly.ts";
import { settle } from "./ports.ts";

const REQUEST = { kind: FRAME_KIND.request, boundBytes: OUTBOX_BYTES.request };
const quiet = { settled() {}, idle() {}, failed() {} };

function drain(outbox: Outbox): number {
  let bytes = 0;
  for (let frame = outbox.takeFrame(); frame !== undefined; frame = outbox.takeFrame())
    bytes += frame.payload.length;
  return bytes;
}

describe("an outbox", () => {
  it("O1: accepts up to its bound, and any message when empty", async () => {
    const outbox = new Outbox(REQUEST);
    let accepted = 0;
    const offer = (size: number) => void outbox.offer(new Uint8Array(size)).then(() => accepted++);
    offer(OUTBOX_BYTES.request + 1);
    offer(1);
    await settle(2);
    expect(accepted).toBe(1);
    drain(outbox);
    await settle(2);
    expect(accepted).toBe(2);
    offer(OUTBOX_BYTES.request - 2 * FRAME_COST_BYTES);
    offer(0);
    await settle(2);
    expect(accepted).toBe(4);
  });

  it("O2: refuses a send with wire.send-queue-full when as many wait as may", async () => {
    const outbox = new Outbox(REQUEST);
    await outbox.offer(new Uint8Array(OUTBOX_BYTES.request));
    const waiting = Array.from({ length: WAITING_SENDS }, () => outbox.offer(new Uint8Array(1)));
    await expect(outbox.offer(new Uint8Array(1))).rejects.toSatisfy((e) =>
      hasErrorCode(e, "wire.send-queue-full"),
    );
    expect(drain(outbox)).toBe(OUTBOX_BYTES.request + WAITING_SENDS);
    await Promise.all(waiting);
  });

  it("O3: keeps the newest datagrams within its bound and counts the rest", () => {
    const outbox = new Outbox({
      kind: FRAME_KIND.datagram,
      boundBytes: OUTBOX_BYTES.datagram,
      dropOldest: true,
    });
    const fit = Math.floor(OUTBOX_BYTES.datagram / (1200 + FRAME_COST_BYTES));
    for (let i = 0; i < fit + 10; i++) void outbox.offer(new Uint8Array(1200).fill(i));
    expect(outbox.dropped).toBe(10);
    expect(outbox.takeFrame()?.payload[0]).toBe(10);
    expect(drain(outbox)).toBe((fit - 1) * 1200);
  });

  it("O4: gives no more than its credit, and goes on with more", async () => {
    const outbox = new Outbox({ ...REQUEST, creditBytes: 20_000 });
    await outbox.offer(new Uint8Array(40_000));
    expect(drain(outbox)).toBe(16_384);
    outbox.addCredit(100_000);
    expect(drain(outbox)).toBe(40_000 - 16_384);
  });
});

describe("an inbox", () => {
  it("drops the oldest over its bound while the receiver is held", async () => {
    const gate = Promise.withResolvers<void>();
    const got: number[] = [];
    const inbox = new Inbox(quiet, DATAGRAM_INBOX_BYTES);
    inbox.open((message) => {
      got.push(message[0]!);
      return gate.promise;
    });
    const cost = 1200 + FRAME_COST_BYTES;
    const fit = Math.floor(DATAGRAM_INBOX_BYTES / cost);
    for (let i = 0; i < fit + 6; i++) inbox.push(Uint8Array.of(i), cost);
    expect(inbox.dropped).toBe(5);
    gate.resolve();
    await settle(fit + 20);
    expect(got).toEqual([0, ...Array.from({ length: fit }, (_, i) => i + 6)]);
  });

  it("I1: delivers one message at a time and settles each once, whatever the receiver returns", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async (slow) => {
        const [order, settled]: [number[], number[]] = [[], []];
        let running = 0;
        const inbox = new Inbox({ ...quiet, settled: (cost) => void settled.push(cost) });
        inbox.open((message) => {
          expect(running).toBe(0);
          order.push(message[0]!);
          if (slow[message[0]!] !== true) return;
          running++;
          return Promise.resolve().then(() => {
            running--;
          });
        });
        for (let i = 0; i < slow.length; i++) inbox.push(Uint8Array.of(i), i);
        await settle(2);
        const all = slow.map((_, i) => i);
        expect(order).toEqual(all);
        expect(settled).toEqual(all);
        expect(inbox.drained).toBe(true);
      }),
    );
  });
});

describe("a reassembly", () => {
  it("A1: allocates as bytes arrive, not as they are announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const open = Array.from({ length: 64 }, () => {
      const reassembly = new Reassembly();
      reassembly.begin({ kind: 2, flags: FLAG_FIRST, payloadLength: 1, messageLength: 16 * 1024 * 1024 });
      return reassembly;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * 1024 * 1024);
    expect(open.every((reassembly) => reassembly.partial)).toBe(true);
  });

  it("gives a message in a buffer of its own and of its size", () => {
    const reassembly = new Reassembly();
    const piece = new Uint8Array(16_000).fill(7);
    const count = 300;
    let message: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      const flags = (i === 0 ? FLAG_FIRST : 0) | (i === count - 1 ? FLAG_LAST : 0);
      reassembly.begin({ kind: 2, flags, payloadLength: piece.length, messageLength: count * piece.length });
      reassembly.data(piece);
      message = reassembly.end();
    }
    expect(message?.buffer.byteLength).toBe(count * piece.length);
    expect(message?.every((byte) => byte === 7)).toBe(true);
  });
});

describe("a fifo", () => {
  it("gives back what was pushed, in order, like an array", () => {
    const operation = fc.oneof(fc.nat(), fc.constant("shift" as const));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 5000 }), (operations) => {
        const [fifo, model]: [Fifo<number>, number[]] = [new Fifo(), []];
        for (const each of operations) {
          if (each === "shift") expect(fifo.shift()).toBe(model.shift());
          else {
            fifo.push(each);
            model.push(each);
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
        }
      }),
      { numRuns: 50 },
    );
  });
});
