/** Going back, branching off, comparing and judging, on journals that real domains wrote. */
import {
  callBefore,
  type DurableProgram,
  decodeRecord,
  diffDomains,
  forkDomain,
  judgeUpgrade,
  KIND,
  loggedRecords,
  rollbackDomain,
} from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Sys } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const digests = createSystemDigests();

/** Asks `echo` for each of its items in turn, and returns the answers. */
const list: DurableProgram<readonly unknown[]> = {
  name: "list",
  uses: ["echo"],
  run: (items) =>
    function* (sys, _inbox, echo) {
      const answers: unknown[] = [];
      for (const item of items) answers.push(yield* sys.exec(echo!, [item, answers.at(-1) ?? null]));
      return answers;
    },
};

async function finished(items: readonly unknown[] = ["a", "b", "c"]): Promise<TestWorld> {
  const world = new TestWorld([list as DurableProgram]);
  await (await world.domains.start("d", list, items)).result;
  return world;
}

async function outcomes(world: TestWorld, domain = "d"): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const { seq, row } of loggedRecords(world.journal, domain))
    if (row.kind === KIND.resume) found.push(seq);
  return found;
}

/** The number of the last record of a kind. */
async function lastOf(world: TestWorld, kind: number): Promise<number> {
  const records = await Array.fromAsync(loggedRecords(world.journal, "d"));
  return records.findLast(({ row }) => row.kind === kind)?.seq ?? 0;
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => "nothing",
    (error: { code: string }) => error.code,
  );
}

describe("fork", () => {
  it("goes on from another outcome under keys of its own, and the old domain stays as it was", async () => {
    const world = await finished();
    const [first] = await outcomes(world);
    const before = await Array.fromAsync(loggedRecords(world.journal, "d"));
    await forkDomain(world.journal, {
      domain: "d",
      at: first!,
      as: "e",
      change: { what: "result", value: "other" },
    });
    world.performed.length = 0;
    await world.restart().recover();
    expect(await world.domains.get("e")?.result).toEqual(["other", ["b", "other"], ["c", ["b", "other"]]]);
    expect(world.performed.map(({ key }) => key)).toEqual(["e:/0#2", "e:/0#3"]);
    expect(await Array.fromAsync(loggedRecords(world.journal, "d"))).toEqual(before);
  });

  it("starts from another input, and takes another message", async () => {
    const inbox: DurableProgram<string> = {
      name: "inbox",
      run: (greeting) =>
        function* (sys, box) {
          return `${greeting} ${yield* sys.receive(box!)}`;
        },
    };
    const world = new TestWorld([inbox as DurableProgram]);
    const domain = await world.domains.start("d", inbox, "hello");
    await domain.tell("Ada");
    expect(await domain.result).toBe("hello Ada");
    await forkDomain(world.journal, {
      domain: "d",
      at: 3,
      as: "e",
      change: { what: "message", value: "Bob" },
    });
    await forkDomain(world.journal, { domain: "d", at: 1, as: "f", change: { what: "input", value: "bye" } });
    await world.restart().recover();
    expect(await world.domains.get("e")?.result).toBe("hello Bob");
    await world.domains.get("f")?.tell("Eve");
    expect(await world.domains.get("f")?.result).toBe("bye Eve");
  });

  it("refuses by name what it cannot do, and makes no domain", async () => {
    const world = await finished();
    const fork = (at: number, as: string, what?: "result" | "message", domain = "d") =>
      codeOf(
        forkDomain(world.journal, {
          domain,
          at,
          as,
          ...(what === undefined ? {} : { change: { what, value: 1 } }),
        }),
      );
    const [first] = await outcomes(world);
    expect(await fork(first!, "e", undefined, "nobody")).toBe("durable.domain-unknown");
    expect(await fork(first!, "d")).toBe("durable.domain-exists");
    expect(await fork(999, "e")).toBe("history.no-record");
    expect(await fork(0, "e")).toBe("history.no-record");
    expect(await fork(first!, "e", "message")).toBe("history.bad-change");
    expect(await fork(2, "e", "result")).toBe("history.bad-change");
    expect(await world.journal.head("e")).toBeUndefined();
  });

  it("a journal whose beginning a checkpoint removed is not forked, and goes back to what is there", async () => {
    const renewing: DurableProgram<number> = {
      name: "renewing",
      uses: ["echo"],
      run: (round) =>
        function* (sys, box, echo) {
          yield* sys.exec(echo!, round);
          if (round < 20) return yield* sys.checkpoint(round + 1);
          return [round, yield* sys.receive(box!)];
        },
    };
    const world = new TestWorld([renewing as DurableProgram], {}, undefined, { historyBytes: 0 });
    await world.domains.start("d", renewing, 1);
    while (world.performed.length < 20) await new Promise(setImmediate);
    await world.domains.get("d")!.tell("lost");
    await world.domains.get("d")!.result;
    const { firstSeq = 0, nextSeq = 0 } = (await world.journal.head("d")) ?? {};
    expect(firstSeq).toBeGreaterThan(1);
    const last = { domain: "d", at: nextSeq - 1, as: "e" };
    expect(await codeOf(forkDomain(world.journal, last))).toBe("history.no-record");
    expect(await world.journal.head("e")).toBeUndefined();
    const back = (to: number) => codeOf(rollbackDomain(world.journal, { domain: "d", to, force: true }));
    expect(await back(firstSeq - 1)).toBe("history.no-record");
    const told = await lastOf(world, KIND.message);
    expect(await back(told - 1)).toBe("nothing");
    await world.restart().recover();
    await world.domains.get("d")!.tell("kept");
    expect(await world.domains.get("d")!.result).toEqual([20, "kept"]);
  });

  it("shares 65,535 records and not one more", async () => {
    const wait: DurableProgram<null> = {
      name: "wait",
      run: () =>
        function* (sys, box) {
          for (;;) yield* sys.receive(box!);
        },
    };
    const world = new TestWorld([wait as DurableProgram]);
    const domain = await world.domains.start("d", wait, null);
    for (let told = 0; told < 65_600; told += 100)
      await Promise.all(Array.from({ length: 100 }, (_, i) => domain.tell(i)));
    expect(await codeOf(forkDomain(world.journal, { domain: "d", at: 65_536, as: "e" }))).toBe(
      "history.too-long",
    );
    expect(await forkDomain(world.journal, { domain: "d", at: 65_535, as: "e" })).toBe(65_535);
  });
});

describe("rollback", () => {
  it("discards what came after, under a higher epoch, and removes nothing", async () => {
    const world = await finished();
    const [first, second] = await outcomes(world);
    const before = await Array.fromAsync(loggedRecords(world.journal, "d"));
    const epoch = (await world.journal.head("d"))!.epoch;
    const { seq, discarded, effects } = await rollbackDomain(world.journal, {
      domain: "d",
      to: first!,
      force: true,
    });
    expect([seq, discarded]).toEqual([before.length + 1, before.length - first!]);
    expect(effects.map((each) => each.call)).toEqual(["exec", "exec"]);
    expect(effects[0]!.seq).toBe(second! - 1);
    expect((await world.journal.head("d"))?.epoch).toBe(epoch + 1);
    const after = await Array.fromAsync(loggedRecords(world.journal, "d"));
    expect(after.slice(0, before.length)).toEqual(before);
    world.performed.length = 0;
    await world.restart().recover();
    expect(await world.domains.get("d")?.result).toHaveLength(3);
    expect(world.performed.map(({ key }) => key)).toEqual(["d:/0#2", "d:/0#3"]);
    // And it can be gone on with once more: the discarded part is skipped again.
    await world.restart().recover();
    expect(await world.domains.get("d")?.result).toHaveLength(3);
  });

  it("without force names every effect that may happen once only, and changes nothing", async () => {
    const world = await finished();
    const [first] = await outcomes(world);
    const head = await world.journal.head("d");
    const refused = rollbackDomain(world.journal, { domain: "d", to: first! });
    await expect(refused).rejects.toMatchObject({
      code: "history.effect-in-the-way",
      details: {
        effects: [
          { call: "exec", task: "/0" },
          { call: "exec", task: "/0" },
        ],
      },
    });
    expect(await world.journal.head("d")).toEqual(head);
  });

  it("an outcome whose beginning stays is in the way too", async () => {
    const world = await finished(["a"]);
    const [only] = await outcomes(world);
    await expect(rollbackDomain(world.journal, { domain: "d", to: only! - 1 })).rejects.toMatchObject({
      details: { effects: [{ seq: only, call: "exec" }] },
    });
  });

  it("the process that had the domain is refused at its next record", async () => {
    const waiting: DurableProgram<null> = {
      name: "waiting",
      run: () =>
        function* (sys: Sys, box) {
          return [yield* sys.receive(box!), yield* sys.receive(box!)];
        },
    };
    const world = new TestWorld([waiting as DurableProgram]);
    const domain = await world.domains.start("d", waiting, null);
    await domain.tell("lost");
    await rollbackDomain(world.journal, { domain: "d", to: 2 });
    expect(await codeOf(domain.tell("late"))).toBe("durable.domain-lost");
    await world.restart().recover();
    const again = world.domains.get("d")!;
    await again.tell(1);
    await again.tell(2);
    expect(await again.result).toEqual([1, 2]);
  });

  it("goes to records that count only", async () => {
    const world = await finished();
    const [first, second] = await outcomes(world);
    const to = (record: number) =>
      codeOf(rollbackDomain(world.journal, { domain: "d", to: record, force: true }));
    expect([await to(0), await to(1), await to(999)]).toEqual(Array(3).fill("history.no-record"));
    expect(await to(first!)).toBe("nothing");
    expect(await to(second!)).toBe("history.no-record");
  });

  it("any sequence of rollbacks and runs ends with the result of a run that was never rolled back", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(1_000), { maxLength: 5 }), async (places) => {
        const world = await finished();
        const expected = await world.domains.get("d")?.result;
        for (const place of places) {
          const live: number[] = [];
          for await (const { seq } of loggedRecords(world.journal, "d")) live.push(seq);
          const to = live[place % live.length]!;
          await rollbackDomain(world.journal, { domain: "d", to, force: true }).catch(() => {});
          const { refused } = await world.restart().recover();
          expect(refused.map(({ error }) => (error as { code: string }).code)).toEqual([]);
          const result = await world.domains
            .get("d")
            ?.result.catch((error: { details?: { code: string } }) => error.details?.code);
          // Between an intent and its outcome nobody knows: the program hears so.
          if (result === "durable.outcome-unknown") return;
          expect(result).toEqual(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("diff", () => {
  const chosen: DurableProgram<null> = {
    name: "chosen",
    uses: ["echo", "other"],
    run: () =>
      function* (sys, _inbox, echo, other) {
        const first = yield* sys.exec(echo!, "left");
        return yield* sys.exec(first === "left" ? echo! : other!, [first, "then"]);
      },
  };

  it("names the first record and the first call where two domains part, with the request and the source", async () => {
    const other = toolService({ run: async () => "from the other" });
    const world = new TestWorld([chosen as DurableProgram], { other: { service: other } });
    await (await world.domains.start("d", chosen, null)).result;
    const [at] = await outcomes(world);
    const change = { what: "result", value: "right" } as const;
    await forkDomain(world.journal, { domain: "d", at: at!, as: "e", change });
    await world.restart().recover();
    expect(await world.domains.get("e")?.result).toBe("from the other");
    const [a, b] = ["d", "e"].map((domain) => ({ journal: world.journal, domain }));
    const { first, call } = await diffDomains(a!, b!);
    expect([first?.a?.seq, first?.b?.seq]).toEqual([at, at]);
    expect(decodeRecord(first!.b!.bytes).record).toMatchObject({ outcome: { value: "right" } });
    expect(call?.a?.seq).toBeGreaterThan(at!);
    const options = { programOf: () => chosen as DurableProgram, digests };
    const [left, right] = await Promise.all([
      callBefore(a!, call!.a!.seq, [], options),
      callBefore(b!, call!.b!.seq, [], options),
    ]);
    expect([left?.service, left?.request]).toEqual(["echo", ["left", "then"]]);
    expect([right?.service, right?.request]).toEqual(["other", ["right", "then"]]);
    expect(right?.position[0]).toMatch(/time-travel\.test\.ts:/);
  });

  it("finds no difference between two runs that differ in time and seed only", async () => {
    const world = await finished();
    world.time.pass(5_000);
    await (await world.domains.start("e", list, ["a", "b", "c"])).result;
    await (await world.domains.start("f", list, ["a", "b"])).result;
    const of = (domain: string) => ({ journal: world.journal, domain });
    expect((await diffDomains(of("d"), of("e"))).first).toBeUndefined();
    const shorter = await diffDomains(of("d"), of("f"));
    expect(shorter.first?.a?.seq).toBe(1);
    expect(shorter.call?.b).toBeUndefined();
  });
});

describe("upgrade", () => {
  const held: DurableProgram<null> = {
    name: "held",
    uses: ["echo"],
    run: () =>
      function* (sys, box, echo) {
        const answer = yield* sys.exec(echo!, "one");
        yield* sys.receive(box!);
        return answer;
      },
  };
  const judge = (world: TestWorld, programs: readonly DurableProgram[], domain = "d") =>
    judgeUpgrade(world.journal, domain, { programs, digests });

  async function live(): Promise<TestWorld> {
    const world = new TestWorld([held as DurableProgram, list as DurableProgram]);
    await world.domains.start("d", held, null);
    while ((await outcomes(world)).length === 0) await Promise.resolve();
    await world.domains.close();
    return world;
  }

  it("tells safe code from code that parts from the journal, with the record and both sides, and performs nothing", async () => {
    const world = await live();
    const performed = world.performed.length;
    expect(await judge(world, [held as DurableProgram])).toMatchObject({ state: "safe" });
    const other: DurableProgram<null> = {
      ...held,
      run: () =>
        function* (sys, box) {
          return yield* sys.receive(box!);
        },
    };
    expect(await judge(world, [other as DurableProgram])).toMatchObject({
      state: "diverges",
      divergence: { recorded: "that its root task called exec" },
    });
    expect(world.performed.length).toBe(performed);
  });

  it("a domain of another program is pinned, one whose code throws diverges at its beginning, a finished one needs none", async () => {
    const world = await live();
    expect(await judge(world, [list as DurableProgram])).toMatchObject({ state: "pinned" });
    const throwing = {
      ...held,
      run: () => {
        throw new RangeError("no");
      },
    } as DurableProgram;
    expect(await judge(world, [throwing])).toMatchObject({ state: "diverges", seq: 1 });
    const done = await finished();
    const none = { ...list, run: () => function* () {} } as unknown as DurableProgram;
    expect(await judge(done, [none])).toMatchObject({ state: "ended" });
  });
});
