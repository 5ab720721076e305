/** Durable jobs over a store of keys in memory: restarts, bounds, what a full disk does, and random courses against a model. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { KeyValue, Timers } from "@glia-os/abi/ports";
import { createMemoryMeter } from "@glia-os/host";
import { createMemoryKeyValue } from "@glia-os/store/key-value-memory";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ATTEMPTS_MAX,
  DurableJobs,
  ENDED_MAX,
  ENDED_MS,
  PENDING_BYTES,
  PENDING_MAX,
} from "../../src/jobs/durable-jobs.ts";
import { createLedger, createSqliteLedger, type JobLedger } from "../../src/jobs/job-ledger.ts";
import type { JobRequest } from "../../src/node-views.ts";

/** A node's jobs that can be stopped at any time, on a disk that stays. */
class Bench {
  readonly store: KeyValue = createMemoryKeyValue();
  readonly runs: { readonly job: JobRequest; readonly end: PromiseWithResolvers<unknown> }[] = [];
  readonly cancelled: string[] = [];
  readonly timers: { readonly atMs: number; readonly run: () => void }[] = [];
  wallMs = 1_000_000;
  failWrites = false;

  async start(): Promise<DurableJobs> {
    const stored = createLedger(this.store);
    const ledger: JobLedger = {
      ...stored,
      write: async (row) => {
        if (this.failWrites) throw new RangeError("the disk is full");
        await stored.write(row);
      },
      close: async () => {},
    };
    const jobs = new DurableJobs({
      ledger,
      clock: { wallMs: () => this.wallMs, monotonicMs: () => this.wallMs } as never,
      timers: { schedule: (ms: number, run: () => void) => this.#schedule(ms, run) } as unknown as Timers,
      logger: { log: () => {}, child: () => this as never },
      meter: createMemoryMeter(),
      tracer: undefined,
      run: (job) => {
        const end = Promise.withResolvers<unknown>();
        this.runs.push({ job, end });
        return end.promise;
      },
      cancel: (id) => this.cancelled.push(id),
    });
    await jobs.open();
    return jobs;
  }

  /** Let time pass, and the timers that are due run. */
  pass(ms: number): void {
    this.wallMs += ms;
    for (const timer of this.timers.splice(0))
      if (timer.atMs <= this.wallMs) timer.run();
      else this.timers.push(timer);
  }

  #schedule(ms: number, run: () => void): { cancel(): void } {
    const timer = { atMs: this.wallMs + ms, run };
    this.timers.push(timer);
    return { cancel: () => void this.timers.splice(this.timers.indexOf(timer) >>> 0, 1) };
  }
}

const work = (payload: unknown = 1, key?: string) => ({
  entry: "work",
  payload,
  ...(key === undefined ? {} : { key }),
});

describe("durable jobs", () => {
  test("DJ2: what had not ended is begun again at the next start, under its id; what had ended is not", async () => {
    const bench = new Bench();
    const before = await bench.start();
    const done = await before.acceptJob(work("done", "a"));
    const open = await before.acceptJob(work("open", "b"));
    bench.runs[0]?.end.resolve(7);
    await before.jobChange(done.id, 1, 1000);
    await before.stop();
    bench.runs[1]?.end.resolve("too late: the node has stopped");
    const after = await bench.start();
    expect(bench.runs.map(({ job }) => [job.id, job.payload])).toEqual([
      [done.id, "done"],
      [open.id, "open"],
      [open.id, "open"],
    ]);
    expect(await after.job(done.id)).toMatchObject({ state: "succeeded", result: 7, attempt: 1 });
    expect(await after.job(open.id)).toMatchObject({ state: "pending", attempt: 1, version: 1 });
    expect(await after.acceptJob(work("open", "b"))).toMatchObject({ id: open.id, attempt: 1 });
    expect(await after.acceptJob(work("other", "b")).catch(errorCodeOf)).toBe("daemon.job-key-reused");
  });

  test("DJ2, JL3: no number of orderly stops uses up the attempts of what waits; each end without one is an attempt", async () => {
    const bench = new Bench();
    let jobs = await bench.start();
    const { id } = await jobs.acceptJob(work());
    for (let restart = 0; restart < 2 * ATTEMPTS_MAX; restart++) {
      await jobs.stop();
      jobs = await bench.start();
    }
    expect(await jobs.job(id)).toMatchObject({ state: "pending", attempt: 1 });
    jobs = await bench.start();
    expect(await jobs.job(id)).toMatchObject({ state: "pending", attempt: 2, version: 2 });
    await jobs.stop();
    await bench.start();
    expect(await (await bench.start()).job(id)).toMatchObject({ state: "pending", attempt: 3 });
  });

  test("DJ2: a job that ended its node five times has failed, and is not begun a sixth time", async () => {
    const bench = new Bench();
    const { id } = await (await bench.start()).acceptJob(work());
    for (let restart = 0; restart < 4; restart++) await bench.start();
    expect(bench.runs).toHaveLength(5);
    const jobs = await bench.start();
    expect(bench.runs).toHaveLength(5);
    expect(await jobs.job(id)).toMatchObject({
      state: "failed",
      attempt: 5,
      error: { code: "daemon.job-failed" },
    });
  });

  test("DJ2: a deadline that passed while the node was stopped counts at its next start", async () => {
    const bench = new Bench();
    const { id } = await (await bench.start()).acceptJob({ ...work(), deadlineMs: 5000 });
    bench.wallMs += 6000;
    const jobs = await bench.start();
    expect(bench.runs).toHaveLength(1);
    expect(await jobs.job(id)).toMatchObject({
      state: "expired",
      attempt: 1,
      error: { code: "daemon.job-expired" },
    });
  });

  test("DJ3: a job that expired or was cancelled keeps that end on the disk too, whatever comes back", async () => {
    const bench = new Bench();
    const jobs = await bench.start();
    const late = await jobs.acceptJob({ ...work("late"), deadlineMs: 10 });
    const unwanted = await jobs.acceptJob(work("unwanted"));
    bench.pass(10);
    await jobs.jobChange(late.id, 1, 1000);
    await jobs.cancelJob(unwanted.id);
    for (const { end } of bench.runs) end.resolve("after all");
    await Promise.all(bench.runs.map(({ end }) => end.promise));
    expect(bench.cancelled.sort()).toEqual([late.id, unwanted.id].sort());
    const again = await bench.start();
    expect([(await again.job(late.id)).state, (await again.job(unwanted.id)).state]).toEqual([
      "expired",
      "cancelled",
    ]);
    expect(bench.runs).toHaveLength(2);
  });

  test("DJ4: jobs that have not ended are bounded by number and by bytes", async () => {
    const bench = new Bench();
    const jobs = await bench.start();
    const large = "x".repeat(1_000_000);
    let bytes = 0;
    for (; bytes + large.length <= PENDING_BYTES; bytes += large.length + 2)
      await jobs.acceptJob(work(large));
    expect(await jobs.acceptJob(work(large)).catch(errorCodeOf)).toBe("daemon.jobs-full");
    while (bench.runs.length < PENDING_MAX) await jobs.acceptJob(work());
    expect(await jobs.acceptJob(work()).catch(errorCodeOf)).toBe("daemon.jobs-full");
    const [first] = await jobs.listJobs({ limit: 1 });
    await jobs.cancelJob(first?.id ?? "");
    expect((await jobs.acceptJob(work())).state).toBe("pending");
  });

  test("DJ4: ended jobs are forgotten after a day, and beyond a thousand; their rows and keys with them", async () => {
    const bench = new Bench();
    const jobs = await bench.start();
    const old = await jobs.acceptJob(work(0, "key"));
    await jobs.cancelJob(old.id);
    bench.pass(ENDED_MS + 1);
    const next = await jobs.acceptJob(work());
    await jobs.cancelJob(next.id);
    expect(await jobs.job(old.id).catch(errorCodeOf)).toBe("daemon.job-unknown");
    expect((await jobs.acceptJob(work("free again", "key"))).id).toBe(old.id);
    for (let at = 0; at < ENDED_MAX; at++) await jobs.cancelJob((await jobs.acceptJob(work(at))).id);
    expect(await jobs.job(next.id).catch(errorCodeOf)).toBe("daemon.job-unknown");
    expect(await bench.store.list("job/", "", 10_000)).toHaveLength(ENDED_MAX + 1);
  });

  test("DJ5: a job whose row cannot be written is refused and not run; an end that cannot be written is told, and the job runs again", async () => {
    const bench = new Bench();
    const jobs = await bench.start();
    const { id } = await jobs.acceptJob(work(1, "kept"));
    bench.failWrites = true;
    await expect(jobs.acceptJob(work(2, "lost"))).rejects.toThrow("the disk is full");
    expect(bench.runs).toHaveLength(1);
    bench.runs[0]?.end.resolve("done");
    expect(await jobs.jobChange(id, 1, 1000)).toMatchObject({ state: "succeeded", result: "done" });
    bench.failWrites = false;
    expect((await jobs.acceptJob(work(2, "lost"))).state).toBe("pending");
    const again = await bench.start();
    expect(await again.job(id)).toMatchObject({ state: "pending", attempt: 2 });
  });

  test("JL2: a row that is no job, or of another format, is left and the others are taken", async () => {
    const bench = new Bench();
    const { id } = await (await bench.start()).acceptJob(work());
    await bench.store.put("job/rubbish", Buffer.from("{"), 0);
    await bench.store.put("job/newer", Buffer.from('{"format":2,"id":"newer"}'), 0);
    const jobs = await bench.start();
    expect((await jobs.listJobs()).map((view) => view.id)).toEqual([id]);
    expect(await bench.store.get("job/newer")).toBeDefined();
  });

  test("a ledger in a file makes no file before the first job", async () => {
    const ledger = createSqliteLedger("/nonexistent/folder/jobs.db");
    expect(await ledger.load()).toEqual({ rows: [], unreadable: 0, inOrder: false });
    await ledger.leave();
    await ledger.close();
  });

  test("over any course of submissions, ends, cancellations and restarts each key is one job with one end, and none is lost", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("submit" as const), key: fc.nat(4) }),
      fc.record({ kind: fc.constant("end" as const), run: fc.nat(20) }),
      fc.record({ kind: fc.constant("cancel" as const), key: fc.nat(4) }),
      fc.record({ kind: fc.constant("restart" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const bench = new Bench();
        let jobs = await bench.start();
        const ends = new Map<string, unknown>();
        const ids = new Map<number, string>();
        for (const each of steps) {
          if (each.kind === "submit") {
            const { id } = await jobs.acceptJob(work(each.key, `key ${each.key}`));
            expect(ids.get(each.key) ?? id).toBe(id);
            ids.set(each.key, id);
          } else if (each.kind === "end") bench.runs[each.run]?.end.resolve(each.run);
          else if (each.kind === "cancel" && ids.has(each.key)) await jobs.cancelJob(ids.get(each.key) ?? "");
          else if (each.kind === "restart") {
            await jobs.stop();
            jobs = await bench.start();
          }
          await new Promise((resolve) => setImmediate(resolve));
          for (const id of ids.values()) {
            const { state, result, version } = await jobs.job(id);
            const end = { state, result, version };
            if (state === "pending") expect(ends.has(id)).toBe(false);
            else if (ends.has(id)) expect(end).toEqual(ends.get(id));
            else ends.set(id, end);
          }
        }
        const open = [...ids.values()].filter((id) => !ends.has(id));
        for (const id of open) expect(bench.runs.some(({ job }) => job.id === id)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
