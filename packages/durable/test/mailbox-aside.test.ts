/** Messages that a program cannot handle. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type DurableProgram, decodeRecord, KIND } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

/** Adds numbers, one checkpoint per message; a text makes it fail. */
function adding(attempts: number | undefined, fails: (message: unknown) => boolean): DurableProgram<number> {
  return {
    name: "adding",
    uses: ["echo"],
    ...(attempts === undefined ? {} : { attempts }),
    run: (sum) =>
      function* (sys, inbox, echo): Routine<number> {
        const message = yield* sys.receive(inbox);
        if (message === "end") return sum;
        yield* sys.exec(echo!, message);
        if (fails(message)) throw new RangeError(`no number: ${message}`);
        return yield* sys.checkpoint(sum + (message as number));
      },
  };
}

const isText = (message: unknown): boolean => typeof message === "string";

async function told(world: TestWorld, program: DurableProgram<number>, messages: readonly unknown[]) {
  const domain = await world.domains.start("sum", program, 0);
  for (const each of messages) await domain.tell(each);
  return domain;
}

it("a message that always fails is tried as often as the program says, set aside and named, and the others are handled once", async () => {
  const program = adding(3, isText);
  const world = new TestWorld([program as DurableProgram]);
  const domain = await told(world, program, [1, "poison", 2, 3, "end"]);
  expect(await domain.result).toBe(6);
  expect(domain.mailbox.aside).toEqual([
    {
      message: "poison",
      attempts: 3,
      code: "abi.unexpected",
      text: expect.stringContaining("no number: poison"),
    },
  ]);
  expect(world.performed.map(({ input }) => input)).toEqual([1, "poison", "poison", "poison", 2, 3]);
  expect(new Set(world.performed.map(({ key }) => key)).size).toBe(6);
});

it("a message that fails once is handled at the next attempt, and nothing is set aside", async () => {
  let failures = 0;
  // The failure is no property of the records: this program is not durable, which only a replay would notice.
  const program = adding(2, (message) => message === 2 && failures++ === 0);
  const world = new TestWorld([program as DurableProgram]);
  const domain = await told(world, program, [1, 2, "end"]);
  expect(await domain.result).toBe(3);
  expect(domain.mailbox).toMatchObject({ aside: [], dropped: 0 });
});

it("what was set aside and what was tried survive the process, and a replay comes to the same", async () => {
  const program = adding(2, isText);
  const world = new TestWorld([program as DurableProgram], {}, undefined, { historyBytes: 0 });
  await told(world, program, ["first", 1, "second"]);
  await world.until(async () => world.domains.get("sum")?.mailbox.aside.length === 2);
  const domains = world.restart();
  expect((await domains.recover()).refused).toEqual([]);
  const domain = domains.get("sum");
  expect(domain?.mailbox.aside.map(({ message }) => message)).toEqual(["first", "second"]);
  await domain?.tell("end");
  expect(await domain?.result).toBe(1);
});

it("no more than 100 are kept, and how many are gone is counted", async () => {
  const program = adding(1, isText);
  const world = new TestWorld([program as DurableProgram], {}, undefined, { historyBytes: 0 });
  const domain = await told(world, program, [...Array.from({ length: 103 }, (_, i) => `poison ${i}`), 5]);
  await domain.tell("end");
  expect(await domain.result).toBe(5);
  expect(domain.mailbox.dropped).toBe(3);
  expect(domain.mailbox.aside.map(({ message }) => message)).toEqual(
    Array.from({ length: 100 }, (_, i) => `poison ${i + 3}`),
  );
});

it("no more than 262,144 bytes are kept, but the newest in any case", async () => {
  const program = adding(1, isText);
  const world = new TestWorld([program as DurableProgram]);
  const domain = await told(world, program, [
    "a".repeat(100_000),
    "b".repeat(100_000),
    "c".repeat(100_000),
    "d".repeat(400_000),
  ]);
  await world.until(async () => domain.mailbox.dropped === 3);
  expect(domain.mailbox.aside.map(({ message }) => (message as string)[0])).toEqual(["d"]);
});

it("a failure without a message, after two of them, or of a program without attempts ends the domain", async () => {
  const early: DurableProgram<number> = {
    name: "adding",
    attempts: 5,
    run: () =>
      function* (): Routine<number> {
        throw new RangeError("early");
      },
  };
  const greedy: DurableProgram<number> = {
    ...early,
    run: () =>
      function* (sys, inbox): Routine<number> {
        yield* sys.receive(inbox);
        yield* sys.receive(inbox);
        throw new RangeError("greedy");
      },
  };
  for (const program of [early, greedy, adding(undefined, isText)]) {
    const world = new TestWorld([program as DurableProgram]);
    const domain = await world.domains.start("sum", program, 0);
    for (const each of ["a", "b"]) await domain.tell(each).catch(() => {});
    await expect(domain.result).rejects.toThrow();
    expect(domain.state).toBe("ended");
    const kinds: number[] = [];
    for await (const { body } of world.journal.read("sum", 1))
      for (let at = 0; at < body.length; ) {
        const { record, bytes } = decodeRecord(body, at);
        kinds.push(record.kind);
        at += bytes;
      }
    expect(kinds.at(-1)).toBe(KIND.exit);
    expect(kinds).not.toContain(KIND.checkpoint);
  }
});

it.each([0, 101, 1.5, Number.NaN])(
  "attempts of %s are refused before anything is written",
  async (attempts) => {
    expect(() => new TestWorld([adding(attempts, isText) as DurableProgram])).toThrow(/attempts/);
    const code = await Promise.resolve()
      .then(() => new TestWorld([adding(attempts, isText) as DurableProgram]))
      .catch(errorCodeOf);
    expect(code).toBe("durable.bad-program");
  },
);
