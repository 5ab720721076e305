/**
 * What holds for every face of a node's jobs (`JobProtocol`), as cases that any test runner can run against a node whose module of jobs is
 * {@link CONTRACT_PROGRAM}.
 */
import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { JobProtocol } from "../jobs/job-protocol.ts";
import type { JobView } from "../jobs/job-views.ts";

/** What a case works with. */
export interface JobProtocolHarness {
  readonly jobs: JobProtocol;
  /** Let jobs `gated` that wait for this gate end: make the file. */
  open(gate: string): void;
  /** A path for a gate of this name, and never the same twice. */
  gate(): string;
}

/** One claim. */
export interface JobProtocolCase {
  readonly claim: string;
  run(harness: JobProtocolHarness): Promise<void>;
}

/** The module of jobs that the cases need. */
export const CONTRACT_PROGRAM = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export const double = (number) => 2 * number;
export const echo = (payload, { id, lineage }) => ({ payload, id, lineage });
export const nothing = () => undefined;
export const unsendable = () => 1n;
export function fails() { throw new RangeError("it fails by design"); }
export function endless() { for (;;); }
export async function gated({ gate }) { while (!existsSync(gate)) await sleep(5); return "through"; }
`;

const WAIT_MS = 30_000;
/** Jobs that never end, at once: more than a node has threads. */
const ENDLESS = 5;
let lastKey = 0;
const freshKey = (): string => `key ${process.pid} ${performance.now()} ${++lastKey}`;

async function refused(call: Promise<unknown>, code: string): Promise<void> {
  await rejects(call, (error) => {
    strictEqual(errorCodeOf(error), code, `refused with ${errorCodeOf(error)}: ${String(error)}`);
    return true;
  });
}

async function ended({ jobs }: JobProtocolHarness, { id }: JobView): Promise<JobView> {
  return jobs.wait(id, WAIT_MS);
}

const running: readonly JobProtocolCase[] = [
  {
    claim: "a job is accepted as pending under an id, ends with its result, and can be looked up afterwards",
    async run(harness) {
      const accepted = await harness.jobs.submit({ entry: "double", payload: 21, priority: -3 });
      ok(/^[0-9a-f]{32}$/.test(accepted.id));
      deepStrictEqual([accepted.entry, accepted.priority, accepted.attempt], ["double", -3, 1]);
      const end = await ended(harness, accepted);
      deepStrictEqual([end.id, end.state, end.result, end.error], [accepted.id, "succeeded", 42, undefined]);
      ok(end.version > accepted.version && (end.endedMs ?? 0) >= accepted.acceptedMs);
      deepStrictEqual(await harness.jobs.status(accepted.id), end);
    },
  },
  {
    claim:
      "payload, lineage and id reach the function as they were given, and its result comes back the same",
    async run(harness) {
      const payload = { text: "\u0000 é 漢 𝄞", list: [1, -0.5, null, true, { deep: [] }], empty: {} };
      const accepted = await harness.jobs.submit({ entry: "echo", payload, lineage: ["parent"] });
      const { result } = await ended(harness, accepted);
      deepStrictEqual(result, { payload, id: accepted.id, lineage: ["parent"] });
    },
  },
  {
    claim: "a function that returns nothing has the result null",
    async run(harness) {
      const end = await ended(harness, await harness.jobs.submit({ entry: "nothing", payload: null }));
      deepStrictEqual([end.state, end.result], ["succeeded", null]);
    },
  },
  {
    claim:
      "a job that throws, that is not there, or whose result is no JSON has failed, with a typed error that says why",
    async run(harness) {
      for (const [entry, why] of [
        ["fails", /it fails by design/],
        ["missing", /missing/],
        ["unsendable", /JSON/],
      ] as const) {
        const end = await ended(harness, await harness.jobs.submit({ entry, payload: null }));
        strictEqual(end.state, "failed", entry);
        ok(why.test(end.error?.message ?? ""), `${entry}: ${end.error?.message}`);
        ok((end.error?.code ?? "") !== "" && end.result === undefined);
      }
    },
  },
];

const keys: readonly JobProtocolCase[] = [
  {
    claim: "the same key with the same work is the same job, however often and whenever it comes",
    async run(harness) {
      const gate = harness.gate();
      const job = { entry: "gated", payload: { gate, a: 1, b: 2 }, key: freshKey() };
      const again = { entry: "gated", payload: { b: 2, a: 1, gate }, key: job.key };
      const all = await Promise.all([job, again, job].map((each) => harness.jobs.submit(each)));
      strictEqual(new Set(all.map(({ id }) => id)).size, 1);
      strictEqual(all[0]?.key, job.key);
      harness.open(gate);
      const end = await ended(harness, all[0] as JobView);
      deepStrictEqual(await harness.jobs.submit(again), end);
      strictEqual(end.attempt, 1);
    },
  },
  {
    claim: "the same key with other work is refused, and the job that has it is not touched",
    async run(harness) {
      const key = freshKey();
      const first = await harness.jobs.submit({ entry: "double", payload: 1, key });
      await refused(harness.jobs.submit({ entry: "double", payload: 2, key }), "daemon.job-key-reused");
      await refused(harness.jobs.submit({ entry: "echo", payload: 1, key }), "daemon.job-key-reused");
      strictEqual((await ended(harness, first)).result, 2);
    },
  },
  {
    claim: "without a key every submission is a job of its own",
    async run({ jobs }) {
      const [one, other] = await Promise.all(
        [1, 1].map((payload) => jobs.submit({ entry: "double", payload })),
      );
      notStrictEqual(one?.id, other?.id);
    },
  },
];

const ends: readonly JobProtocolCase[] = [
  {
    claim:
      "a job that is cancelled has no result, stays cancelled whatever comes back, and can be cancelled again",
    async run(harness) {
      const gate = harness.gate();
      const accepted = await harness.jobs.submit({ entry: "gated", payload: { gate } });
      const cancelled = await harness.jobs.cancel(accepted.id);
      deepStrictEqual([cancelled.state, cancelled.error?.code], ["cancelled", "daemon.job-cancelled"]);
      harness.open(gate);
      strictEqual(
        (await ended(harness, await harness.jobs.submit({ entry: "double", payload: 1 }))).result,
        2,
      );
      deepStrictEqual(await harness.jobs.cancel(accepted.id), cancelled);
    },
  },
  {
    claim:
      "a job that is cancelled or expires while it runs is stopped: as many endless ones as one likes leave room for others",
    async run(harness) {
      const endless = (): Promise<JobView> => harness.jobs.submit({ entry: "endless", payload: null });
      for (let turn = 0; turn < 2; turn++) {
        const all = await Promise.all(Array.from({ length: ENDLESS }, endless));
        for (const { id } of all) strictEqual((await harness.jobs.cancel(id)).state, "cancelled");
      }
      const late = await harness.jobs.submit({ entry: "endless", payload: null, deadlineMs: 30 });
      strictEqual((await ended(harness, late)).state, "expired");
      strictEqual(
        (await ended(harness, await harness.jobs.submit({ entry: "double", payload: 3 }))).result,
        6,
      );
    },
  },
  {
    claim: "cancelling a job that has ended changes nothing",
    async run(harness) {
      const end = await ended(harness, await harness.jobs.submit({ entry: "double", payload: 4 }));
      deepStrictEqual(await harness.jobs.cancel(end.id), end);
    },
  },
  {
    claim: "a job that has not ended at its deadline has expired",
    async run(harness) {
      const gate = harness.gate();
      const accepted = await harness.jobs.submit({ entry: "gated", payload: { gate }, deadlineMs: 30 });
      const end = await ended(harness, accepted);
      deepStrictEqual([end.state, end.error?.code], ["expired", "daemon.job-expired"]);
      ok((end.endedMs ?? 0) >= (end.deadlineMs ?? Number.POSITIVE_INFINITY));
      harness.open(gate);
    },
  },
  {
    claim: "wait returns the job as it stands when its time is over",
    async run(harness) {
      const gate = harness.gate();
      const accepted = await harness.jobs.submit({ entry: "gated", payload: { gate } });
      for (const timeoutMs of [0, 20])
        strictEqual((await harness.jobs.wait(accepted.id, timeoutMs)).state, "pending");
      harness.open(gate);
      strictEqual((await ended(harness, accepted)).result, "through");
    },
  },
  {
    claim: "watch shows the job as it stands and ends with its end, also of one that has ended before",
    async run(harness) {
      const gate = harness.gate();
      const accepted = await harness.jobs.submit({ entry: "gated", payload: { gate } });
      const states: string[] = [];
      for await (const view of harness.jobs.watch(accepted.id)) {
        states.push(view.state);
        harness.open(gate);
      }
      deepStrictEqual(states, ["pending", "succeeded"]);
      const after: JobView[] = [];
      for await (const view of harness.jobs.watch(accepted.id)) after.push(view);
      deepStrictEqual(after, [await harness.jobs.status(accepted.id)]);
    },
  },
];

const looking: readonly JobProtocolCase[] = [
  {
    claim: "jobs are listed in the order they were accepted, page by page, by state, and without results",
    async run(harness) {
      const gate = harness.gate();
      const submit = (entry: string): Promise<JobView> => harness.jobs.submit({ entry, payload: { gate } });
      const before = await submit("echo");
      const mine = [await submit("gated"), await submit("gated"), await submit("gated")];
      const ids = mine.map(({ id }) => id);
      const first = await harness.jobs.list({ after: before.id, limit: 2 });
      deepStrictEqual(
        first.map(({ id }) => id),
        ids.slice(0, 2),
      );
      const rest = await harness.jobs.list({ after: ids[1] as string, state: "pending" });
      ok(rest.some(({ id }) => id === ids[2]) && rest.every(({ state }) => state === "pending"));
      harness.open(gate);
      for (const each of mine) await ended(harness, each);
      const done = await harness.jobs.list({ after: before.id, state: "succeeded", limit: 3 });
      deepStrictEqual(
        done.map(({ id, result }) => [id, result]),
        ids.map((id) => [id, undefined]),
      );
    },
  },
  {
    claim: "what is malformed or unknown is refused by its type, and nothing is accepted",
    async run({ jobs }) {
      const before = (await jobs.list({ limit: 1000 })).length;
      const submit = (more: object): Promise<JobView> =>
        jobs.submit({ entry: "double", payload: 1, ...more });
      for (const more of [
        { entry: "" },
        { entry: "a b" },
        { key: "" },
        { key: "k".repeat(129) },
        { key: "line\nbreak" },
        { priority: 1_000_001 },
        { deadlineMs: 0 },
        { deadlineMs: 604_800_001 },
        { lineage: [""] },
        { lineage: Array.from({ length: 65 }, () => "x") },
        { traceparent: "00-nonsense" },
        { payload: "x".repeat(1_048_576) },
      ])
        await refused(submit(more), "daemon.job-malformed");
      const unknown = "0".repeat(32);
      for (const call of [jobs.status, jobs.cancel, (id: string) => jobs.wait(id, 0)]) {
        await refused(call(unknown), "daemon.job-unknown");
        await refused(call("nonsense"), "daemon.job-malformed");
      }
      await refused(jobs.list({ after: unknown }), "daemon.job-unknown");
      await refused(jobs.list({ limit: 1001 }), "daemon.job-malformed");
      await refused(jobs.wait(unknown, 60_001), "daemon.job-malformed");
      strictEqual((await jobs.list({ limit: 1000 })).length, before);
    },
  },
];

/** Every claim. */
export const jobProtocolContract: readonly JobProtocolCase[] = [...running, ...keys, ...ends, ...looking];
