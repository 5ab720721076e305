import { errorCodeOf } from "@glia-os/abi/errors";
import type { Journal, JournalBatch } from "@glia-os/abi/ports";
import { carryDomain, type DurableDomain, type DurableProgram } from "@glia-os/durable";
import type { Routine } from "@glia-os/kernel";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import { createMemoryJournal } from "@glia-os/store/journal-memory";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TestWorld } from "./durable-world.ts";

/** Collects messages until it has enough; begins anew after each second one. */
const collector: DurableProgram<readonly string[]> = {
  name: "collector",
  run: (got) =>
    function* (sys, inbox): Routine<readonly string[]> {
      const now = [...got];
      while (now.length < 5) {
        now.push((yield* sys.receive(inbox!)) as string);
        if (now.length % 2 === 0) return yield* sys.checkpoint(now);
      }
      return now;
    },
};

const LONG = "long ".repeat(20_000);

it("a domain goes on elsewhere from its segments and blobs, under a higher epoch, and loses nothing", async () => {
  const [blobs, other] = [createMemoryBlobs(), createMemoryBlobs()];
  const here = new TestWorld([collector], {}, undefined, { blobs, historyBytes: 0 });
  const there = new TestWorld([collector], {}, undefined, { blobs: other });
  const domain = await here.domains.start("c", collector, []);
  for (const message of ["a", LONG, "c"]) await domain.tell(message);
  const segments = await here.domains.release("c", "there");
  expect(segments.length).toBeGreaterThan(0);
  expect(await domain.tell("late").catch(errorCodeOf)).toBe("durable.domain-lost");
  const from = blobs;
  await carryDomain({ domain: "c", from: here.journal, to: there.journal, blobs: { from, to: other } });
  expect((await there.domains.recover()).refused.map(({ error }) => errorCodeOf(error))).toEqual([
    "durable.domain-moved",
  ]);
  const moved = (await there.domains.adopt("c")) as DurableDomain;
  expect((await there.journal.head("c"))?.epoch).toBeGreaterThan(segments.at(-1)?.epoch ?? 0);
  for (const message of ["d", "e"]) await moved.tell(message);
  expect(await moved.result).toEqual(["a", LONG, "c", "d", "e"]);
  there.restart();
  expect(await there.domains.recover()).toMatchObject({ ended: ["c"], refused: [] });
});

it("MV1: whoever had the domain before is refused, and a recovery where it was says whom it was given to", async () => {
  const old = new TestWorld([collector]);
  const domain = await old.domains.start("c", collector, []);
  const young = new TestWorld([collector], {}, old.journal);
  await young.domains.recover();
  await young.domains.release("c", "node-7");
  expect(await domain.tell("x").catch(errorCodeOf)).toBe("durable.domain-lost");
  const [refusal] = (await new TestWorld([collector], {}, old.journal).domains.recover()).refused;
  expect(refusal?.error).toMatchObject({
    code: "durable.domain-moved",
    details: { domain: "c", to: "node-7" },
  });
  const back = new TestWorld([collector], {}, old.journal);
  expect((await back.domains.adopt("c"))?.state).toBe("running");
  expect(await back.domains.release("nobody", "x").catch(errorCodeOf)).toBe("durable.domain-unknown");
  expect(await back.domains.release("c", "").catch(errorCodeOf)).toBe("abi.malformed");
});

/** A journal that refuses everything that writes after some calls. */
function failing(inner: Journal, calls: number): Journal {
  let left = calls;
  const within = <Result>(perform: () => Promise<Result>): Promise<Result> =>
    left-- > 0 ? perform() : Promise.reject(new RangeError("the process ended"));
  return {
    append: (batch: JournalBatch) => within(() => inner.append(batch)),
    seal: (domain) => within(() => inner.seal(domain)),
    acceptSegment: (segment) => within(() => inner.acceptSegment(segment)),
    truncate: (domain, before) => inner.truncate(domain, before),
    head: (domain) => inner.head(domain),
    domains: (after, limit) => inner.domains(after, limit),
    read: (domain, from) => inner.read(domain, from),
    segments: (domain) => inner.segments(domain),
    readSegment: (domain, first) => inner.readSegment(domain, first),
    remove: (domain) => inner.remove(domain),
    close: () => inner.close(),
  };
}

it("MV2: a move that is cut off at any write is repeated, and the domain comes to the same end in one place", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(6), fc.nat(6), fc.integer({ min: 1, max: 4 }), async (first, second, told) => {
      const [source, target] = [createMemoryJournal(), createMemoryJournal()];
      const here = new TestWorld([collector], {}, source, { historyBytes: 0 });
      const domain = await here.domains.start("c", collector, []);
      const all = ["1", "2", "3", "4", "5"];
      for (const message of all.slice(0, told)) await domain.tell(message);
      await here.domains.close();
      for (const calls of [first, second, 100]) {
        const [from, to] = [failing(source, calls), failing(target, calls - 2)];
        try {
          await new TestWorld([collector], {}, from).domains.release("c", "there");
          await carryDomain({ domain: "c", from, to });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
      const there = new TestWorld([collector], {}, target);
      const moved = (await there.domains.adopt("c")) as DurableDomain;
      for (const message of all.slice(told)) await moved.tell(message);
      expect(await moved.result).toEqual(all);
    }),
    { numRuns: 60 },
  );
});
