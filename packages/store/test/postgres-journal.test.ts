/** A journal on a PostgreSQL server: against the rules alone, with several writers, killed, stopped and damaged. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { DomainHead, Journal } from "@glia-os/abi/ports";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GroupQueue } from "../src/engine/group-queue.ts";
import { JOURNAL_LOAD } from "../src/journal/journal-load.ts";
import type { JournalReply, JournalRequest } from "../src/journal/request.ts";
import { batchOf, readAll } from "../src/journal/testing.ts";
import { EngineConnection } from "../src/postgres/connection.ts";
import { JournalGroups } from "../src/postgres/journal/journal-group.ts";
import { journalSql } from "../src/postgres/journal/journal-sql.ts";
import {
  openPostgresJournal,
  type PostgresJournalOptions,
} from "../src/postgres/journal/postgres-journal.ts";
import {
  contentOf,
  limits,
  type Performs,
  performOn,
  randomRequest,
  twinAfter,
} from "./fixtures/journal-twin.ts";
import { freshSchema, missing, serverForThisFile } from "./fixtures/postgres-harness.ts";
import { sequence } from "./fixtures/seeds.ts";

const server = serverForThisFile();
const soak = process.env["GLIA_SOAK"] === "1";
const SEEDS = soak ? 300 : 8;
const DOWN: ReadonlySet<unknown> = new Set(["store.engine-unreachable", "store.outcome-unknown"]);

let schema: string;
let opened: Journal[];
let admin: Client | undefined;

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
  schema = freshSchema();
  opened = [];
});

afterEach(async () => {
  await Promise.all((opened ?? []).map((journal) => journal.close()));
  await admin?.end();
  admin = undefined;
});

async function open(options: Partial<PostgresJournalOptions> = {}): Promise<Journal> {
  const journal = await openPostgresJournal({ url: server().url, schema, ...options });
  opened.push(journal);
  return journal;
}

async function sql(text: string): Promise<void> {
  admin ??= new Client({ connectionString: server().url });
  await admin.connect().catch(() => undefined);
  await admin.query(text);
}

type Queue = GroupQueue<JournalRequest, JournalReply>;

/** The groups of a client without the checks before them, so that the twin's requests can be asked as they are. */
async function openQueue(): Promise<Queue> {
  await open();
  const connection = new EngineConnection({ url: server().url, place: "the server", timeoutMs: 20_000 });
  const setting = { sql: journalSql(`"${schema}"`), limits, place: "the server" };
  return new GroupQueue(new JournalGroups(connection, setting), 4_096, JOURNAL_LOAD);
}

/** What the store holds, as something that `contentOf` can ask. */
async function contentOn(queue: Queue): Promise<string> {
  const heads = (await queue.ask({ op: "domains", after: "", limit: 100 })) as readonly DomainHead[];
  const replies = new Map<string, JournalReply>([["domains ", heads]]);
  for (const { domain, firstSeq } of heads) {
    replies.set(`read ${domain}`, await queue.ask({ op: "read", domain, fromSeq: firstSeq, most: 2 ** 30 }));
    replies.set(`segments ${domain}`, await queue.ask({ op: "segments", domain }));
  }
  const answers: Performs = {
    perform: (request) =>
      replies.get(`${request.op} ${"domain" in request ? request.domain : ""}`) as JournalReply,
  };
  return contentOf(answers);
}

it(`a journal on PostgreSQL answers and holds the same as its rules alone, ${SEEDS} seeds`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = sequence(seed);
    schema = freshSchema();
    const queue = await openQueue();
    const history: JournalRequest[] = [];
    const twin = twinAfter(history);
    for (let group = 0; group < 30; group++) {
      const requests = Array.from({ length: 1 + Math.floor(chance() * 6) }, () =>
        randomRequest(twin, chance),
      );
      const replies = requests.map((request) => performOn(twin, request));
      const answers = await Promise.all(requests.map((request) => queue.ask(request).catch(errorCodeOf)));
      expect(answers, `seed ${seed}, group ${group}`).toEqual(replies);
      history.push(...requests);
    }
    expect(await contentOn(queue), `seed ${seed}`).toBe(contentOf(twinAfter(history)));
    await queue.end();
  }
}, 120_000);

it("batches of one byte that fill a segment in one group are sealed with those that were there before", async () => {
  const journal = await open({ limits: { segmentBytes: 4_096 } });
  for (let round = 0; round < 3; round++)
    await Promise.all(
      Array.from({ length: 250 }, (_, i) => journal.append(batchOf("a", 1, round * 250 + i + 1))),
    );
  const [first] = await journal.segments("a");
  expect(first).toMatchObject({ firstSeq: 1 });
  expect((await journal.readSegment("a", 1)).length).toBe(first?.bytes);
  expect((await readAll(journal, "a")).length).toBe(750);
});

it("a read goes on over more batches than one step of it takes", async () => {
  const journal = await open();
  for (let round = 0; round < 5; round++)
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => journal.append(batchOf("a", 1, round * 500 + i + 1))),
    );
  const batches = await readAll(journal, "a", 7);
  expect(batches.map(({ firstSeq }) => firstSeq)).toEqual(Array.from({ length: 2_494 }, (_, i) => i + 7));
});

describe("several clients", () => {
  it("J2: of two writers the one with the older epoch is refused, also for the record it expects", async () => {
    const [old, young] = [await open(), await open()];
    await old.append(batchOf("a", 1, 1));
    await young.append(batchOf("a", 2, 2));
    await expect(old.append(batchOf("a", 1, 3))).rejects.toMatchObject({ code: "store.stale-epoch" });
    expect(await old.head("a")).toMatchObject({ epoch: 2, nextSeq: 3 });
  });

  it("J1: that append the same record at the same time leave one of it, and domains of their own in full", async () => {
    const journals = await Promise.all(Array.from({ length: 4 }, () => open()));
    let won = 0;
    await Promise.all(
      journals.map(async (journal, client) => {
        for (let seq = 1; seq <= 40; seq++) {
          await journal.append(batchOf(`own/${client}`, 1, seq));
          const outcome = await journal.append(batchOf("shared", 1, seq)).then(() => "won", errorCodeOf);
          if (outcome === "won") won += 1;
          else expect(outcome).toBe("store.journal-gap");
        }
      }),
    );
    const shared = await readAll(journals[0] as Journal, "shared");
    expect(shared.map(({ firstSeq }) => firstSeq)).toEqual(Array.from({ length: won }, (_, i) => i + 1));
    for (const client of [0, 1, 2, 3]) expect((await journals[0]?.head(`own/${client}`))?.nextSeq).toBe(41);
    expect((await journals[3]?.domains("", 100))?.length).toBe(5);
  });

  it("counts the domains and bytes of all of them against the limits", async () => {
    const small = { limits: { maxDomains: 2 } };
    const [one, other] = [await open(small), await open(small)];
    await one.append(batchOf("a", 1, 1));
    await other.append(batchOf("b", 1, 1));
    await expect(one.append(batchOf("c", 1, 1))).rejects.toMatchObject({ code: "store.too-many-domains" });
    await other.remove("a");
    await one.append(batchOf("c", 1, 1));
  });
});

describe("a server", () => {
  /** Append records of one byte until told to stop; after an outcome that is not known, read where the domain stands. */
  async function appendThrough(journal: Journal, domain: string, until: () => boolean): Promise<number> {
    let acknowledged = 0;
    let next = (await journal.head(domain))?.nextSeq ?? 1;
    while (!until()) {
      try {
        await journal.append(batchOf(domain, 1, next));
        acknowledged = next;
        next += 1;
      } catch (error) {
        expect(DOWN).toContain(errorCodeOf(error));
        const head = await journal.head(domain).catch(() => undefined);
        if (head !== undefined) {
          expect(head.nextSeq - next).toBeLessThanOrEqual(
            errorCodeOf(error) === "store.outcome-unknown" ? 1 : 0,
          );
          expect(head.nextSeq).toBeGreaterThan(acknowledged);
          next = head.nextSeq;
        }
      }
    }
    return acknowledged;
  }

  it("J3: that is killed with kill -9 while it commits loses no acknowledged batch and leaves no part of another", async () => {
    const journal = await open({ timeoutMs: 2_000 });
    const domains = ["a", "b", "c", "d"];
    for (let round = 0; round < (soak ? 30 : 3); round++) {
      let settled = false;
      const appending = domains.map((domain) => appendThrough(journal, domain, () => settled));
      const enough = 5 + round * 20;
      while (((await journal.head("a").catch(() => undefined))?.nextSeq ?? 0) < enough);
      await server().kill();
      await server().restart();
      settled = true;
      const acknowledged = await Promise.all(appending);
      for (const [i, domain] of domains.entries()) {
        const batches = await readAll(journal, domain);
        expect(batches.length).toBeGreaterThanOrEqual(acknowledged[i] ?? 0);
        expect(batches).toEqual(batches.map((_, at) => batchOf(domain, 1, at + 1)));
      }
    }
  });

  it("C1: that is stopped with SIGSTOP refuses every request within the time limit, and goes on after SIGCONT", async () => {
    const journal = await open({ timeoutMs: 500 });
    await journal.append(batchOf("a", 1, 1));
    server().signal("SIGSTOP");
    const asked = [
      ...Array.from({ length: 400 }, (_, i) => journal.append(batchOf("a", 1, i + 2))),
      journal.head("a"),
    ];
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome.status).toBe("rejected");
      expect(DOWN).toContain(errorCodeOf((outcome as PromiseRejectedResult).reason));
    }
    server().signal("SIGCONT");
    let rounds = 0;
    const last = await appendThrough(journal, "a", () => ++rounds > 50);
    expect((await readAll(journal, "a")).length).toBe(last);
  });

  it.each([
    ["a batch in the middle is gone", "DELETE FROM batch WHERE first_seq = 2"],
    ["the last batch is gone", "DELETE FROM batch WHERE first_seq = 3"],
    ["a body was changed", "UPDATE batch SET body = '\\x00' WHERE first_seq = 2"],
    ["a number was changed", "UPDATE batch SET epoch = 7 WHERE first_seq = 2"],
  ])("whose tables were changed by hand gives no wrong record: %s", async (_what, damage) => {
    const journal = await open();
    for (const seq of [1, 2, 3]) await journal.append(batchOf("a", 1, seq));
    await sql(`SET search_path = ${schema}; ${damage}`);
    await expect(readAll(journal, "a")).rejects.toMatchObject({ code: "store.corrupt" });
    await expect(journal.seal("a")).rejects.toMatchObject({ code: "store.corrupt" });
    expect(await journal.append(batchOf("b", 1, 1))).toBeUndefined();
  });

  it("with later tables is refused", async () => {
    await open();
    await sql(`UPDATE ${schema}.store SET version = 2`);
    await expect(open()).rejects.toMatchObject({ code: "store.schema-newer" });
  });
});

it.each([
  [{ url: "mysql://127.0.0.1/x" }],
  [{ schema: "a.b" }],
  [{ timeoutMs: 60_001 }],
  [{ queueLimit: 0.5 }],
  [{ limits: { maxDomains: 0 } }],
])("the option %j is refused", async (option) => {
  await expect(open(option)).rejects.toMatchObject({ code: "abi.malformed" });
});
