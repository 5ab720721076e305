/** What a guest is given, as entries, and given again. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  closedEntry,
  decodeEntry,
  ITEMS_MAX,
  inputsEntry,
  messageEntry,
  type TapeItem,
} from "../../src/replica/entries.ts";
import { checkReplicable, replicaOf } from "../../src/replica/grants.ts";
import { Tape } from "../../src/replica/tape.ts";

const item: fc.Arbitrary<TapeItem> = fc.oneof(
  fc.constant([0] as const),
  fc.maxSafeInteger().map((value) => [1, value] as const),
  fc.maxSafeNat().map((ms) => [2, ms] as const),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => [3, bytes] as const),
  fc.constant([4] as const),
);
const link = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return errorCodeOf(error);
  }
};

/** Items that a tape told, in order. */
function recorder(): { readonly told: TapeItem[]; readonly tell: (entry: Uint8Array) => void } {
  const told: TapeItem[] = [];
  const tell = (entry: Uint8Array): void => {
    const read = decodeEntry(entry);
    if (read.kind === "inputs") told.push(...read.items);
  };
  return { told, tell };
}

/** A guest that asks for these kinds of things in order; what it got. */
function play(tape: Tape, asked: readonly TapeItem[], live: number): unknown[] {
  return asked.map(([kind, value]) => {
    if (kind === 4) return tape.waits();
    if (kind === 2) return tape.wallMs(() => live);
    if (kind === 3) {
      const target = new Uint8Array((value as Uint8Array).length);
      tape.random(target, (part) => part.fill(live & 255));
      return target;
    }
    const again = tape.nextResult();
    if (kind === 0) tape.took();
    else tape.returned(again !== undefined && "value" in again ? again.value : live);
    return again;
  });
}

describe("entries", () => {
  it("RE1: give back what was written", () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 40 }),
        link,
        fc.nat(),
        fc.uint8Array({ maxLength: 99 }),
        (items, id, seq, payload) => {
          expect(decodeEntry(inputsEntry(items))).toEqual({ kind: "inputs", items });
          expect(decodeEntry(closedEntry(id))).toEqual({ kind: "closed", link: id });
          const mail = { link: id, seq: seq + 1, ask: seq % 2 === 0, from: (id + id) as NodeId, payload };
          for (const floor of [undefined, seq])
            expect(decodeEntry(messageEntry(mail, floor))).toEqual({ kind: "message", item: mail, floor });
        },
      ),
    );
  });

  it("RE1: refuse rubbish, cut off and turned bits by type", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (rubbish, at, flip) => {
          const good = inputsEntry([[0], [1, -7], [2, 99], [3, Uint8Array.of(1, 2)]]);
          const turned = good.slice();
          turned[at % turned.length] = (turned[at % turned.length] as number) ^ flip;
          for (const bytes of [rubbish, turned, good.slice(0, at % good.length)])
            expect(["cells.bad-image", undefined]).toContain(codeOf(() => decodeEntry(bytes)));
        },
      ),
    );
    const tooMany = inputsEntry(Array.from({ length: ITEMS_MAX + 1 }, () => [0] as const));
    expect(codeOf(() => decodeEntry(tooMany))).toBe("cells.bad-image");
  });
});

describe("a tape", () => {
  it("TP1, TP2: a guest that runs again from what was told gets the same, and tells the same", () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 200 }), (asked) => {
        const first = recorder();
        const tape = new Tape(first.tell);
        play(tape, asked, 12_345);
        tape.flush();
        const again = recorder();
        const replayed = new Tape(again.tell, first.told);
        // Live values differ: a guest that sees one of them did not get the record.
        play(replayed, asked, 777);
        replayed.flush();
        expect(again.told).toEqual(first.told);
        expect(replayed.replaying).toBe(false);
      }),
    );
  });

  it("TP3: goes on live when the record is over, and stops a guest that asks for something else than it has", () => {
    const { tell } = recorder();
    const tape = new Tape(tell, [[2, 5]]);
    expect(tape.wallMs(() => 9)).toBe(5);
    expect(tape.wallMs(() => 9)).toBe(9);
    expect(tape.nextResult()).toBeUndefined();
    const other: readonly (readonly [TapeItem, (tape: Tape) => unknown])[] = [
      [[2, 5], (one) => one.nextResult()],
      [[1, 5], (one) => one.wallMs(() => 9)],
      [[0], (one) => one.random(new Uint8Array(4), () => undefined)],
      [[3, new Uint8Array(3)], (one) => one.random(new Uint8Array(4), () => undefined)],
    ];
    for (const [recorded, act] of other)
      expect(codeOf(() => act(new Tape(tell, [recorded])))).toBe("cells.replay-diverged");
  });

  it("TP2: tells that a wait begins at once, and much that was recorded before it is asked to", () => {
    const { told, tell } = recorder();
    const tape = new Tape(tell);
    tape.returned(1);
    expect(told).toEqual([]);
    tape.waits();
    expect(told).toEqual([[1, 1], [4]]);
    for (let n = 0; n < 64; n++) tape.took();
    expect(told).toHaveLength(66);
  });
});

describe("RG1: a replica", () => {
  const asks = (...grants: string[]) => ({ name: "a", program: Uint8Array.of(0), grants, memoryPages: 1 });

  it("is asked for by a grant, and refused for what could not be done again", () => {
    expect(replicaOf(asks("glia.v1"))).toBeUndefined();
    expect(replicaOf(asks("glia.v1", "replica/hold"))).toBe("hold");
    expect(replicaOf(asks("replica/continue"))).toBe("continue");
    checkReplicable(asks("service/http", "glia.sys.v1"));
    checkReplicable(
      asks("glia.v1", "glia.v1/receive", "wasi_snapshot_preview1", "glia.tensor.v1", "replica/hold"),
    );
    for (const grant of [
      "glia.sys.v1",
      "service/http",
      "service/agents",
      "glia.v12",
      "env",
      "replica/continue",
    ])
      expect(codeOf(() => checkReplicable(asks("glia.v1", "replica/hold", grant)))).toBe(
        "cells.not-replicable",
      );
    expect(codeOf(() => checkReplicable({ ...asks("replica/hold"), kind: "domain" }))).toBe(
      "cells.not-replicable",
    );
  });
});
