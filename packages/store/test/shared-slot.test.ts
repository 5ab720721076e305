/** The way of single requests through memory that parent and worker share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Journal } from "@glia-os/abi/ports";
import { openFileJournal } from "@glia-os/store/journal";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readAppends, writeAppends } from "../src/journal/append-frames.ts";
import type { JournalRequest } from "../src/journal/request.ts";
import { batchOf, readAll } from "../src/journal/testing.ts";
import { SLOT_BYTES, SlotParent, SlotWorker, slotMemory } from "../src/shared-slot.ts";

const SOAK = process.env["GLIA_SOAK"] === "1";
const ROUNDS = SOAK ? 20_000 : 600;

async function withJournal(use: (journal: Journal) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "glia-slot-"));
  const journal = await openFileJournal({ folder });
  try {
    await use(journal);
  } finally {
    await journal.close();
    rmSync(folder, { recursive: true });
  }
}

const append: fc.Arbitrary<JournalRequest> = fc.record({
  op: fc.constant("append" as const),
  domain: fc.string({ unit: fc.constantFrom("a", "~", "!", "7"), minLength: 1, maxLength: 128 }),
  epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  firstSeq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  count: fc.integer({ min: 1, max: 65_535 }),
  body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

it("appends come out of the slot as they were put in; those that do not fit, and other requests, are not put", () => {
  const memory = slotMemory();
  const [parent, worker] = [new SlotParent(memory), new SlotWorker(memory)];
  fc.assert(
    fc.property(fc.array(append, { minLength: 1, maxLength: 4 }), (requests) => {
      const length = writeAppends(requests, parent.room);
      expect(parent.put(length)).toBe(true);
      expect(readAppends(worker.take() as Uint8Array)).toEqual(requests);
      expect(worker.take()).toBeUndefined();
    }),
  );
  const large = { op: "append", ...batchOf("a", 1, 1), body: new Uint8Array(SLOT_BYTES) } as const;
  expect(writeAppends([large], parent.room)).toBe(0);
  expect(writeAppends([{ op: "head", domain: "a" }], parent.room)).toBe(0);
});

it("SL2: who sleeps is to be woken, who is awake is not; SL3: the counter goes on beyond 2^31", () => {
  const memory = slotMemory();
  const [parent, worker] = [new SlotParent(memory), new SlotWorker(memory)];
  worker.isAwake = true;
  expect(parent.put(1)).toBe(false);
  worker.isAwake = false;
  expect(parent.put(1)).toBe(true);
  expect(worker.answer(1)).toBe(true);
  parent.isAwake = true;
  expect(worker.answer(2)).toBe(false);
  expect([parent.takeAnswered(), parent.takeAnswered()]).toEqual([3, 0]);
  for (let i = 0; i < 5; i++) {
    worker.answer(0x7fffffff);
    expect(parent.takeAnswered()).toBe(0x7fffffff);
  }
});

it(`SL1, SL2: ${ROUNDS} turns of lone appends, groups, reads and refusals at any distance of time all settle, in order, and none is lost`, async () => {
  await withJournal(async (journal) => {
    let [nextSeq, state] = [1, 42];
    const random = (most: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % most;
    };
    const settled: number[] = [];
    const appended = (): Promise<void> => {
      const firstSeq = nextSeq++;
      return journal.append(batchOf("a", 1, firstSeq)).then(() => void settled.push(firstSeq));
    };
    for (let round = 0; round < ROUNDS; round++) {
      const kind = random(10);
      const some = Array.from({ length: kind === 0 ? random(12) : 1 }, appended);
      if (kind === 1) expect((await journal.head("a"))?.nextSeq).toBe(nextSeq);
      if (kind === 2) await expect(journal.append(batchOf("a", 1, 1))).rejects.toThrow();
      if (kind === 3) some.push(journal.append(batchOf("b", 1, 7)).catch(() => undefined));
      await Promise.all(some);
      if (kind === 4) await new Promise((resolve) => setTimeout(resolve, random(3)));
      if (kind === 5) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(settled).toEqual(Array.from({ length: nextSeq - 1 }, (_, i) => i + 1));
    expect((await readAll(journal, "a")).length).toBe(nextSeq - 1);
  });
});

it("L3: an append that lies in the slot when the journal is closed is answered", async () => {
  for (let round = 0; round < 5; round++) {
    const folder = mkdtempSync(join(tmpdir(), "glia-slot-"));
    const journal = await openFileJournal({ folder });
    await journal.append(batchOf("a", 1, 1));
    const last = journal.append(batchOf("a", 1, 2));
    const closed = journal.close();
    await last;
    await closed;
    rmSync(folder, { recursive: true });
  }
});
