/** How jobs end, what they hand on, and how an engine is closed: the second half of the contract of job engines. */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { HandedOn } from "../engines/envelope.ts";
import { JobFailedError, MalformedJobError } from "../engines/errors.ts";
import { abortable, type ContractCase, codeOf, job, type MakeJobEngine, using } from "./contract-case.ts";

/** Claims about jobs that are cut short. */
export function endings(make: MakeJobEngine): readonly ContractCase[] {
  return [
    using(
      make,
      "a cancelled job is settled at once, before and while it runs, and others go on",
      async (engine) => {
        const before = abortable();
        before.cancel("no longer wanted");
        assert.equal(await codeOf(engine.run(job("echo", 1), before.signal)), "host.aborted");
        const during = abortable();
        const running = engine.run(job("forever", 1), during.signal);
        assert.equal(await engine.run(job("later", 5)), 5);
        during.cancel(new RangeError("enough"));
        await assert.rejects(running, RangeError);
        assert.equal(await engine.run(job("double", 4)), 8);
        assert.equal(engine.stats().inFlight, 0);
      },
    ),
    using(
      make,
      "a job that takes too long is settled with a typed error, and others go on",
      async (engine) => {
        assert.equal(await codeOf(engine.run(job("forever", 1))), "host.job-timeout");
      },
      { timeoutMs: 300 },
    ),
  ];
}

/** Claims about jobs that hand on jobs. */
export function handingOn(make: MakeJobEngine): readonly ContractCase[] {
  return [
    {
      title: "a job hands on jobs with its origin and lineage",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const all = Promise.withResolvers<void>();
        const engine = make({
          handedOn: (outcome) => {
            outcomes.push(outcome);
            if (outcomes.length === 200) all.resolve();
          },
        });
        assert.equal(await engine.run({ ...job("fan", 200, "parent"), lineage: ["root"] }), 200);
        await all.promise;
        await engine.close();
        const results = outcomes.map(({ result }) => result as number).sort((a, b) => a - b);
        assert.deepEqual(
          results,
          Array.from({ length: 200 }, (_, i) => i),
        );
        for (const { id, origin, lineage, error, result } of outcomes)
          assert.deepEqual(
            { id, origin, lineage, error },
            { id: `parent/${result}`, origin: "contract", lineage: ["root", "parent"], error: undefined },
          );
      },
    },
    {
      title:
        "jobs that were handed on hand on, each with its parent's id in its lineage, and every one is heard of",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const engine = make({ handedOn: (outcome) => outcomes.push(outcome) });
        assert.equal(await engine.run({ ...job("chain", 5, "c") }), 5);
        await engine.close({ drainMs: 60_000 });
        // Workers finish in any order.
        outcomes.sort((a, b) => a.lineage.length - b.lineage.length);
        assert.deepEqual(
          outcomes.map(({ id, lineage, result, error }) => [id, lineage.length, result, error]),
          [4, 3, 2, 1, 0].map((left) => [`c${"/0".repeat(5 - left)}`, 5 - left, left, undefined]),
        );
      },
    },
    {
      title:
        "a line of jobs whose lineage or id would become too long ends with a typed error, and others go on",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const engine = make({ handedOn: (outcome) => outcomes.push(outcome) });
        const lineage = new Array<string>(63).fill("ancestor");
        await engine.run({ ...job("chain", 5, "l"), lineage });
        await engine.run({ ...job("chain", 5, "i".repeat(125)) });
        assert.equal(await engine.run(job("double", 4)), 8);
        await engine.close({ drainMs: 60_000 });
        for (const first of ["l", "i"]) {
          const line = outcomes.filter(({ id }) => id.startsWith(first));
          assert.ok(line.length === 1 || line.length === 2, `${line.length} outcomes`);
          // Refused where it was handed on, which fails that job, or when it arrived.
          const error = line.find((outcome) => outcome.error !== undefined)?.error;
          assert.ok(error instanceof JobFailedError || error instanceof MalformedJobError);
          assert.match(error.message, /must be/);
        }
      },
    },
    {
      title:
        "what cannot be handed on is refused with a typed error, seen by the job or by handedOn, and others go on",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const engine = make({ handedOn: (outcome) => outcomes.push(outcome) });
        const seen = await engine.run<readonly string[]>(job("handOnWrongly", 0, "w"));
        assert.equal(await engine.run(job("double", 4)), 8);
        await engine.close({ drainMs: 60_000 });
        const codes = seen.map((text) => {
          const heard = outcomes.find(({ id }) => id === text);
          return heard === undefined ? text : errorCodeOf(heard.error);
        });
        assert.deepEqual(codes, [
          "host.job-not-serialisable",
          "host.job-not-serialisable",
          "host.unknown-entry",
          "host.malformed-job",
        ]);
      },
    },
  ];
}

/** Claims about closing. */
export function closings(make: MakeJobEngine): readonly ContractCase[] {
  return [
    {
      title: "J5: closing settles what is in flight, refuses what comes, and may be done twice",
      run: async () => {
        const engine = make();
        const running = codeOf(engine.run(job("forever", 1)));
        await engine.close();
        await engine.close();
        assert.equal(await running, "host.engine-closed");
        assert.equal(await codeOf(engine.run(job("echo", 1))), "host.engine-closed");
        assert.equal(engine.stats().workers, 0);
      },
    },
    {
      title:
        "J5: closing with time to drain takes no more jobs, and finishes those it has and those they hand on",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const engine = make({ handedOn: (outcome) => outcomes.push(outcome) });
        const running = [engine.run(job("fan", 100)), ...[1, 2, 3].map((i) => engine.run(job("later", i)))];
        const closing = engine.close({ drainMs: 60_000 });
        assert.equal(await codeOf(engine.run(job("echo", 1))), "host.engine-closed");
        assert.deepEqual(await Promise.all(running), [100, 1, 2, 3]);
        await closing;
        assert.equal(outcomes.filter(({ error }) => error === undefined).length, 100);
        assert.deepEqual(
          { ...engine.stats(), finished: 104, restarted: 0 },
          { ...engine.stats(), workers: 0, inFlight: 0 },
        );
      },
    },
    {
      title: "J5: what is not finished when the time to drain ends is refused",
      run: async () => {
        const engine = make();
        const running = codeOf(engine.run(job("forever", 1)));
        assert.equal(await engine.run(job("later", 2)), 2);
        await engine.close({ drainMs: 50 });
        assert.equal(await running, "host.engine-closed");
        assert.equal(engine.stats().workers, 0);
      },
    },
    {
      title: "J5: a second close cuts the time that the first one left",
      run: async () => {
        const engine = make();
        const running = codeOf(engine.run(job("forever", 1)));
        const patient = engine.close({ drainMs: 2 ** 31 - 1 });
        await engine.close();
        await patient;
        assert.equal(await running, "host.engine-closed");
      },
    },
  ];
}

/** Claims about what closing does to jobs that were handed on, and to a time out of range. */
export function abruptClosings(make: MakeJobEngine): readonly ContractCase[] {
  return [
    {
      title:
        "J5: closing refuses every job that was handed on and is not finished; none is dropped without a word",
      run: async () => {
        const outcomes: HandedOn[] = [];
        const engine = make({ handedOn: (outcome) => outcomes.push(outcome) });
        assert.equal(await engine.run(job("fanForever", 50, "parent")), 50);
        await engine.close();
        assert.deepEqual(
          outcomes.map(({ error }) => errorCodeOf(error)),
          new Array<string>(50).fill("host.engine-closed"),
        );
        const ids = Array.from({ length: 50 }, (_, i) => `parent/${i}`);
        assert.deepEqual(new Set(outcomes.map(({ id }) => id)), new Set(ids));
      },
    },
    {
      title: "a time to drain out of range is refused, and the engine goes on",
      run: async () => {
        const engine = make();
        for (const drainMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])
          assert.equal(await codeOf(engine.close({ drainMs })), "host.bad-option");
        assert.equal(await engine.run(job("double", 4)), 8);
        await engine.close();
      },
    },
  ];
}
