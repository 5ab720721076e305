import { errorCodeOf } from "@glia-os/abi/errors";
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import {
  DivergedError,
  type DurableProgram,
  decodeRecord,
  KIND,
  type NumberedRecord,
} from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

interface Work {
  readonly done: number;
  readonly until: number;
  readonly sum: number;
  readonly draws: readonly number[];
}

/** Adds what a service gives, one checkpoint per step. */
const endless: DurableProgram<Work> = {
  name: "endless",
  uses: ["echo"],
  run: (state) =>
    function* (sys, _inbox, echo): Routine<Work> {
      if (state.done === state.until) return state;
      const got = (yield* sys.exec<number>(echo!, state.done)) as number;
      if (state.done % 3 === 0) yield* sys.sleep(5);
      const draws = [...state.draws, sys.random(1)[0] as number].slice(-5);
      return yield* sys.checkpoint({ ...state, done: state.done + 1, sum: state.sum + got, draws });
    },
};

const work = (until: number): Work => ({ done: 0, until, sum: 0, draws: [] });

async function recordsOf(journal: Journal, domain: string): Promise<NumberedRecord[]> {
  const records: NumberedRecord[] = [];
  const { firstSeq = 1 } = (await journal.head(domain)) ?? {};
  for await (const { body } of journal.read(domain, firstSeq))
    for (let at = 0; at < body.length; at += records.at(-1)?.bytes ?? 0) records.push(decodeRecord(body, at));
  return records;
}

/** Let time pass until a domain of a world has ended here. */
async function untilEnded(world: TestWorld, name: string): Promise<unknown> {
  await world.until(async () => {
    world.time.pass(5);
    return world.domains.get(name)?.state !== "running";
  });
  return await world.domains.get(name)?.result;
}

it("checkpoint starts the root task anew with the state, and each call of each generation has a key of its own", async () => {
  const world = new TestWorld([endless]);
  await world.domains.start("e", endless, work(7));
  expect(await untilEnded(world, "e")).toMatchObject({ done: 7, sum: 21 });
  const keys = world.performed.map(({ key }) => key);
  expect(keys.slice(0, 3)).toEqual(["e:/0#1", "e:/0#1.1", "e:/0#2.1"]);
  expect(new Set(keys).size).toBe(7);
});

it("a journal with checkpoints stays short however long the domain runs, and begins with a checkpoint", async () => {
  const world = new TestWorld([endless], {}, undefined, { historyBytes: 2_000 });
  const domain = await world.domains.start("e", endless, work(300));
  let longest = 0;
  await world.until(async () => {
    world.time.pass(5);
    longest = Math.max(longest, (await world.journal.head("e"))?.bytes ?? 0);
    return domain.state !== "running";
  });
  expect(await domain.result).toMatchObject({ done: 300, sum: 44_850 });
  expect(longest).toBeLessThan(6_000);
  expect((await world.journal.head("e"))?.firstSeq).toBeGreaterThan(900);
  expect((await recordsOf(world.journal, "e"))[0]?.record.kind).toBe(KIND.checkpoint);
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["e"], refused: [] });
  expect(await world.domains.get("e")?.result).toMatchObject({ done: 300, sum: 44_850 });
});

/** A journal that hands over what was appended before some call, as if the process was killed there. */
function dyingJournal(inner: Journal, calls: number): Journal {
  let left = calls;
  const dead = new Promise<never>(() => {});
  const within = <Result>(perform: () => Promise<Result>): Promise<Result> => (left-- > 0 ? perform() : dead);
  return Object.create(inner, {
    append: { value: (batch: JournalBatch) => within(() => inner.append(batch)) },
    seal: { value: (domain: string) => within(() => inner.seal(domain)) },
    truncate: { value: (domain: string, before: number) => within(() => inner.truncate(domain, before)) },
    head: { value: (domain: string) => inner.head(domain) },
    domains: { value: (after: string, limit: number) => inner.domains(after, limit) },
    read: { value: (domain: string, from: number) => inner.read(domain, from) },
    readJoined: { value: undefined },
  });
}

/** The keys of all calls whose outcomes stand in the journal of `e`, or stood there before a checkpoint. */
async function recordedKeys(journal: Journal): Promise<readonly string[]> {
  const keys: string[] = [];
  let generation = 0;
  const keyOf = (of: number): string => (of === 0 ? "e:/0#1" : `e:/0#${of}.1`);
  for (const { record } of await recordsOf(journal, "e")) {
    if (record.kind === KIND.resume) keys.push(keyOf(generation));
    if (record.kind !== KIND.checkpoint) continue;
    generation = record.renewal.beginning.generation as number;
    for (let before = 0; before < generation; before++) keys.push(keyOf(before));
  }
  return keys;
}

it("killed before any append, seal or truncation, the domain comes to the same result and performs no recorded call again", async () => {
  const whole = new TestWorld([endless], {}, undefined, { historyBytes: 300 });
  await whole.domains.start("e", endless, work(8));
  const expected = await untilEnded(whole, "e");
  await fc.assert(
    fc.asyncProperty(fc.nat(60), fc.nat(60), async (first, second) => {
      const inner = createMemoryJournal();
      const performed = new Set<string>();
      const recorded = new Set<string>();
      const echo = {
        service: toolService({
          run: async (input, _cancel, key) => {
            expect(recorded.has(key)).toBe(false);
            performed.add(key);
            return input;
          },
        }),
        repeatable: true,
      };
      for (const calls of [first, second, Number.POSITIVE_INFINITY]) {
        const journal = dyingJournal(inner, calls);
        const world = new TestWorld([endless], { echo }, journal, { historyBytes: 300 });
        const recovering = world.domains.recover();
        const begin = Promise.race([recovering, new Promise((resolve) => setImmediate(resolve))]);
        await begin;
        if ((await inner.head("e")) === undefined)
          void world.domains.start("e", endless, work(8)).catch(() => {});
        for (let turn = 0; turn < 120; turn++) {
          await new Promise<void>((resolve) => setImmediate(resolve));
          world.time.pass(5);
        }
        for (const key of await recordedKeys(inner)) recorded.add(key);
        if (calls === Number.POSITIVE_INFINITY)
          expect(await world.domains.get("e")?.result).toEqual(expected);
      }
      expect(performed.size).toBeGreaterThanOrEqual(8);
    }),
    { numRuns: 40 },
  );
}, 60_000);

it("what a removal that was cut short left before a checkpoint is passed over", async () => {
  let performed = 0;
  const run = async (input: unknown) => {
    performed += 1;
    return input;
  };
  const echo = { service: toolService({ run }), repeatable: true };
  const world = new TestWorld([endless], { echo }, undefined, { historyBytes: Number.POSITIVE_INFINITY });
  await world.domains.start("e", endless, work(9));
  for (let i = 0; i < 3; i++) {
    await world.until(async () => {
      world.time.pass(5);
      return performed > 2 * i;
    });
    world.restart();
    await world.domains.recover();
  }
  const expected = await untilEnded(world, "e");
  const segments = await world.journal.segments("e");
  expect(segments.length).toBeGreaterThan(2);
  await world.journal.truncate("e", segments[1]?.firstSeq ?? 0);
  expect((await recordsOf(world.journal, "e"))[0]?.record.kind).toBe(KIND.time);
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
  expect(await world.domains.get("e")?.result).toEqual(expected);
});

/** Receives one message per generation, though more are there. */
const oneEach: DurableProgram<readonly unknown[]> = {
  name: "one-each",
  run: (got) =>
    function* (sys, inbox): Routine<readonly unknown[]> {
      if (got.length === 4) return got;
      const next = [...got, yield* sys.receive(inbox!)];
      yield* sys.sleep(10);
      return yield* sys.checkpoint(next);
    },
};

it("messages that nobody took yet go over a checkpoint, in order and once", async () => {
  const world = new TestWorld([oneEach], {}, undefined, { historyBytes: 0 });
  const domain = await world.domains.start("o", oneEach, []);
  await Promise.all([domain.tell("a"), domain.tell(undefined), domain.tell({ c: 1 })]);
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
  world.time.pass(10);
  await world.domains.get("o")?.tell("d");
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
  for (let i = 0; i < 4; i++) world.time.pass(10);
  expect(await world.domains.get("o")?.result).toEqual(["a", undefined, { c: 1 }, "d"]);
});

/** Waits, then begins anew, until it has seen enough messages at once. */
const lazy: DurableProgram<number> = {
  name: "lazy",
  run: (round) =>
    function* (sys, inbox): Routine<number> {
      yield* sys.sleep(10);
      if (round < 2) return yield* sys.checkpoint(round + 1);
      let sum = 0;
      for (let i = 0; i < 1_000; i++) sum += (yield* sys.receive(inbox!)) as number;
      return sum;
    },
};

it("a full inbox of 1,000 messages goes over a checkpoint", async () => {
  const world = new TestWorld([lazy]);
  const domain = await world.domains.start("l", lazy, 0);
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => domain.tell(i)));
  for (let i = 0; i < 2; i++) world.time.pass(10);
  world.restart();
  expect((await world.domains.recover()).refused).toEqual([]);
  world.time.pass(10);
  expect(await world.domains.get("l")?.result).toBe(499_500);
});

/** Leaves a child behind that waits for a call. */
const parent: DurableProgram<number> = {
  name: "parent",
  uses: ["never"],
  run: (generation) =>
    function* (sys, _inbox, never): Routine<number> {
      if (generation === 2) return generation;
      sys.spawn(
        function* (own, mine) {
          yield* own.exec(mine!, generation);
        },
        { give: [never!] },
      );
      yield* sys.yield();
      return yield* sys.checkpoint(generation + 1);
    },
};

it("a checkpoint ends the children of the root task, and what they waited for is given up", async () => {
  const never = { service: toolService({ run: () => new Promise<never>(() => {}) }) };
  const world = new TestWorld([parent], { never });
  const domain = await world.domains.start("p", parent, 0);
  expect(await domain.result).toBe(2);
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["p"], refused: [] });
});

const bad: DurableProgram<unknown> = {
  name: "bad",
  run: (state) => {
    if (state === "thrown") throw new RangeError("no such state");
    return function* (sys): Routine<unknown> {
      return yield* sys.checkpoint(state === "function" ? () => {} : "thrown");
    };
  },
};

it("a state that cannot be recorded, and one that the program refuses, end the domain with that; so does the replay", async () => {
  const world = new TestWorld([bad]);
  const codes = async () =>
    await Promise.all(["f", "t"].map((name) => world.domains.get(name)?.result.catch(errorCodeOf)));
  await world.domains.start("f", bad, "function");
  await world.domains.start("t", bad, "once");
  expect(await codes()).toEqual(["durable.not-recordable", expect.anything()]);
  const before = await codes();
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["f", "t"], refused: [] });
  expect(await codes()).toEqual(before);
});

it("P1: a program that comes to another state than the journal says, or to no checkpoint, has diverged", async () => {
  const world = new TestWorld([endless], {}, undefined, { historyBytes: Number.POSITIVE_INFINITY });
  await world.domains.start("e", endless, work(3));
  await untilEnded(world, "e");
  const other = (change: (sum: number) => number): DurableProgram<Work> => ({
    ...endless,
    run: (state) =>
      function* (sys, _inbox, echo): Routine<Work> {
        const got = (yield* sys.exec<number>(echo!, state.done)) as number;
        if (state.done % 3 === 0) yield* sys.sleep(5);
        const draws = [sys.random(1)[0] as number];
        const next = { ...state, done: state.done + 1, sum: change(state.sum + got), draws };
        return change(0) === 2 ? next : yield* sys.checkpoint(next);
      },
  });
  for (const change of [(sum: number) => sum + 1, (sum: number) => sum + 2]) {
    world.restart([other(change) as DurableProgram]);
    const [refusal] = (await world.domains.recover()).refused;
    expect(refusal?.error).toBeInstanceOf(DivergedError);
    expect(refusal?.error).toMatchObject({
      divergence: { recorded: expect.stringContaining("a checkpoint") },
    });
  }
});

it("a large state stands by hash; what its program does not change costs no more blobs", async () => {
  const blobs = createMemoryBlobs();
  const text = Array.from({ length: 60_000 }, (_, i) => (i * i) % 9_973).join(" ");
  const keeper: DurableProgram<{ readonly round: number; readonly text: string }> = {
    name: "keeper",
    run: (state) =>
      function* (sys): Routine<number> {
        if (state.round === 20) return state.text.length;
        return yield* sys.checkpoint({ round: state.round + 1, text: state.text });
      },
  };
  const world = new TestWorld([keeper], {}, undefined, { blobs, historyBytes: 10_000 });
  const domain = await world.domains.start("k", keeper, { round: 0, text });
  await world.until(async () => {
    world.time.pass(0);
    return domain.state !== "running";
  });
  expect(await domain.result).toBe(text.length);
  const kept = (await blobs.list("", 10_000)).reduce((sum, { bytes }) => sum + bytes, 0);
  expect(kept).toBeLessThan(2 * text.length);
  world.restart();
  expect(await world.domains.recover()).toMatchObject({ ended: ["k"], refused: [] });
});

it("an endless loop of checkpoints lets other domains run", async () => {
  const spinning: DurableProgram<number> = {
    name: "spinning",
    run: (round) =>
      function* (sys): Routine<never> {
        return yield* sys.checkpoint(round + 1);
      },
  };
  const patient: DurableProgram<null> = {
    name: "patient",
    run: () =>
      function* (sys, inbox): Routine<unknown> {
        return yield* sys.receive(inbox!);
      },
  };
  const world = new TestWorld([spinning, patient], {}, undefined, { historyBytes: 1_000 });
  await Promise.race([
    world.domains.start("s", spinning, 0),
    new Promise((resolve) => setImmediate(resolve)),
  ]);
  const domain = await world.domains.start("p", patient, null);
  await domain.tell(4);
  expect(await domain.result).toBe(4);
  await world.domains.close();
});
