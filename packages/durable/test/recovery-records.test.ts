/** Restarts as records: with large values, beside mail, in forks, and damaged. */
import { errorCodeOf } from "@glia-os/abi/errors";
import {
  type DurableProgram,
  forkDomain,
  KIND,
  loggedRecords,
  PostOffice,
  type RecoveryOptions,
  rollbackDomain,
} from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { toolService } from "@glia-os/kernel/services";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import { encode } from "cborg";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const LARGE = "x".repeat(200_000);

/** Asks `step` for two items; the second fails as long as `failures` are left. */
function program(onFailure: RecoveryOptions["onFailure"]): DurableProgram<string> {
  return {
    name: "two",
    uses: ["step"],
    recovery: { onFailure, backoff: { baseMs: 1, maxMs: 1 } } as RecoveryOptions,
    run: (input) =>
      function* (sys, _inbox, step): Routine<unknown[]> {
        return [input.length, yield* sys.exec(step!, "first"), yield* sys.exec(step!, "second")];
      },
  };
}

function failing(times: number): {
  readonly service: ReturnType<typeof toolService>;
  readonly repeatable: true;
} {
  let left = times;
  const run = async (input: unknown): Promise<unknown> => {
    if (input === "second" && left-- > 0) throw new RangeError(`failure ${left}`);
    return input;
  };
  return { service: toolService({ run }), repeatable: true };
}

/** Let time pass until a promise settles. */
async function settled(world: TestWorld, promise: Promise<unknown> | undefined): Promise<unknown> {
  let outcome: unknown;
  void promise?.then(
    (value) => (outcome = value),
    (error) => (outcome = errorCodeOf(error) ?? error),
  );
  for (let turn = 0; turn < 5_000 && outcome === undefined; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    world.time.pass(1);
  }
  return outcome;
}

it("a result and an input of more than 64 KiB that a restart brings are kept by hash, and are there after the next recovery", async () => {
  for (const [answer, result] of [
    [{ choice: "replace", result: LARGE }, [1, "first", LARGE]],
    [{ choice: "fresh", input: LARGE }, [LARGE.length, "first", "second"]],
  ] as const) {
    const two = program(() => answer);
    const blobs = createMemoryBlobs();
    const world = new TestWorld([two as DurableProgram], { step: failing(1) }, undefined, { blobs });
    expect(await settled(world, (await world.domains.start("d", two, "x")).result)).toEqual(result);
    await world.domains.collectValues();
    expect(await world.restart().recover()).toMatchObject({ ended: ["d"], refused: [] });
    expect(await world.domains.get("d")?.result).toEqual(result);
    expect((await world.journal.head("d"))?.bytes).toBeLessThan(3_000);
  }
});

async function restartAt(world: TestWorld): Promise<number> {
  for await (const { seq, row } of loggedRecords(world.journal, "d"))
    if (row.kind === KIND.restart) return seq;
  return 0;
}

it("a domain that was restarted is forked at what counts, and rolled back over its restart", async () => {
  const two = program("resume");
  const world = new TestWorld([two as DurableProgram], { step: failing(1) });
  await settled(world, (await world.domains.start("d", two, "x")).result);
  const at = (await restartAt(world)) + 2;
  await world.domains.close();
  const change = { what: "result", value: "other" } as const;
  await forkDomain(world.journal, { domain: "d", at, as: "e", change });
  // The failing record was left out by the restart; going back to before it leaves the restart out as well.
  await rollbackDomain(world.journal, { domain: "d", to: at - 6, force: true });
  await world.restart().recover();
  expect(await settled(world, world.domains.get("e")?.result)).toEqual([1, "first", "other"]);
  expect(await settled(world, world.domains.get("d")?.result)).toEqual([1, "first", "second"]);
});

it("a restart whose record is damaged, or that follows no end, stops the recovery of its domain by name", async () => {
  const two = program("escalate");
  for (const outcome of [null, [], [["resume"], null], [["again", ...Array(11).fill(0)], null], 7]) {
    const world = new TestWorld([two as DurableProgram], { step: failing(1) });
    await settled(world, (await world.domains.start("d", two, "x")).result);
    await world.domains.close();
    const { nextSeq: firstSeq, epoch } = (await world.journal.head("d"))!;
    const body = encode([KIND.restart, firstSeq, [], 0, null, outcome]);
    await world.journal.append({ domain: "d", epoch, firstSeq, count: 1, body });
    const { refused } = await world.restart().recover();
    expect(refused.map(({ domain, error }) => [domain, errorCodeOf(error)])).toEqual([
      ["d", "durable.bad-journal"],
    ]);
  }
});

it("mail for a domain that is being restarted waits, and is accepted once", async () => {
  const reader: DurableProgram<null> = {
    name: "reader",
    uses: ["step"],
    recovery: { onFailure: "resume", backoff: { baseMs: 500, maxMs: 500 } },
    run: () =>
      function* (sys, inbox, step): Routine<unknown> {
        yield* sys.exec(step!, "second");
        return yield* sys.receive(inbox!);
      },
  };
  const sender: DurableProgram<null> = {
    name: "sender",
    uses: ["mail"],
    run: () =>
      function* (sys, inbox, mail): Routine<string> {
        yield* sys.receive(inbox!);
        yield* sys.exec(mail!, { to: "d", message: "hello" });
        return "sent";
      },
  };
  const time = new TestWorld([]).time;
  const post = new PostOffice({ timers: time.timers });
  const programs = [reader, sender] as DurableProgram[];
  const more = { post, clock: time.clock, timers: time.timers };
  const world = new TestWorld(programs, { step: failing(1), mail: post.service }, undefined, more);
  const receiver = await world.domains.start("d", reader, null);
  const other = await world.domains.start("s", sender, null);
  await world.until(async () => (await restartAt(world)) > 0);
  await other.tell("go");
  for (let i = 0; i < 2_000 && other.state === "running"; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    time.pass(1);
  }
  expect([await other.result, await receiver.result]).toEqual(["sent", { from: "s", message: "hello" }]);
});

it("a restarted domain is listed, forgotten and given away like any other", async () => {
  const two = program("resume");
  const world = new TestWorld([two as DurableProgram], { step: failing(2) });
  const domain = await world.domains.start("d", two, "x");
  await settled(world, domain.result);
  expect(world.domains.list().map(({ name, state }) => [name, state])).toEqual([["d", "ended"]]);
  await world.domains.forget("d");
  expect([world.domains.get("d"), await world.journal.head("d")]).toEqual([undefined, undefined]);
});
