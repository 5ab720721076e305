import type { DomainLedger, DurableProgram, MakeLedger } from "@glia-os/durable";
import { Domains } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { toolService } from "@glia-os/kernel/services";
import { SeededRandom } from "@glia-os/kernel/testing";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import { expect, test } from "vitest";
import { TestTime } from "./durable-world.ts";

/** Counts what came in and what was answered. */
class Counted implements DomainLedger {
  readonly service = "answer";
  readonly came: (payload: unknown) => void;
  readonly all: string[];

  constructor(all: string[]) {
    this.all = all;
    this.came = (payload) => void this.all.push(`came ${payload}`);
  }

  outcome(value: unknown): void {
    this.all.push(`answered ${value}`);
  }

  form(): unknown {
    return [...this.all];
  }
}

const answering: DurableProgram<number> = {
  name: "answering",
  uses: ["answer", "other"],
  run: (count) =>
    function* (sys, inbox, answer, other) {
      const message = yield* sys.receive(inbox);
      yield* sys.exec(other!, message);
      yield* sys.exec(answer!, message);
      if ((count + 1) % 3 === 0) return yield* sys.checkpoint(count + 1);
      const second = yield* sys.receive(inbox);
      yield* sys.exec(answer!, second);
      return yield* sys.checkpoint(count + 2);
    },
};

function world() {
  const journal = createMemoryJournal();
  const time = new TestTime();
  const current: { ledger?: Counted } = {};
  const ledger: MakeLedger = (form) => {
    current.ledger = new Counted((form as string[] | undefined) ?? []);
    return current.ledger;
  };
  const echo = { service: toolService({ run: async (input) => input }), repeatable: true };
  const open = (more: { readonly ledger?: MakeLedger } = { ledger }): Domains =>
    new Domains({
      journal,
      clock: time.clock,
      timers: time.timers,
      random: new SeededRandom(7),
      digests: createSystemDigests(),
      programs: [answering],
      services: { answer: echo, other: echo },
      historyBytes: 600,
      ...more,
    });
  return { journal, current, open };
}

test("a ledger is the same after a crash at any message, also when the journal before a checkpoint is gone", async () => {
  const { journal, current, open } = world();
  let domains = open();
  await domains.start("d", answering, 0);
  for (let n = 0; n < 40; n++) {
    await domains.get("d")?.tell(n);
    const before = current.ledger?.all.length;
    expect(before).toBeGreaterThan(0);
    if (n % 3 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      await domains.close();
      const known = [...(current.ledger?.all ?? [])];
      domains = open();
      expect((await domains.recover()).refused).toEqual([]);
      expect(current.ledger?.all.slice(0, known.length)).toEqual(known);
    }
  }
  while ((current.ledger?.all.length ?? 0) < 80) await new Promise((resolve) => setImmediate(resolve));
  const all = current.ledger?.all ?? [];
  expect(all.filter((line) => line.startsWith("came"))).toEqual(
    Array.from({ length: 40 }, (_, n) => `came ${n}`),
  );
  expect(all.filter((line) => line.startsWith("answered"))).toHaveLength(40);
  expect((await journal.head("d"))?.firstSeq).toBeGreaterThan(1);
  await domains.close();
});

test("a replay that was prepared goes on with what came into the journal since, and only with that", async () => {
  const { current, open } = world();
  const first = open();
  const domain = await first.start("d", answering, 0);
  for (let n = 0; n < 10; n++) await domain.tell(n);
  const second = open();
  await second.prepare("d");
  for (let n = 10; n < 14; n++) await domain.tell(n);
  await first.close();
  await second.prepare("d");
  await second.resume("d");
  while ((current.ledger?.all.length ?? 0) < 28) await new Promise((resolve) => setImmediate(resolve));
  expect(current.ledger?.all.filter((line) => line.startsWith("came"))).toHaveLength(14);
  await expect(second.prepare("d")).rejects.toMatchObject({ code: "durable.domain-exists" });
  await expect(second.prepare("e")).rejects.toMatchObject({ code: "durable.domain-unknown" });
  await second.close();
});

test("senders are told to hold back from 800 waiting messages on", async () => {
  const { open } = world();
  const idle: DurableProgram<null> = {
    name: "idle",
    run: () =>
      function* (sys, inbox) {
        yield* sys.sleep(1_000_000);
        return yield* sys.receive(inbox);
      },
  };
  const domains = new Domains({
    journal: createMemoryJournal(),
    clock: new TestTime().clock,
    timers: new TestTime().timers,
    random: new SeededRandom(1),
    digests: createSystemDigests(),
    programs: [idle],
  });
  const domain = await domains.start("i", idle, null);
  for (let n = 0; n < 799; n++) await domain.tell(n);
  expect(domain.pressured).toBe(false);
  await domain.tell(799);
  expect(domain.pressured).toBe(true);
  await domains.close();
  await open().close();
});
