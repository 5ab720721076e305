/** What a guest is given, as entries, and given again. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { CallResult } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { effectOf } from "../../src/replica/effect.ts";
import {
  closedEntry,
  decodeEntry,
  ITEMS_MAX,
  inputsEntry,
  messageEntry,
  type TapeItem,
} from "../../src/replica/entries.ts";
import { checkMovable, checkReplicable, replicaOf } from "../../src/replica/grants.ts";
import { OUTPUTS_MAX, Tape } from "../../src/replica/tape.ts";

/** Of the log of a feed (packages/mesh-core/src/failover/messages.ts). */
const ENTRY_MAX = 1_048_576 + 65_536;

const item: fc.Arbitrary<TapeItem> = fc.oneof(
  fc.constant([0] as const),
  fc.maxSafeInteger().map((value) => [1, value] as const),
  fc.maxSafeNat().map((ms) => [2, ms] as const),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => [3, bytes] as const),
  fc.constant([4] as const),
  fc
    .tuple(
      fc.maxSafeInteger(),
      fc.option(fc.uint8Array({ maxLength: 9 })),
      fc.option(fc.uint8Array({ maxLength: 9 })),
    )
    .map(([value, payload, outputs]) => [5, "glia.sys.v1/exec", value, payload, outputs] as const),
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

const noWait = (): void => undefined;

/** Items that a tape told, in order. */
function recorder(): { readonly told: TapeItem[]; readonly tell: (entry: Uint8Array) => void } {
  const told: TapeItem[] = [];
  const tell = (entry: Uint8Array): void => {
    const read = decodeEntry(entry);
    if (read.kind === "inputs") told.push(...read.items);
  };
  return { told, tell };
}

/** TP4. */
function withoutOutputs(one: TapeItem): TapeItem {
  return one[0] === 5 ? [5, one[1], one[2], one[3], null] : one;
}

const EXEC = "glia.sys.v1/exec";

/** A call on a capability: what it returned before, or now; what it asks for is told only when it is made. */
function called(
  tape: Tape,
  [, op, value, payload, outputs]: Extract<TapeItem, readonly [5, ...unknown[]]>,
): unknown {
  const again = tape.nextResult(op);
  if (again !== undefined && "value" in again) {
    tape.answered(op, again);
    return again;
  }
  if (outputs !== null) tape.asksFor(outputs);
  const made = payload === null ? { value } : { value, payload };
  tape.answered(op, made);
  return made;
}

/** A guest that asks for these kinds of things in order; what it got. */
function play(tape: Tape, asked: readonly TapeItem[], live: number): unknown[] {
  return asked.map((one) => {
    if (one[0] === 5) return called(tape, one);
    const [kind, value] = one;
    if (kind === 4) return tape.waits();
    if (kind === 2) return tape.wallMs(() => live);
    if (kind === 3) {
      const target = new Uint8Array((value as Uint8Array).length);
      tape.random(target, (part) => part.fill(live & 255));
      return target;
    }
    const again = tape.nextResult("glia.v1/receive");
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
        const tape = new Tape(first.tell, noWait);
        play(tape, asked, 12_345);
        tape.flush();
        const again = recorder();
        const replayed = new Tape(again.tell, noWait, first.told);
        // Live values differ: a guest that sees one of them did not get the record.
        play(replayed, asked, 777);
        replayed.flush();
        expect(again.told).toEqual(first.told.map(withoutOutputs));
        expect(replayed.replaying).toBe(false);
      }),
    );
  });

  it("TP3: goes on live when the record is over, and stops a guest that asks for something else than it has", () => {
    const { tell } = recorder();
    const tape = new Tape(tell, noWait, [[2, 5]]);
    expect(tape.wallMs(() => 9)).toBe(5);
    expect(tape.wallMs(() => 9)).toBe(9);
    expect(tape.nextResult("glia.v1/receive")).toBeUndefined();
    const other: readonly (readonly [TapeItem, (tape: Tape) => unknown])[] = [
      [[2, 5], (one) => one.nextResult("glia.v1/receive")],
      [[1, 5], (one) => one.wallMs(() => 9)],
      [[0], (one) => one.random(new Uint8Array(4), () => undefined)],
      [[5, EXEC, 1, null, null], (one) => one.nextResult("glia.sys.v1/fetch")],
      [[5, EXEC, 1, null, null], (one) => one.wallMs(() => 9)],
      [[3, new Uint8Array(3)], (one) => one.random(new Uint8Array(4), () => undefined)],
    ];
    for (const [recorded, act] of other)
      expect(codeOf(() => act(new Tape(tell, noWait, [recorded])))).toBe("cells.replay-diverged");
  });

  it("TP2: tells that a wait begins at once, and much that was recorded before it is asked to", () => {
    const { told, tell } = recorder();
    const tape = new Tape(tell, noWait);
    tape.returned(1);
    expect(told).toEqual([]);
    tape.waits();
    expect(told).toEqual([[1, 1], [4]]);
    for (let n = 0; n < 64; n++) tape.took();
    expect(told).toHaveLength(66);
  });
});

describe("a call on a capability", () => {
  const entries = (): {
    told: [TapeItem[], Uint8Array | undefined][];
    tell: (entry: Uint8Array, outputs?: Uint8Array) => void;
  } => {
    const told: [TapeItem[], Uint8Array | undefined][] = [];
    return {
      told,
      tell: (entry, outputs) => {
        const read = decodeEntry(entry);
        if (read.kind === "inputs") told.push([[...read.items], outputs]);
      },
    };
  };

  it("TP4: is told with what it asked for at once, in the entry that has its answer, and never again", () => {
    const { told, tell } = entries();
    const tape = new Tape(tell, noWait);
    tape.took();
    tape.asksFor(Uint8Array.of(7));
    expect(told).toEqual([]);
    tape.answered(EXEC, { value: 4, payload: Uint8Array.of(1) });
    const answer = [5, EXEC, 4, Uint8Array.of(1), Uint8Array.of(7)];
    expect(told).toEqual([[[[0], answer], Uint8Array.of(7)]]);
    const again = entries();
    const replayed = new Tape(again.tell, noWait, told[0]?.[0]);
    expect(replayed.nextResult(EXEC)).toEqual({ taken: true });
    replayed.answered(EXEC, replayed.nextResult(EXEC) as CallResult);
    replayed.flush();
    expect(again.told.flatMap(([, outputs]) => outputs ?? [])).toEqual([]);
  });

  it("TP4: with much in it is an entry by itself, so that every entry fits a log", () => {
    const { told, tell } = entries();
    const tape = new Tape(tell, noWait);
    tape.took();
    tape.answered(EXEC, { value: 1, payload: new Uint8Array(1_048_576) });
    tape.took();
    tape.asksFor(new Uint8Array(OUTPUTS_MAX));
    tape.answered(EXEC, { value: 0 });
    expect(told.map(([items]) => items.length)).toEqual([1, 1, 1, 1]);
    const most = inputsEntry([[5, EXEC, -10, null, new Uint8Array(OUTPUTS_MAX)]]);
    expect(most.length).toBeLessThanOrEqual(ENTRY_MAX);
  });

  it("TP5: that is not made twice, was begun and not answered is answered by an error; one that waits to be held is not", () => {
    const { tell } = recorder();
    const tape = new Tape(tell, noWait, [[6, EXEC]]);
    const answer = tape.nextResult(EXEC) as CallResult;
    expect(answer.value).toBe(GUEST_ERRORS.E_FAILED);
    expect(new TextDecoder().decode(answer.payload)).toContain("cells.outcome-unknown");
    tape.answered(EXEC, answer);
    expect(tape.begun).toBeUndefined();
    const paused = new Tape(tell, noWait);
    paused.begins(EXEC);
    expect(paused.begun).toBe(EXEC);
    expect(paused.nextResult(EXEC)).toBeUndefined();
  });

  it("goes on when what was told before it is held, and not before", () => {
    const asked: number[] = [];
    const { told, tell } = recorder();
    const tape = new Tape(tell, (number) => asked.push(number));
    tape.begins(EXEC);
    const number = tape.awaitsHeld();
    expect([told, asked]).toEqual([[[6, EXEC]], [number]]);
    expect(tape.isHeld(number)).toBe(false);
    tape.held(number);
    expect(tape.isHeld(number)).toBe(true);
    expect(tape.isHeld(tape.awaitsHeld())).toBe(false);
  });

  const effect = (name: string, head = "", recorded = false): string =>
    effectOf(
      { requestId: 1, op: `glia.sys.v1/${name}`, args: [1, 0, 9] },
      { read: () => new TextEncoder().encode(head), recorded: () => recorded },
    );

  it("EF1, EF2: is made again after a takeover only if that is the same as once", () => {
    expect(["GET", "HEAD", "OPTIONS"].map((method) => effect("fetch", JSON.stringify({ method })))).toEqual(
      new Array(3).fill("none"),
    );
    expect(effect("fetch", "{}")).toBe("none");
    expect(["PUT", "DELETE"].map((method) => effect("fetch", JSON.stringify({ method })))).toEqual(
      new Array(2).fill("repeatable"),
    );
    expect(
      ["POST", "PATCH", "get", "ODD"].map((method) => effect("fetch", JSON.stringify({ method }))),
    ).toEqual(new Array(4).fill("once"));
    expect(effect("fetch", "rubbish")).toBe("none");
    expect([effect("file_read"), effect("file_list"), effect("file_write")]).toEqual([
      "none",
      "none",
      "repeatable",
    ]);
    expect([effect("exec"), effect("exec", "", true), effect("model"), effect("send")]).toEqual([
      "once",
      "recorded",
      "once",
      "once",
    ]);
  });
});

describe("RG1: a replica", () => {
  const asks = (...grants: string[]) => ({ name: "a", program: Uint8Array.of(0), grants, memoryPages: 1 });

  it("is asked for by a grant, and refused for what could not be done again", () => {
    expect(replicaOf(asks("glia.v1"))).toBeUndefined();
    expect(replicaOf(asks("glia.v1", "replica/hold"))).toEqual({ without: "hold", count: 1 });
    expect(replicaOf(asks("replica/continue"))).toEqual({ without: "continue", count: 1 });
    expect(replicaOf(asks("glia.v1", "replica/hold/4"))).toEqual({ without: "hold", count: 4 });
    for (const wish of [
      "replica/hold/0",
      "replica/hold/5",
      "replica/hold/1",
      "replica/hold/1.5",
      "replica/hold/",
    ])
      expect(codeOf(() => checkReplicable(asks(wish)))).toBe("cells.not-replicable");
    expect(codeOf(() => checkReplicable(asks("replica/hold", "replica/hold/2")))).toBe(
      "cells.not-replicable",
    );
    checkReplicable(asks("service/http", "glia.sys.v1"));
    checkReplicable(
      asks("glia.v1", "glia.v1/receive", "wasi_snapshot_preview1", "glia.tensor.v1", "replica/hold"),
    );
    checkReplicable(asks("glia.v1", "glia.sys.v1", "glia.sys.v1/exec", "service/agents", "replica/hold"));
    for (const grant of ["glia.sys.v12", "service", "glia.v12", "env", "replica/continue"])
      expect(codeOf(() => checkReplicable(asks("glia.v1", "replica/hold", grant)))).toBe(
        "cells.not-replicable",
      );
    const bound = { name: "lamp", handle: {} as never, rights: 0, kind: "immovable" } as const;
    checkMovable(asks("service/lamp"), [bound]);
    expect(codeOf(() => checkMovable(asks("service/lamp", "replica/hold"), [bound]))).toBe(
      "cells.not-replicable",
    );
    expect(codeOf(() => checkReplicable({ ...asks("replica/hold"), kind: "domain" }))).toBe(
      "cells.not-replicable",
    );
  });
});

it("TP4: what a call asked for is told also when its answer fills an entry", () => {
  for (let before = 60; before < 68; before++) {
    const told: (Uint8Array | undefined)[] = [];
    const tape = new Tape(
      (_, outputs) => told.push(outputs),
      () => undefined,
    );
    for (let i = 0; i < before; i++) tape.wallMs(() => i);
    tape.asksFor(Uint8Array.of(7));
    tape.answered("exec", { value: 0 });
    tape.flush();
    expect([before, told.filter((outputs) => outputs !== undefined)]).toEqual([before, [Uint8Array.of(7)]]);
  }
});

it("TP7: an entry of randomness is no longer than one part of it, however little is asked for at once", () => {
  const sizes: number[] = [];
  const tape = new Tape(
    (entry) => sizes.push(entry.length),
    () => undefined,
  );
  for (let i = 0; i < 64; i++) tape.random(new Uint8Array(60_000), () => undefined);
  tape.flush();
  expect(Math.max(...sizes)).toBeLessThan(2 * 65_536 + 64);
});
