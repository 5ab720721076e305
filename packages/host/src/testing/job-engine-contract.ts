/** What every `JobEngine` must do (`@glia-os/abi/ports`, J1 to J5). */
import assert from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { JobEnvelope } from "@glia-os/abi/ports";
import { type ContractCase, codeOf, job, type MakeJobEngine, using } from "./contract-case.ts";
import { abruptClosings, closings, endings, handingOn } from "./job-engine-endings.ts";

const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -0.5,
  Number.NaN,
  "",
  "short",
  "größer als ASCII, 漢字",
  "x".repeat(100_000),
  [1, [2, { three: [4] }]],
  { a: 1, b: { c: "d" }, n: null },
  new Uint8Array([0, 1, 255]),
  new Uint8Array(200_000).fill(7),
  new Map([["k", new Set([1, 2])]]),
  new Date(0),
  10n ** 30n,
];

function values(make: MakeJobEngine): readonly ContractCase[] {
  return [
    using(make, "J1: every kind of plain value comes back as it went", async (engine) => {
      for (const value of VALUES) assert.deepEqual(await engine.run(job("echo", value)), value);
      assert.equal(await engine.run(job("double", 21)), 42);
      assert.equal(await engine.run(job("later", "soon")), "soon");
    }),
    using(make, "J1: many jobs at once are each settled once, with their own result", async (engine) => {
      const results = await Promise.all(
        Array.from({ length: 2000 }, (_, i) => engine.run<number>(job("double", i, `job ${i}`))),
      );
      assert.deepEqual(
        results,
        Array.from({ length: 2000 }, (_, i) => 2 * i),
      );
      assert.deepEqual(
        { ...engine.stats(), workers: 0 },
        { ...engine.stats(), inFlight: 0, finished: 2000, workers: 0 },
      );
    }),
    using(make, "a job knows its id, origin and lineage", async (engine) => {
      const names = { id: "Ärger", origin: "node 7", lineage: ["grandparent", "parent"] };
      assert.deepEqual(await engine.run({ ...job("whoAmI", 0), ...names }), names);
      const long = {
        id: "i".repeat(128),
        origin: "漢".repeat(128),
        lineage: new Array<string>(64).fill("l".repeat(128)),
      };
      assert.deepEqual(await engine.run({ ...job("whoAmI", "text"), ...long }), long);
    }),
    using(make, "J2: the payload is copied when the job is taken", async (engine) => {
      const payload = { value: 1 };
      const result = engine.run(job("echo", payload));
      payload.value = 2;
      assert.deepEqual(await result, { value: 1 });
    }),
  ];
}

function refusals(make: MakeJobEngine): readonly ContractCase[] {
  return [
    using(
      make,
      "J2: what is no plain data is refused with a typed error, and nothing changed",
      async (engine) => {
        for (const payload of [() => 1, Symbol("s"), { deep: [() => 1] }, new SharedArrayBuffer(8)])
          assert.equal(await codeOf(engine.run(job("echo", payload))), "host.job-not-serialisable");
        assert.equal(engine.stats().inFlight, 0);
        assert.equal(await codeOf(engine.run(job("giveFunction", 0))), "host.job-not-serialisable");
        assert.equal(await engine.run(job("double", 4)), 8);
      },
    ),
    using(make, "malformed envelopes are refused with a typed error", async (engine) => {
      const bad: unknown[] = [
        null,
        "job",
        { ...job("echo", 1), id: "" },
        { ...job("echo", 1), id: 7 },
        { ...job("echo", 1), id: "x".repeat(129) },
        { ...job("echo", 1), origin: undefined },
        { ...job("echo", 1), lineage: "parent" },
        { ...job("echo", 1), lineage: [""] },
        { ...job("echo", 1), lineage: new Array<string>(65).fill("p") },
        job("", 1),
        job("no spaces", 1),
        job("x".repeat(129), 1),
      ];
      for (const envelope of bad)
        assert.equal(
          await codeOf(engine.run(envelope as JobEnvelope)),
          "host.malformed-job",
          JSON.stringify(envelope),
        );
    }),
    using(make, "an entry that is not exported is refused, inherited names too", async (engine) => {
      for (const entry of ["nothing", "toString", "constructor", "__proto__"])
        assert.equal(await codeOf(engine.run(job(entry, 1))), "host.unknown-entry", entry);
    }),
    using(
      make,
      "what a job throws arrives as a typed error with its message, and the worker goes on",
      async (engine) => {
        for (const entry of ["fail", "failLater"]) {
          const error = await engine.run(job(entry, "no luck", "unlucky")).catch((reason: unknown) => reason);
          assert.equal(errorCodeOf(error), "host.job-failed");
          assert.match(String(error), /unlucky failed: no luck/);
        }
        assert.equal(await engine.run(job("double", 4)), 8);
      },
    ),
    using(
      make,
      "J4: beyond the bound jobs are refused, and taken again when there is room",
      async (engine) => {
        const first = [engine.run(job("later", 1)), engine.run(job("later", 2))];
        assert.equal(await codeOf(engine.run(job("later", 3))), "host.engine-full");
        assert.deepEqual(await Promise.all(first), [1, 2]);
        assert.equal(await engine.run(job("later", 4)), 4);
      },
      { inFlight: 2 },
    ),
  ];
}

/** The contract of `JobEngine`, over the functions of `contractJobs`. */
export function jobEngineContract(make: MakeJobEngine): readonly ContractCase[] {
  return [
    ...values(make),
    ...refusals(make),
    ...endings(make),
    ...handingOn(make),
    ...closings(make),
    ...abruptClosings(make),
  ];
}
