import { errorCodeOf } from "@glia-os/abi/errors";
import { type DurableProgram, ProgramChangedError } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

function waiter(version?: string, continues?: readonly string[]): DurableProgram<number> {
  return {
    name: "waiter",
    ...(version === undefined ? {} : { version }),
    ...(continues === undefined ? {} : { continues }),
    run: (count) =>
      function* (sys, inbox): Routine<number> {
        if ((yield* sys.receive(inbox!)) === "end") return count;
        return yield* sys.checkpoint(count + 1);
      },
  };
}

async function refusalOf(begun: DurableProgram<number>, offered: DurableProgram<number>): Promise<unknown> {
  const world = new TestWorld([begun]);
  await world.domains.start("w", begun, 0);
  const before = await world.journal.head("w");
  world.restart([offered]);
  const [refusal] = (await world.domains.recover()).refused;
  if (refusal !== undefined) expect(await world.journal.head("w")).toEqual(before);
  return refusal?.error;
}

it("a program of another version is refused by name before the replay, and nothing is written", async () => {
  const error = await refusalOf(waiter("1"), waiter("2"));
  expect(error).toBeInstanceOf(ProgramChangedError);
  expect(error).toMatchObject({ details: { domain: "w", program: "waiter", recorded: "1", offered: "2" } });
  expect(errorCodeOf(await refusalOf(waiter(), waiter("1")))).toBe("durable.program-changed");
  expect(errorCodeOf(await refusalOf(waiter("1"), waiter()))).toBe("durable.program-changed");
});

it("the same version goes on, and so does one that says that it continues the other", async () => {
  expect(await refusalOf(waiter("1"), waiter("1"))).toBeUndefined();
  expect(await refusalOf(waiter("1"), waiter("3", ["1", "2"]))).toBeUndefined();
  expect(await refusalOf(waiter(), waiter("1", [""]))).toBeUndefined();
});

it("from a checkpoint on, the domain belongs to the version that made it", async () => {
  const world = new TestWorld([waiter("1")], {}, undefined, { historyBytes: 0 });
  await world.domains.start("w", world.programs[0] as DurableProgram<number>, 0);
  await world.domains.close();
  world.restart([waiter("2", ["1"])]);
  await world.domains.recover();
  await world.domains.get("w")?.tell("more");
  await world.domains.close();
  world.restart([waiter("1")]);
  expect((await world.domains.recover()).refused.map(({ error }) => errorCodeOf(error))).toEqual([
    "durable.program-changed",
  ]);
  world.restart([waiter("2")]);
  expect((await world.domains.recover()).resumed).toEqual(["w"]);
  await world.domains.get("w")?.tell("end");
  expect(await world.domains.get("w")?.result).toBe(1);
});

it("a bad version is refused when the domains are made", () => {
  for (const program of [waiter(""), waiter("x".repeat(129)), waiter("1", ["x".repeat(129)])])
    expect(() => new TestWorld([program])).toThrow(/version/);
});
