/**
 * The contract every `Journal` keeps, as cases any test runner can run:
 * `for (const { title, run } of journalContract) it(title, () => run(harness))`. Titles cite J1-J5 of the port.
 */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import { BATCH_BYTES, BATCH_RECORDS, type JournalLimits } from "./limits.ts";
import { decodeSegment, encodeSegment, segmentHash } from "./segment.ts";

/** What an implementation brings to run the contract. */
export interface JournalHarness {
  /** An empty journal with these limits; the harness disposes of what it opened. */
  open(limits?: Partial<JournalLimits>): Promise<Journal>;
}

/** One promise of the contract. */
export interface JournalCase {
  readonly title: string;
  readonly run: (harness: JournalHarness) => Promise<void>;
}

/** A batch of `count` records of one byte each. */
export function batchOf(domain: string, epoch: number, firstSeq: number, count = 1): JournalBatch {
  const body = Uint8Array.from({ length: count }, (_, i) => (firstSeq + i) % 251);
  return { domain, epoch, firstSeq, count, body };
}

/** All batches of a domain from a record on. */
export async function readAll(
  journal: Pick<Journal, "read">,
  domain: string,
  fromSeq = 1,
): Promise<JournalBatch[]> {
  const batches: JournalBatch[] = [];
  for await (const batch of journal.read(domain, fromSeq)) batches.push(batch);
  return batches;
}

/** All records of a domain from a record on, as a joined read gives them; checks that its steps follow each other. */
async function joinedFrom(journal: Journal, domain: string, fromSeq: number) {
  const bytes: number[] = [];
  let records = 0;
  let nextSeq: number | undefined;
  for await (const { firstSeq, count, body } of journal.readJoined?.(domain, fromSeq) ??
    journal.read(domain, fromSeq)) {
    assert.ok(nextSeq === undefined ? firstSeq <= fromSeq : firstSeq === nextSeq);
    nextSeq = firstSeq + count;
    records += count;
    for (const byte of body) bytes.push(byte);
  }
  return { records, bytes };
}

async function refusedWith(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.equal(errorCodeOf(error), code);
    return true;
  });
}

const appending: readonly JournalCase[] = [
  {
    title: "J1, J3: batches come back as they were appended, in order, from any record",
    async run(harness) {
      const journal = await harness.open();
      const batches = [batchOf("a", 1, 1, 3), batchOf("a", 1, 4), batchOf("a", 2, 5, 2)];
      for (const batch of batches) await journal.append(batch);
      assert.deepEqual(await readAll(journal, "a"), batches);
      assert.deepEqual(await readAll(journal, "a", 2), batches);
      assert.deepEqual(await readAll(journal, "a", 4), batches.slice(1));
      assert.deepEqual(await readAll(journal, "a", 7), []);
      assert.deepEqual(await readAll(journal, "nobody"), []);
    },
  },
  {
    title: "J1: batches appended without awaiting are accepted in the order of the calls",
    async run(harness) {
      const journal = await harness.open();
      const batches = Array.from({ length: 300 }, (_, i) => batchOf(`d${i % 3}`, 1, Math.floor(i / 3) + 1));
      await Promise.all(batches.map((batch) => journal.append(batch)));
      for (const domain of ["d0", "d1", "d2"])
        assert.deepEqual(
          await readAll(journal, domain),
          batches.filter((batch) => batch.domain === domain),
        );
    },
  },
  {
    title: "J1: a batch that leaves a gap or repeats a record is refused and leaves nothing",
    async run(harness) {
      const journal = await harness.open();
      await refusedWith("store.journal-gap", journal.append(batchOf("a", 1, 2)));
      assert.equal(await journal.head("a"), undefined);
      await journal.append(batchOf("a", 1, 1, 4));
      for (const firstSeq of [1, 4, 6])
        await refusedWith("store.journal-gap", journal.append(batchOf("a", 1, firstSeq)));
      assert.deepEqual(await readAll(journal, "a"), [batchOf("a", 1, 1, 4)]);
    },
  },
  {
    title: "J2: a writer of an older epoch is refused, also for the record it expects",
    async run(harness) {
      const journal = await harness.open();
      await journal.append(batchOf("a", 3, 1));
      await refusedWith("store.stale-epoch", journal.append(batchOf("a", 2, 2)));
      await journal.append(batchOf("a", 3, 2));
      await journal.append(batchOf("a", 9, 3));
      await refusedWith("store.stale-epoch", journal.append(batchOf("a", 8, 4)));
      assert.deepEqual(await journal.head("a"), { domain: "a", epoch: 9, firstSeq: 1, nextSeq: 4, bytes: 3 });
    },
  },
  {
    title: "the bytes of a batch are the caller's again once append resolved",
    async run(harness) {
      const journal = await harness.open();
      const batch = batchOf("a", 1, 1, 2);
      await journal.append(batch);
      batch.body.fill(99);
      (await readAll(journal, "a"))[0]?.body.fill(98);
      assert.deepEqual(await readAll(journal, "a"), [batchOf("a", 1, 1, 2)]);
    },
  },
  {
    title: "domains are listed by name, a page at a time",
    async run(harness) {
      const journal = await harness.open();
      for (const domain of ["b", "a/2", "c", "a/1"]) await journal.append(batchOf(domain, 1, 1));
      const names = async (after: string, limit: number) =>
        (await journal.domains(after, limit)).map(({ domain }) => domain);
      assert.deepEqual(await names("", 10), ["a/1", "a/2", "b", "c"]);
      assert.deepEqual(await names("", 2), ["a/1", "a/2"]);
      assert.deepEqual(await names("a/2", 2), ["b", "c"]);
      assert.deepEqual(await names("c", 2), []);
    },
  },
  {
    title:
      "what is read joined is what is read batch by batch, from any record, also where others wrote between",
    async run(harness) {
      const journal = await harness.open();
      const other = { ...batchOf("b", 1, 1), body: new Uint8Array(30_000).fill(7) };
      for (let firstSeq = 1; firstSeq <= 40; firstSeq += 2) {
        const epoch = Math.ceil(firstSeq / 9);
        const body = new Uint8Array(firstSeq % 3 === 0 ? 40_000 : 5).fill(firstSeq);
        await journal.append({ ...batchOf("a", epoch, firstSeq, 2), body });
        if (firstSeq % 5 === 0) await journal.append({ ...other, firstSeq: Math.ceil(firstSeq / 10) });
        if (firstSeq === 21) await journal.seal("a");
      }
      for (const fromSeq of [1, 4, 23, 40, 41]) {
        const apart = await readAll(journal, "a", fromSeq);
        assert.deepEqual(await joinedFrom(journal, "a", fromSeq), {
          records: apart.reduce((sum, { count }) => sum + count, 0),
          bytes: apart.flatMap(({ body }) => [...body]),
        });
      }
      await journal.truncate("a", 20);
      if (journal.readJoined !== undefined)
        await refusedWith("store.journal-truncated", joinedFrom(journal, "a", 1));
    },
  },
  {
    title: "a removed domain starts again at record 1, and removing it twice is no error",
    async run(harness) {
      const journal = await harness.open();
      await journal.append(batchOf("a", 5, 1, 3));
      await journal.remove("a");
      await journal.remove("a");
      assert.equal(await journal.head("a"), undefined);
      assert.deepEqual(await readAll(journal, "a"), []);
      await journal.append(batchOf("a", 1, 1));
      assert.deepEqual(await readAll(journal, "a"), [batchOf("a", 1, 1)]);
    },
  },
];

const segments: readonly JournalCase[] = [
  {
    title: "J4: sealed segments are those of the specification and chain by hash",
    async run(harness) {
      const journal = await harness.open();
      await journal.append(batchOf("a", 1, 1, 2));
      assert.equal((await journal.seal("a"))?.lastSeq, 2);
      assert.equal(await journal.seal("a"), undefined);
      await journal.append(batchOf("a", 1, 3));
      await journal.append(batchOf("a", 2, 4));
      await journal.seal("a");
      const infos = await journal.segments("a");
      assert.deepEqual(
        infos.map(({ epoch, firstSeq, lastSeq }) => [epoch, firstSeq, lastSeq]),
        [
          [1, 1, 2],
          [1, 3, 3],
          [2, 4, 4],
        ],
      );
      let prevHash = "0".repeat(64);
      for (const { firstSeq, hash, bytes } of infos) {
        const data = await journal.readSegment("a", firstSeq);
        assert.equal(data.length, bytes);
        assert.equal(segmentHash(data), hash);
        assert.equal(decodeSegment(data).prevHash, prevHash);
        prevHash = hash;
      }
    },
  },
  {
    title: "an open segment that is large enough is sealed by the next batch",
    async run(harness) {
      const journal = await harness.open({ segmentBytes: 4_096 });
      for (const firstSeq of [1, 4_001, 8_001]) await journal.append(batchOf("a", 1, firstSeq, 4_000));
      await journal.append(batchOf("a", 1, 12_001));
      assert.deepEqual(
        (await journal.segments("a")).map(({ lastSeq }) => lastSeq),
        [8_000],
      );
    },
  },
  {
    title: "J4: a domain moves by its segments, goes on under a higher epoch, and keeps one chain",
    async run(harness) {
      const [from, to] = [await harness.open(), await harness.open()];
      await from.append(batchOf("a", 1, 1, 2));
      await from.append(batchOf("a", 2, 3, 2));
      await from.seal("a");
      for (const { firstSeq } of await from.segments("a"))
        await to.acceptSegment(await from.readSegment("a", firstSeq));
      assert.deepEqual(await to.segments("a"), await from.segments("a"));
      assert.deepEqual(await readAll(to, "a"), await readAll(from, "a"));
      await to.append(batchOf("a", 3, 5));
      await refusedWith("store.stale-epoch", to.append(batchOf("a", 2, 6)));
    },
  },
  {
    title: "J4: a segment that is damaged, out of order, of another chain or of an older epoch is refused",
    async run(harness) {
      const [from, to] = [await harness.open(), await harness.open()];
      for (const firstSeq of [1, 2, 3]) {
        await from.append(batchOf("a", firstSeq, firstSeq));
        await from.seal("a");
      }
      const [first, second, third] = await Promise.all([1, 2, 3].map((seq) => from.readSegment("a", seq)));
      assert.ok(first && second && third);
      await to.acceptSegment(first);
      await refusedWith("store.segment-refused", to.acceptSegment(first));
      await refusedWith("store.segment-refused", to.acceptSegment(third));
      const stranger = { ...decodeSegment(second), prevHash: "1".repeat(64) };
      await refusedWith("store.segment-refused", to.acceptSegment(encodeSegment(stranger)));
      for (const at of [0, 4, 40, second.length - 1]) {
        const damaged = second.slice();
        damaged[at] = (damaged[at] as number) ^ 1;
        await refusedWith("store.segment-refused", to.acceptSegment(damaged));
      }
      await refusedWith("store.segment-refused", to.acceptSegment(second.subarray(0, second.length - 1)));
      await to.append(batchOf("a", 3, 2));
      await refusedWith("store.stale-epoch", to.acceptSegment(second));
      await refusedWith("store.segment-refused", to.acceptSegment(third));
      assert.deepEqual(await readAll(to, "a"), [batchOf("a", 1, 1), batchOf("a", 3, 2)]);
    },
  },
];

const truncation: readonly JournalCase[] = [
  {
    title: "J5: truncation removes whole sealed segments before the record and nothing else",
    async run(harness) {
      const journal = await harness.open();
      for (const firstSeq of [1, 3, 5]) {
        await journal.append(batchOf("a", 1, firstSeq, 2));
        await journal.seal("a");
      }
      await journal.append(batchOf("a", 1, 7, 2));
      assert.equal(await journal.truncate("a", 1), 1);
      assert.equal(await journal.truncate("a", 4), 3);
      assert.deepEqual(
        (await readAll(journal, "a", 3)).map(({ firstSeq }) => firstSeq),
        [3, 5, 7],
      );
      await refusedWith("store.journal-truncated", readAll(journal, "a", 2));
      await refusedWith("store.segment-unknown", journal.readSegment("a", 1));
      assert.equal(await journal.truncate("a", 100), 7);
      assert.deepEqual(await readAll(journal, "a", 7), [batchOf("a", 1, 7, 2)]);
      await journal.append(batchOf("a", 1, 9));
    },
  },
  {
    title: "J4: the chain goes on over a truncation, and a domain truncated at its source can still move",
    async run(harness) {
      const [from, to] = [await harness.open(), await harness.open()];
      for (const firstSeq of [1, 2, 3]) {
        await from.append(batchOf("a", 1, firstSeq));
        await from.seal("a");
      }
      await from.truncate("a", 2);
      for (const { firstSeq } of await from.segments("a"))
        await to.acceptSegment(await from.readSegment("a", firstSeq));
      assert.deepEqual(await to.head("a"), { domain: "a", epoch: 1, firstSeq: 2, nextSeq: 4, bytes: 2 });
      await refusedWith("store.journal-truncated", readAll(to, "a", 1));
      await to.append(batchOf("a", 2, 4));
    },
  },
];

const bounds: readonly JournalCase[] = [
  {
    title: "every limit holds: domains, bytes in all, and a refused batch leaves nothing",
    async run(harness) {
      const journal = await harness.open({ maxDomains: 2, maxBytes: 2 ** 20 });
      await journal.append(batchOf("a", 1, 1));
      await journal.append(batchOf("b", 1, 1));
      await refusedWith("store.too-many-domains", journal.append(batchOf("c", 1, 1)));
      await journal.remove("b");
      await journal.append(batchOf("c", 1, 1));
      const large = { ...batchOf("a", 1, 2), body: new Uint8Array(2 ** 20 - 1) };
      await refusedWith("store.full", journal.append(large));
      await journal.append(batchOf("a", 1, 2));
      assert.equal((await journal.head("a"))?.nextSeq, 3);
    },
  },
  {
    title: "a largest batch is kept, one byte or one record more is refused",
    async run(harness) {
      const journal = await harness.open();
      const most = { ...batchOf("a", 1, 1), count: BATCH_RECORDS, body: new Uint8Array(BATCH_BYTES).fill(7) };
      await journal.append(most);
      assert.deepEqual(await readAll(journal, "a"), [most]);
      const next = batchOf("a", 1, BATCH_RECORDS + 1);
      await refusedWith("abi.malformed", journal.append({ ...next, body: new Uint8Array(BATCH_BYTES + 1) }));
      await refusedWith("abi.malformed", journal.append({ ...next, count: BATCH_RECORDS + 1 }));
    },
  },
  {
    title: "an argument of the wrong form rejects the promise and changes nothing",
    async run(harness) {
      const journal = await harness.open();
      const good = batchOf("a", 1, 1);
      const bad: readonly Partial<Record<keyof JournalBatch, unknown>>[] = [
        ...["", "x".repeat(129), "a b", "a\n", "ä", undefined, 7].map((domain) => ({ domain })),
        ...[0, -1, 1.5, Number.NaN, 2 ** 53, "1", undefined].map((epoch) => ({ epoch })),
        ...[0, -1, 0.5, Number.POSITIVE_INFINITY, 2 ** 53 - 1, null].map((firstSeq) => ({ firstSeq })),
        ...[0, -3, 2.5, undefined].map((count) => ({ count })),
        ...[new Uint8Array(), "text", [1], undefined].map((body) => ({ body })),
      ];
      for (const part of bad)
        await refusedWith("abi.malformed", journal.append({ ...good, ...part } as JournalBatch));
      await refusedWith("abi.malformed", readAll(journal, "a", 0));
      await refusedWith("abi.malformed", journal.domains("", 0));
      await refusedWith("abi.malformed", journal.truncate("a", Number.NaN));
      await refusedWith("abi.malformed", journal.acceptSegment(new Uint8Array()));
      await refusedWith("store.segment-refused", journal.acceptSegment(new Uint8Array(100)));
      for (const asked of [
        journal.seal("a"),
        journal.segments("a"),
        journal.readSegment("a", 1),
        journal.truncate("a", 1),
      ])
        await refusedWith("store.domain-unknown", asked);
      assert.deepEqual(await journal.domains("", 10), []);
    },
  },
  {
    title: "after close every call is refused, and closing twice is no error",
    async run(harness) {
      const journal = await harness.open();
      const last = journal.append(batchOf("a", 1, 1));
      await Promise.all([last, journal.close(), journal.close()]);
      await refusedWith("store.closed", journal.append(batchOf("a", 1, 2)));
      await refusedWith("store.closed", readAll(journal, "a"));
    },
  },
];

/** Every case. */
export const journalContract: readonly JournalCase[] = [...appending, ...segments, ...truncation, ...bounds];
