/** Messages of members as bytes: whole, in parts, and damaged. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import { encode } from "cborg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMemoryJournal } from "../src/journal/memory.ts";
import type { JournalReply, JournalRequest } from "../src/journal/request.ts";
import { batchOf } from "../src/journal/testing.ts";
import { createMemoryKeyValue } from "../src/key-value/memory.ts";
import { ReplicaBehindError } from "../src/replica/errors.ts";
import { joinedParts, LONG_AT_ONCE, LongMessages, partsOf } from "../src/replica/long-messages.ts";
import type { ReplicaReply, ReplicaRequest } from "../src/replica/protocol.ts";
import {
  answerReplicaCalls,
  type ReplicaCalls,
  ReplicaMember,
  replicaOverCalls,
} from "../src/replica/replica-journal.ts";
import { Turns } from "../src/replica/turns.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../src/replica/wire.ts";
import { nodeNamed } from "../src/testing.ts";

const [A, B] = ["a", "b"].map(nodeNamed) as [NodeId, NodeId];
const RUNS = process.env["GLIA_SOAK"] === "1" ? 5_000 : 200;

const whole = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 60 });
const domain = fc.string({ unit: "binary", maxLength: 12 });
const batchFields = { domain, epoch: whole, firstSeq: whole, count: whole, body: bytes };
const batch = fc.record(batchFields);
const head = fc.record({ domain, epoch: whole, firstSeq: whole, nextSeq: whole, bytes: whole });
const segment = fc.record({
  ...{ domain, epoch: whole, firstSeq: whole, lastSeq: whole, bytes: whole },
  hash: fc.string({ maxLength: 64 }),
});
const nothing = fc.constant(undefined);

/** A request, and any reply that its journal could give. */
const asked: fc.Arbitrary<readonly [JournalRequest, JournalReply]> = fc.oneof(
  fc.tuple(fc.record({ op: fc.constant("append" as const), ...batchFields }), nothing),
  fc.tuple(
    fc.record({ op: fc.constant("read" as const), domain, fromSeq: whole, most: whole }),
    fc.array(batch),
  ),
  fc.tuple(fc.record({ op: fc.constant("head" as const), domain }), fc.option(head, { nil: undefined })),
  fc.tuple(fc.record({ op: fc.constant("domains" as const), after: domain, limit: whole }), fc.array(head)),
  fc.tuple(fc.record({ op: fc.constant("seal" as const), domain }), fc.option(segment, { nil: undefined })),
  fc.tuple(fc.record({ op: fc.constant("segments" as const), domain }), fc.array(segment)),
  fc.tuple(fc.record({ op: fc.constant("readSegment" as const), domain, firstSeq: whole }), bytes),
  fc.tuple(fc.record({ op: fc.constant("acceptSegment" as const), segment: bytes }), segment),
  fc.tuple(fc.record({ op: fc.constant("truncate" as const), domain, beforeSeq: whole }), whole),
  fc.tuple(fc.record({ op: fc.constant("remove" as const), domain }), nothing),
);

const refused = fc
  .tuple(fc.string({ maxLength: 20 }), whole, whole)
  .map(([group, index, next]) => new ReplicaBehindError(group, index, next).toRecord());
const lead = { group: fc.string({ maxLength: 20 }), term: whole };

/** Requests with replies to them. */
const exchange: fc.Arbitrary<readonly [ReplicaRequest, ReplicaReply]> = fc.oneof(
  fc.tuple(
    fc.oneof(
      fc.record({ kind: fc.constant("prepare" as const), ...lead }),
      fc.record({ kind: fc.constant("begin-copy" as const), ...lead }),
      fc.record({ kind: fc.constant("end-copy" as const), ...lead, index: whole }),
    ),
    fc
      .record({ promised: whole, term: whole, index: whole, copying: whole })
      .map((state) => ({ kind: "state" as const, state })),
  ),
  fc
    .tuple(fc.record(lead), whole, fc.array(fc.tuple(asked, fc.option(refused)), { maxLength: 5 }))
    .map(([head, after, list]): [ReplicaRequest, ReplicaReply] => [
      { kind: "perform", ...head, after, requests: list.map(([[request]]) => request) },
      {
        kind: "answers",
        answers: list.map(([[, reply], no]) => (no === null ? { reply } : { refused: no })),
      },
    ]),
  fc.tuple(fc.record(lead), asked).map(([head, [request, reply]]): [ReplicaRequest, ReplicaReply] => [
    { kind: "copy", ...head, request },
    { kind: "answers", answers: [{ reply }] },
  ]),
  fc.tuple(
    fc.record({ kind: fc.constant("prepare" as const), ...lead }),
    refused.map((no) => ({ kind: "refused" as const, refused: no })),
  ),
);

describe("a message as bytes", () => {
  it("RW1: is read as what was written, requests and replies", () => {
    fc.assert(
      fc.property(exchange, ([request, reply]) => {
        expect(decodeRequest(encodeRequest(request))).toEqual(request);
        expect(decodeReply(request, encodeReply(request, reply))).toEqual(reply);
      }),
      { numRuns: RUNS },
    );
  });

  it("RW1: that is cut, longer, or damaged is read as another message or refused, and nothing else is thrown", () => {
    const either = (read: () => unknown): void => {
      try {
        read();
      } catch (error) {
        expect(errorCodeOf(error)).toBe("abi.malformed");
      }
    };
    fc.assert(
      fc.property(exchange, fc.nat(), fc.nat(255), ([request, reply], place, byte) => {
        for (const [message, read] of [
          [encodeRequest(request), decodeRequest],
          [encodeReply(request, reply), (read: Uint8Array) => decodeReply(request, read)],
        ] as const) {
          const at = place % message.length;
          either(() => read(message.subarray(0, at)));
          either(() => read(message.with(at, byte)));
          expect(() => read(Uint8Array.of(...message, byte))).toThrow(
            expect.objectContaining({ code: "abi.malformed" }),
          );
        }
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ["no list", encode({})],
    ["no known kind", encode(["obey", "g", 1])],
    ["a kind of every object", encode(["constructor", "g", 1])],
    ["a negative term", encode(["prepare", "g", -1])],
    ["a field too many", encode(["prepare", "g", 1, 1])],
    ["an operation of every object", encode(["copy", "g", 1, ["toString", "d"]])],
    ["a body that is text", encode(["copy", "g", 1, ["acceptSegment", "x"]])],
    [
      "a number beyond 2^53",
      Uint8Array.of(0x83, 0x67, ...Buffer.from("prepare"), 0x61, 0x67, 0x1b, ...Array(8).fill(0xff)),
    ],
  ])("RW1: %s is refused", (_what, message) => {
    expect(() => decodeRequest(message)).toThrow(expect.objectContaining({ code: "abi.malformed" }));
  });

  it("RW2: answers to other requests than those that were asked are refused", () => {
    const request: ReplicaRequest = {
      kind: "copy",
      group: "g",
      term: 1,
      request: { op: "head", domain: "d" },
    };
    const two = encode(["answers", [[[]], [[]]]]);
    const number = encode(["answers", [[[7]]]]);
    for (const reply of [two, number, encode(["answers", [[]]]), encode(["refused", { code: "x" }])])
      expect(() => decodeReply(request, reply)).toThrow(expect.objectContaining({ code: "abi.malformed" }));
  });
});

describe("a long message", () => {
  const LONGEST = 1000;

  it("LM1: arrives whole in both directions, whatever its length, beside others of the same caller", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(LONGEST), { minLength: 1, maxLength: LONG_AT_ONCE }),
        fc.integer({ min: 1, max: 300 }),
        async (lengths, part) => {
          const long = new LongMessages(part, LONGEST);
          const messages = lengths.map((length, i) => new Uint8Array(length).fill(i + 1));
          const bodies = messages.map((message, i) => [...partsOf(message, i, part)]);
          const taken: Uint8Array[] = [];
          for (let at = 0; bodies.some((list) => at < list.length); at++)
            for (const list of bodies) {
              const body = list[at];
              const done = body === undefined ? undefined : long.taken(A, body);
              if (done !== undefined) taken.push(done.bytes);
            }
          expect(taken.toSorted(byFirst)).toEqual(messages.toSorted(byFirst));
          const firsts = messages.map((message) => long.given(A, message));
          const wish = async (body: Uint8Array): Promise<Uint8Array> =>
            long.taken(A, body)?.bytes ?? new Uint8Array();
          expect(await Promise.all(firsts.map((first) => joinedParts(first, LONGEST, wish)))).toEqual(
            messages,
          );
        },
      ),
      { numRuns: RUNS },
    );
  });

  it.each([
    ["says that it is longer than any may be", [[0, 1001]]],
    [
      "skips a part",
      [
        [0, 300],
        [200, 300],
      ],
    ],
    [
      "changes its length on the way",
      [
        [0, 300],
        [100, 400],
      ],
    ],
    ["begins in the middle", [[100, 300]]],
    ["has a part that goes beyond its end", [[0, 50]]],
  ])("LM1, LM2: that %s is refused", (_what, parts) => {
    const long = new LongMessages(100, LONGEST);
    const body = ([at, total]: number[]): Uint8Array => {
      const bytes = new Uint8Array(113);
      const view = new DataView(bytes.buffer);
      for (const [i, number] of [7, at, total].entries()) view.setUint32(1 + 4 * i, number as number);
      bytes[0] = 1;
      return bytes;
    };
    expect(() => parts.map((one) => long.taken(A, body(one)))).toThrow(
      expect.objectContaining({ code: "abi.malformed" }),
    );
  });

  it("LM2: gives way to newer ones of its caller, and not to those of another", () => {
    const long = new LongMessages(10, LONGEST);
    const begin = (from: NodeId, number: number): void =>
      expect(
        long.taken(from, partsOf(new Uint8Array(20), number, 10).next().value as Uint8Array),
      ).toBeUndefined();
    const end = (from: NodeId, number: number): unknown =>
      long.taken(from, [...partsOf(new Uint8Array(20), number, 10)][1] as Uint8Array)?.kind;
    begin(B, 1);
    for (let number = 1; number <= LONG_AT_ONCE + 1; number++) begin(A, number);
    expect(() => end(A, 1)).toThrow(expect.objectContaining({ code: "abi.malformed" }));
    expect(end(A, 2)).toBe("message");
    expect(end(B, 1)).toBe("message");
  });

  it("of a batch of 12 MiB goes and comes back over calls in parts", async () => {
    const member = new ReplicaMember({
      group: "g",
      members: [A, B],
      journal: createMemoryJournal(),
      control: createMemoryKeyValue(),
    });
    let answer: Parameters<ReplicaCalls["handle"]>[1] = async (_, body) => body;
    const bodies: number[] = [];
    const calls: ReplicaCalls = {
      handle: (_, given) => (answer = given),
      call: async (_to, _method, body, { trafficClass }) => {
        bodies.push(body.length);
        expect(trafficClass).toBe(body.length > 65_536 ? "bulk" : "request");
        return answer({ node: A }, body);
      },
    };
    answerReplicaCalls(calls, [member]);
    const port = replicaOverCalls(calls);
    await port.call(B, { kind: "prepare", group: "g", term: 1 });
    const body = new Uint8Array(12 * 2 ** 20).fill(9);
    await port.call(B, {
      kind: "copy",
      group: "g",
      term: 1,
      request: { op: "append", ...batchOf("d", 1, 1), body },
    });
    const reply = await port.call(B, {
      kind: "copy",
      group: "g",
      term: 1,
      request: { op: "read", domain: "d", fromSeq: 1, most: 1 },
    });
    expect(reply).toEqual({ kind: "answers", answers: [{ reply: [{ ...batchOf("d", 1, 1), body }] }] });
    expect(Math.max(...bodies)).toBeLessThan(9 * 2 ** 20);
    expect(await port.call(B, { kind: "prepare", group: "other", term: 1 })).toMatchObject({
      refused: { code: "store.replica-foreign" },
    });
  });
});

it("turns: at most so many for one key are under way, in the order they were asked for, and others do not wait", async () => {
  const turns = new Turns<string>(2);
  const log: string[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const work = (key: string, name: string, gate: Promise<void>): Promise<void> =>
    turns.take(key, async () => {
      log.push(name);
      await gate;
      if (name === "1") throw new RangeError("it failed");
    });
  const all = gates.map(({ promise }, i) => work("a", String(i + 1), promise).catch(() => undefined));
  await work("b", "b", Promise.resolve());
  expect(log).toEqual(["1", "2", "b"]);
  gates[0]?.resolve();
  await all[0];
  expect(log).toEqual(["1", "2", "b", "3"]);
  for (const gate of gates) gate.resolve();
  await Promise.all(all);
  expect(log).toEqual(["1", "2", "b", "3", "4"]);
});

function byFirst(one: Uint8Array, other: Uint8Array): number {
  return (one[0] ?? 0) - (other[0] ?? 0);
}
