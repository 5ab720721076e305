import { type DurableProgram, Replay } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { modelService, toolService } from "@glia-os/kernel/services";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

const LIMIT = 300;
const ANSWER = { usage: { total_tokens: 30, cost: 2 } };

/** Asks a model until its account refuses; returns how often it was answered, and the refusal. */
const asking: DurableProgram<number> = {
  name: "asking",
  uses: ["model"],
  account: { name: "asking", tokens: LIMIT },
  run: (most) =>
    function* (sys, _inbox, model) {
      for (let answered = 0; answered < most; answered++) {
        try {
          yield* sys.model(model!, { max_tokens: 50 });
        } catch (error) {
          return { answered, code: (error as { code?: string }).code };
        }
      }
      return { answered: most, code: "" };
    },
};

/** Bring the journal of a domain into a fresh replay and read its account. */
async function accountOf(world: TestWorld, program: DurableProgram, domain: string) {
  const replay = new Replay({ domain, programOf: () => program, digests: createSystemDigests() });
  for await (const batch of world.journal.read(domain, 1))
    replay.feed(batch.body, batch.firstSeq, batch.count);
  return replay.run.account;
}

it("an account survives restarts: however often the process ends, a domain gets what its limit pays for, and no more", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { maxLength: 6 }), async (crashAfter) => {
      const world = new TestWorld([asking], {
        model: { service: modelService({ complete: async () => ANSWER }) },
      });
      let domain = await world.domains.start("asking", asking, 1_000);
      for (const turns of crashAfter) {
        for (let turn = 0; turn < turns; turn++) await new Promise<void>((done) => setImmediate(done));
        world.restart();
        await world.domains.recover();
        domain = world.domains.get("asking") ?? domain;
      }
      // The tenth call reserves 50 tokens and a few for the request when 300 - 9 * 30 = 30 are left.
      expect(await domain.result).toEqual({ answered: 9, code: "kernel.account-exhausted" });
      const { spent, reserved, open } = await accountOf(world, asking, "asking");
      expect(spent).toMatchObject({ calls: 9, tokens: 270, money: 18 });
      expect([reserved.tokens, open]).toEqual([0, 0]);
    }),
    { numRuns: 20 },
  );
});

it("a call whose outcome nobody knows after a crash costs what it had reserved", async () => {
  const once: DurableProgram<null> = {
    name: "once",
    uses: ["model"],
    run: () =>
      function* (sys, _inbox, model) {
        try {
          yield* sys.model(model!, { max_tokens: 1_000 });
        } catch (error) {
          return (error as { details: { code?: string } }).details.code;
        }
        return "answered";
      },
  };
  const never = {
    service: modelService({ complete: () => new Promise<never>(() => undefined) }),
    repeatable: false,
  };
  const world = new TestWorld([once], { model: never });
  await world.domains.start("once", once, null);
  await world.until(async () => ((await world.journal.head("once"))?.nextSeq ?? 0) > 3);
  world.restart();
  await world.domains.recover();
  expect(await world.domains.get("once")?.result).toBe("durable.outcome-unknown");
  expect((await accountOf(world, once, "once")).spent.tokens).toBeGreaterThanOrEqual(1_000);
});

it("a task of a domain gives its child an account, and a replay refuses the same calls", async () => {
  const parent: DurableProgram<null> = {
    name: "parent",
    uses: ["tool"],
    run: () =>
      function* (sys, _inbox, tool) {
        const child = sys.spawn(
          function* (inner, own) {
            for (let done = 0; ; done++) {
              try {
                yield* inner.exec(own!, done);
              } catch (error) {
                return [done, (error as { code?: string }).code];
              }
            }
          },
          { give: [tool!], account: { name: "child", calls: 3, carved: true } },
        );
        return yield* sys.wait(child);
      },
  };
  const world = new TestWorld([parent], {
    tool: { service: toolService({ run: async () => "done" }), repeatable: true },
  });
  const domain = await world.domains.start("parent", parent, null);
  expect(await domain.result).toEqual({ kind: "ok", value: [3, "kernel.account-exhausted"] });
  expect((await accountOf(world, parent, "parent")).spent.calls).toBe(3);
});

it("a checkpoint carries what was spent, also when nothing before it is left of the journal", async () => {
  const counting: DurableProgram<number> = {
    name: "counting",
    uses: ["tool"],
    account: { calls: 5 },
    run: (done) =>
      function* (sys, _inbox, tool) {
        try {
          yield* sys.exec(tool!, done);
        } catch (error) {
          return [done, (error as { code?: string }).code];
        }
        return done === 20 ? "never refused" : yield* sys.checkpoint(done + 1);
      },
  };
  const services = { tool: { service: toolService({ run: async () => "done" }), repeatable: true } };
  const world = new TestWorld([counting], services, undefined, { historyBytes: 0 });
  const domain = await world.domains.start("counting", counting, 0);
  expect(await domain.result).toEqual([5, "kernel.account-exhausted"]);
  world.restart();
  expect((await world.domains.recover()).ended).toEqual(["counting"]);
  expect(await world.domains.get("counting")?.result).toEqual([5, "kernel.account-exhausted"]);
});
