import { errorCodeOf } from "@glia-os/abi/errors";
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import {
  DivergedError,
  type DurableDomain,
  type DurableProgram,
  decodeRecord,
  KIND,
  type NumberedRecord,
} from "@glia-os/durable";
import { type Call, type Handle, isCall, type Routine, type Sys } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { approverService, toolService } from "@glia-os/kernel/services";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import { describe, expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Adds what the echo service answers, one step after the other. */
const adder: DurableProgram<readonly number[]> = {
  name: "adder",
  uses: ["echo"],
  run: (numbers) =>
    function* (sys, _inbox, echo): Routine<number> {
      let sum = 0;
      for (const number of numbers) sum += (yield* sys.exec<number>(echo!, number)) as number;
      return sum;
    },
};

async function recordsOf(journal: Journal, domain: string): Promise<NumberedRecord[]> {
  const records: NumberedRecord[] = [];
  for await (const { body } of journal.read(domain, 1)) {
    for (let rest = body; rest.length > 0; rest = rest.subarray(records.at(-1)?.bytes))
      records.push(decodeRecord(rest));
  }
  return records;
}

/** A journal with the first `count` records of a domain, one per batch. */
async function prefixOf(journal: Journal, domain: string, count: number): Promise<Journal> {
  const copy = createMemoryJournal();
  let seq = 1;
  for await (const { body } of journal.read(domain, 1)) {
    for (let rest = body; rest.length > 0 && seq <= count; seq++) {
      const { bytes } = decodeRecord(rest);
      await copy.append({ domain, epoch: 1, firstSeq: seq, count: 1, body: rest.slice(0, bytes) });
      rest = rest.subarray(bytes);
    }
  }
  return copy;
}

it("a durable program runs, performs its calls under keys of their own, and gives its result", async () => {
  const world = new TestWorld([adder]);
  const domain = await world.domains.start("sum/1", adder, [1, 2, 3]);
  expect(await domain.result).toBe(6);
  expect(domain.state).toBe("ended");
  expect(world.performed).toEqual([
    { input: 1, key: "sum/1:/0#1" },
    { input: 2, key: "sum/1:/0#2" },
    { input: 3, key: "sum/1:/0#3" },
  ]);
});

it("P2, R1: cut off after any of its records, a domain goes on, performs no recorded call again and comes to the same result", async () => {
  const whole = new TestWorld([adder]);
  await (await whole.domains.start("sum", adder, [1, 2, 3, 4])).result;
  const records = await recordsOf(whole.journal, "sum");
  expect(records.length).toBeGreaterThan(9);
  for (let count = 2; count <= records.length; count++) {
    const world = new TestWorld([adder], {}, await prefixOf(whole.journal, "sum", count));
    const kept = records.slice(0, count).map(({ record }) => record);
    const outcomes = kept.filter(({ kind }) => kind === KIND.resume).length;
    const unknown = kept.at(-1)?.kind === KIND.intent;
    const report = await world.domains.recover();
    expect(report.refused).toEqual([]);
    const result = world.domains.get("sum")?.result.catch(errorCodeOf);
    if (unknown) expect(await result).toBe("durable.outcome-unknown");
    else expect(await result).toBe(10);
    expect(world.performed.map(({ input }) => input)).toEqual(unknown ? [] : [1, 2, 3, 4].slice(outcomes));
  }
});

/** Siblings that share a closure: what each sees depends on who ran before. */
const racers: DurableProgram<number> = {
  name: "racers",
  uses: ["echo"],
  run: (count) =>
    function* (sys, _inbox, echo): Routine<readonly string[]> {
      const seen: string[] = [];
      const racer = (name: number) =>
        function* (own: Sys, tool: Handle): Routine<void> {
          for (let lap = 0; lap < 3; lap++) {
            const draw = own.random(1)[0] as number;
            if (draw % 3 === 0) yield* own.sleep(draw);
            yield* own.exec(tool, [name, lap]);
            seen.push(`${name}/${lap}/${draw}/${own.now() % 100_000}/${seen.length}`);
          }
        };
      const tasks = Array.from({ length: count }, (_, i) => sys.spawn(racer(i), { give: [echo!] }));
      for (const task of tasks) yield* sys.wait(task);
      return seen;
    },
};

it("siblings that share a closure, draw random numbers and read the clock see the same again in every replay", async () => {
  const whole = new TestWorld([racers]);
  const domain = await whole.domains.start("race", racers, 5);
  for (let i = 0; i < 200 && domain.state === "running"; i++) {
    await settled();
    whole.time.pass(37);
  }
  const seen = await domain.result;
  const records = await recordsOf(whole.journal, "race");
  const results: unknown[] = [];
  for (const count of [records.length, records.length - 1]) {
    const world = new TestWorld([racers], {}, await prefixOf(whole.journal, "race", count));
    expect((await world.domains.recover()).refused).toEqual([]);
    results.push(await world.domains.get("race")?.result);
  }
  expect(results).toEqual([seen, seen]);
});

const sleeper: DurableProgram<number> = {
  name: "sleeper",
  run: (days) =>
    function* (sys): Routine<number> {
      const start = sys.now();
      yield* sys.sleep(days * 86_400_000);
      return sys.now() - start;
    },
};

it("a sleep of days goes on over restarts, ends when it is due, and at once when it was due while nothing ran", async () => {
  const world = new TestWorld([sleeper]);
  await world.domains.start("short", sleeper, 2);
  await world.domains.start("long", sleeper, 30);
  world.time.pass(86_400_000);
  world.restart();
  expect((await world.domains.recover()).resumed).toEqual(["long", "short"]);
  world.time.pass(86_400_000 - 1);
  await settled();
  expect(world.domains.get("short")?.state).toBe("running");
  world.time.pass(1);
  expect(await world.domains.get("short")?.result).toBe(2 * 86_400_000);
  await world.domains.close();
  world.time.pass(60 * 86_400_000);
  world.restart();
  await world.domains.recover();
  expect(await world.domains.get("long")?.result).toBe(62 * 86_400_000);
});

it("a clock that was set back while nothing ran makes no timer fire early and nothing run backwards", async () => {
  const world = new TestWorld([sleeper]);
  await world.domains.start("a", sleeper, 1);
  world.time.pass(3_600_000);
  world.time.nowMs -= 7_200_000;
  world.restart();
  await world.domains.recover();
  world.time.pass(86_400_000);
  await settled();
  expect(world.domains.get("a")?.state).toBe("running");
  world.time.pass(7_200_000);
  expect(await world.domains.get("a")?.result).toBeGreaterThanOrEqual(86_400_000);
});

const collector: DurableProgram<number> = {
  name: "collector",
  run: (count) =>
    function* (sys, inbox): Routine<readonly unknown[]> {
      const got: unknown[] = [];
      while (got.length < count) got.push(yield* sys.receive(inbox!));
      return got;
    },
};

it("O1: a message that was acknowledged is there after a restart, in order; one that does not fit is refused and leaves nothing", async () => {
  const world = new TestWorld([collector]);
  const domain = await world.domains.start("box", collector, 2_000);
  for (let i = 0; i < 1_000; i++) await domain.tell({ number: i });
  world.restart();
  await world.domains.recover();
  const again = world.domains.get("box") as DurableDomain;
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => again.tell({ number: 1_000 + i })));
  expect(await again.result).toEqual(Array.from({ length: 2_000 }, (_, number) => ({ number })));
  expect(await again.tell("late").catch(errorCodeOf)).toBe("durable.domain-ended");
});

/** Never takes a message. */
const deaf: DurableProgram<null> = {
  name: "deaf",
  run: () =>
    function* (sys): Routine<void> {
      yield* sys.sleep(1e9);
    },
};

it("a full inbox refuses the message before it is recorded", async () => {
  const world = new TestWorld([deaf]);
  const domain = await world.domains.start("deaf", deaf, null);
  for (let i = 0; i < 1_000; i++) await domain.tell(i);
  const before = await world.journal.head("deaf");
  expect(await domain.tell("one more").catch(errorCodeOf)).toBe("kernel.mailbox-full");
  expect(await world.journal.head("deaf")).toEqual(before);
});

it("a cancelled domain unwinds, and is cancelled again in the replay", async () => {
  const world = new TestWorld([deaf]);
  const domain = await world.domains.start("deaf", deaf, null);
  await domain.cancel("enough");
  expect(await domain.result.catch(errorCodeOf)).toBe("kernel.cancelled");
  world.restart();
  expect((await world.domains.recover()).ended).toEqual(["deaf"]);
  expect(await world.domains.get("deaf")?.result.catch(errorCodeOf)).toBe("kernel.cancelled");
});

describe("a journal whose appends the test completes", () => {
  function heldJournal(): {
    journal: Journal;
    release: () => void;
    refuse: (error: Error) => void;
    waiting: JournalBatch[];
  } {
    const inner = createMemoryJournal();
    const waiting: (JournalBatch & { done: PromiseWithResolvers<void> })[] = [];
    let refusal: Error | undefined;
    const journal: Journal = Object.create(inner, {
      append: {
        value: (batch: JournalBatch) => {
          if (refusal !== undefined) return Promise.reject(refusal);
          const done = Promise.withResolvers<void>();
          waiting.push({ ...batch, done });
          return done.promise;
        },
      },
      head: { value: (domain: string) => inner.head(domain) },
    });
    return {
      journal,
      waiting,
      release: () => {
        for (const { done, ...batch } of waiting.splice(0))
          inner.append(batch).then(done.resolve, done.reject);
      },
      refuse: (error) => {
        refusal = error;
        for (const { done } of waiting.splice(0)) done.reject(error);
      },
    };
  }

  it("O1: no call is performed and nothing is acknowledged before every earlier record is durable", async () => {
    const held = heldJournal();
    const world = new TestWorld([adder], {}, held.journal);
    let begun = false;
    const starting = world.domains.start("sum", adder, [7]).then((domain) => {
      begun = true;
      return domain;
    });
    await settled();
    expect([held.waiting.length, begun, world.performed]).toEqual([1, false, []]);
    held.release();
    const domain = await starting;
    expect(world.performed.length).toBe(1);
    let ended = false;
    domain.result.then(() => {
      ended = true;
    });
    await settled();
    expect([held.waiting.length, ended]).toEqual([1, false]);
    held.release();
    expect(await domain.result).toBe(7);
  });

  it("O3: when the journal refuses a batch the domain is lost: it performs nothing, acknowledges nothing, takes nothing in", async () => {
    const held = heldJournal();
    const world = new TestWorld([adder], {}, held.journal);
    const starting = world.domains.start("sum", adder, [7]);
    await settled();
    held.refuse(new RangeError("another owner"));
    expect(await starting.catch(errorCodeOf)).toBe("durable.domain-lost");
    const domain = world.domains.get("sum") as DurableDomain;
    expect(domain.state).toBe("lost");
    expect(await domain.result.catch(errorCodeOf)).toBe("durable.domain-lost");
    expect(await domain.tell(1).catch(errorCodeOf)).toBe("durable.domain-lost");
    expect(world.performed).toEqual([]);
  });
});

it("DS2: after a recovery the one who had the domain before is refused and stops", async () => {
  const first = new TestWorld([collector]);
  const domain = await first.domains.start("box", collector, 10);
  const second = new TestWorld([collector], {}, first.journal);
  expect((await second.domains.recover()).resumed).toEqual(["box"]);
  expect(await first.journal.head("box")).toMatchObject({ epoch: 2 });
  expect(await domain.tell("stale").catch(errorCodeOf)).toBe("durable.domain-lost");
  expect(domain.state).toBe("lost");
  await second.domains.get("box")?.tell("fresh");
});

describe("P1: divergence", () => {
  async function recoveredWith(program: DurableProgram<never>, records?: number): Promise<unknown> {
    const whole = new TestWorld([adder]);
    await (await whole.domains.start("sum", adder, [1, 2])).result;
    const journal = records === undefined ? whole.journal : await prefixOf(whole.journal, "sum", records);
    const world = new TestWorld([program], {}, journal);
    const before = await journal.head("sum");
    const { refused } = await world.domains.recover();
    expect(world.performed).toEqual([]);
    expect(await journal.head("sum")).toEqual(before);
    expect(world.domains.get("sum")).toBeUndefined();
    return refused[0]?.error;
  }

  it("a call of another kind is reported with both sides and the place in the source, and nothing is performed or written", async () => {
    const error = await recoveredWith({
      name: "adder",
      run: () =>
        function* (sys): Routine<void> {
          yield* sys.sleep(5);
        },
    });
    expect(error).toBeInstanceOf(DivergedError);
    expect((error as DivergedError).divergence).toMatchObject({
      domain: "sum",
      seq: 3,
      recorded: "that its root task called exec",
      attempted: "waits for no service in its root task",
    });
  });

  it("an end that comes too soon, too late or with another result is reported with the place of the last call", async () => {
    const once: DurableProgram<number[]> = {
      name: "adder",
      uses: ["echo"],
      run: ([first]) =>
        function* (sys, _inbox, echo): Routine<unknown> {
          return yield* sys.exec(echo!, first);
        },
    };
    expect((await recoveredWith(once)) as Error).toMatchObject({
      divergence: {
        recorded: "that its root task called exec",
        attempted: expect.stringContaining("waits for no service"),
      },
    });
    const more: DurableProgram<number[]> = {
      name: "adder",
      uses: ["echo"],
      run: (numbers) =>
        function* (sys, _inbox, echo): Routine<void> {
          for (const number of [...numbers, 9]) yield* sys.exec(echo!, number);
        },
    };
    const late = (await recoveredWith(more)) as DivergedError;
    expect(late.divergence.attempted).toBe("goes on");
    expect(late.divergence.position.join()).toContain("durable.test.ts");
    const other: DurableProgram<number[]> = {
      name: "adder",
      uses: ["echo"],
      run: (numbers) =>
        function* (sys, _inbox, echo): Routine<string> {
          for (const number of numbers) yield* sys.exec(echo!, number);
          return "another";
        },
    };
    expect(((await recoveredWith(other)) as DivergedError).divergence.recorded).toBe(
      "that it ended with a result",
    );
  });

  it("a program or service that is not offered is named", async () => {
    expect(errorCodeOf(await recoveredWith({ name: "renamed", run: adder.run as never }))).toBe(
      "durable.program-unknown",
    );
  });
});

describe("what cannot be replayed", () => {
  it.each([
    [
      "sys.external",
      () =>
        function* (sys: Sys): Routine<unknown> {
          return yield* sys.external((settle) => void settle.ok(1));
        },
    ],
    [
      "an async program",
      () =>
        asyncProgram(async (sys) => {
          await sys.sleep(1);
        }),
    ],
  ] as const)("D3: %s stops the domain with a typed error", async (what, run) => {
    const world = new TestWorld([{ name: "bad", run: run as never }]);
    const starting = world.domains.start("bad", world.programs[0] as DurableProgram, null as never);
    const ended = starting.then(({ result }) => result).catch((reason: unknown) => reason);
    await settled();
    world.time.pass(1);
    const error = (await ended) as Error;
    expect(errorCodeOf(error)).toBe("durable.domain-lost");
    expect(error.message).toContain(what);
  });

  it("R2: an input, a message or a result that is no plain data, or too large, is refused by name", async () => {
    const world = new TestWorld([collector, deaf, adder]);
    expect(await world.domains.start("a", collector, (() => 1) as never).catch(errorCodeOf)).toBe(
      "durable.not-recordable",
    );
    expect(await world.journal.head("a")).toBeUndefined();
    const domain = await world.domains.start("b", deaf, null);
    expect(await domain.tell(Symbol("x")).catch(errorCodeOf)).toBe("durable.not-recordable");
    expect(await domain.tell(new Uint8Array(2 ** 20)).catch(errorCodeOf)).toBe("durable.not-recordable");
    await domain.tell(new Uint8Array(2 ** 20 - 64));
  });

  it("R2: what a service answers and no journal can hold fails the call, which the program may catch", async () => {
    const giving: DurableProgram<null> = {
      name: "giving",
      uses: ["odd"],
      run: () =>
        function* (sys, _inbox, odd): Routine<string> {
          try {
            yield* sys.exec(odd!, null);
            return "taken";
          } catch (error) {
            return errorCodeOf(error) as string;
          }
        },
    };
    const odd = { service: toolService({ run: async () => () => 1 }, { name: "odd" }) };
    const world = new TestWorld([giving], { odd });
    expect(await (await world.domains.start("g", giving, null)).result).toBe("durable.not-recordable");
  });
});

it("a call that may be performed again is performed again after a crash, under the same key", async () => {
  const keys: string[] = [];
  const answers: ((value: unknown) => void)[] = [];
  const slow = {
    repeatable: true,
    service: toolService(
      {
        run: (_input, _cancel, key) => {
          keys.push(key);
          return new Promise((resolve) => answers.push(resolve));
        },
      },
      { name: "slow" },
    ),
  };
  const asking: DurableProgram<null> = {
    name: "asking",
    uses: ["slow"],
    run: () =>
      function* (sys, _inbox, tool): Routine<unknown> {
        return yield* sys.exec(tool!, null);
      },
  };
  const world = new TestWorld([asking], { slow });
  await world.domains.start("ask", asking, null);
  await settled();
  world.restart();
  await world.domains.recover();
  await settled();
  expect(keys).toEqual(["ask:/0#1", "ask:/0#1"]);
  answers[0]?.("too late");
  answers[1]?.("in time");
  expect(await world.domains.get("ask")?.result).toBe("in time");
});

it("an approval is asked for again after a restart and answered once", async () => {
  const asked: { question: string; decide: (approved: boolean) => void }[] = [];
  const boss = {
    service: approverService({
      decide: (question) =>
        new Promise((resolve) =>
          asked.push({ question, decide: (approved) => resolve({ approved, by: "boss" }) }),
        ),
    }),
  };
  const spending: DurableProgram<number> = {
    name: "spending",
    uses: ["boss"],
    run: (amount) =>
      function* (sys, _inbox, approver): Routine<boolean> {
        return (yield* sys.approve(approver!, `Spend ${amount}?`)).approved;
      },
  };
  const world = new TestWorld([spending], { boss });
  await world.domains.start("spend", spending, 12);
  await settled();
  world.restart();
  await world.domains.recover();
  await settled();
  expect(asked.map(({ question }) => question)).toEqual(["Spend 12?", "Spend 12?"]);
  asked[1]?.decide(true);
  asked[0]?.decide(false);
  expect(await world.domains.get("spend")?.result).toBe(true);
});

it("DS1: a name is started once, also when it ended, is being started, or stands in the journal only", async () => {
  const world = new TestWorld([adder]);
  const both = [world.domains.start("sum", adder, [1]), world.domains.start("sum", adder, [2])];
  expect(await Promise.all(both.map((each) => each.then(() => "started", errorCodeOf)))).toEqual([
    "started",
    "durable.domain-exists",
  ]);
  await world.domains.get("sum")?.result;
  world.restart();
  expect(await world.domains.start("sum", adder, [1]).catch(errorCodeOf)).toBe("durable.domain-exists");
  await world.domains.recover();
  await world.domains.forget("sum");
  expect(await (await world.domains.start("sum", adder, [4])).result).toBe(4);
});

it("a time limit that passes before the outcome wins, here and in the replay", async () => {
  const never = { service: toolService({ run: () => new Promise(() => {}) }, { name: "never" }) };
  const impatient: DurableProgram<null> = {
    name: "impatient",
    uses: ["never"],
    run: () =>
      function* (sys, _inbox, tool): Routine<string> {
        const child = sys.spawn(
          function* (own, mine): Routine<void> {
            yield* own.exec(mine!, null);
          },
          { give: [tool!] },
        );
        yield* sys.sleep(1_000);
        sys.kill(child);
        return (yield* sys.wait(child)).kind;
      },
  };
  const world = new TestWorld([impatient], { never });
  const domain = await world.domains.start("i", impatient, null);
  world.time.pass(1_000);
  expect(await domain.result).toBe("killed");
  world.restart();
  expect((await world.domains.recover()).ended).toEqual(["i"]);
});

it("tasks of one domain call each other as in any kernel", async () => {
  const pair: DurableProgram<number> = {
    name: "pair",
    run: (rounds) =>
      function* (sys): Routine<number> {
        const box = sys.mailbox();
        sys.spawn(
          function* (own, mine): Routine<void> {
            for (;;) {
              const asked = yield* own.receive(mine!);
              if (isCall<number>(asked)) own.reply(asked as Call<number>, (asked.message as number) + 1);
            }
          },
          { give: [box] },
        );
        let value = 0;
        for (let i = 0; i < rounds; i++) value = yield* sys.call<number>(box as never, value);
        return value;
      },
  };
  const world = new TestWorld([pair]);
  expect(await (await world.domains.start("p", pair, 20)).result).toBe(20);
});
