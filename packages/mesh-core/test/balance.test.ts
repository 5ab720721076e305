/** Balancing: jobs settle once wherever they run, thieves take tails, the overloaded give away, the dead give back. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { CancelSignal, JobEnvelope, JobQueue } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BalancePeers, UNHEALTHY_AFTER, UNHEALTHY_MS } from "../src/balance/balance-peers.ts";
import { Balancer, type BalancerOptions } from "../src/balance/balancer.ts";
import { createEngineQueue, WAITING_JOBS_MAX } from "../src/balance/engine-queue.ts";
import { ATTEMPTS_MAX, POLL_MS } from "../src/balance/given-jobs.ts";
import { CPU_MAX, isIdle, isOverloaded, type Load, MEMORY_FREE_MIN } from "../src/balance/load.ts";
import {
  JOB_HOPS_MAX,
  JOB_METHODS,
  JSON_CODEC,
  readDone,
  readGive,
  readHeld,
  readLoad,
  readLoot,
  readSteal,
  STEAL_MAX,
  statusBody,
  stealBody,
} from "../src/balance/messages.ts";
import { encodeCbor } from "../src/index.ts";
import type { NodeRole } from "../src/mesh-types.ts";
import { rendezvous } from "../src/registry/rendezvous.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { cheapSigner } from "./overlay-nodes.ts";

interface Node {
  readonly id: NodeId;
  readonly balancer: Balancer;
  readonly queue: JobQueue;
  readonly ran: string[];
  /** Jobs whose engine was told to stop. */
  readonly stopped: string[];
  load: Pick<Load, "cpu" | "memoryFree">;
}

const JOB_MS = 400;

/** Nodes whose engine takes 400 virtual milliseconds per job and doubles a number. */
class Nodes {
  readonly time = new VirtualTime();
  readonly network: CallNetwork;
  readonly nodes: Node[] = [];

  constructor(count: number, more: (n: number) => Partial<BalancerOptions> = () => ({}), slots = 2) {
    this.network = new CallNetwork(this.time, 1);
    for (let n = 0; n < count; n++) this.#add(n, more(n), slots);
  }

  node(n: number): Node {
    const node = this.nodes[n];
    if (node === undefined) throw new RangeError(`no node ${n}`);
    return node;
  }

  kill(node: Node): void {
    this.network.leave(node.id);
    node.balancer.stop();
    for (const { balancer } of this.nodes) balancer.gone(node.id);
  }

  start(): void {
    for (const { balancer } of this.nodes) balancer.start();
  }

  stop(): void {
    for (const { balancer } of this.nodes) balancer.stop();
  }

  #add(n: number, more: Partial<BalancerOptions>, slots: number): void {
    const id = idOf(cheapSigner(n));
    const [ran, stopped]: [string[], string[]] = [[], []];
    const run = async <Result>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result> => {
      ran.push(job.id);
      await new Promise<void>((resolve, reject) => {
        const end = this.time.schedule(JOB_MS, resolve);
        cancel?.onCancel((why) => {
          end.cancel();
          stopped.push(job.id);
          reject(why);
        });
      });
      if (job.entry === "fails") throw new RangeError("no");
      return { doubled: (job.payload as number) * 2, origin: job.origin, lineage: job.lineage } as Result;
    };
    const queue = createEngineQueue({ engine: { run }, slots });
    const node: Node = {
      id,
      queue,
      ran,
      stopped,
      load: { cpu: undefined, memoryFree: undefined },
      balancer: undefined as never,
    };
    const balancer = new Balancer({
      self: id,
      clock: this.time,
      timers: this.time,
      random: new SeededRandom(n),
      queue,
      peers: () =>
        this.nodes.map((other) => other.id).filter((other) => other !== id && this.network.has(other)),
      call: this.network.caller(id, "core"),
      machine: () => node.load,
      ...more,
    });
    Object.assign(node, { balancer });
    this.nodes.push(node);
    this.network.join(id, "core", balancer.methods());
  }
}

const job = (n: number, entry = "double"): JobEnvelope => ({
  id: `job-${n}`,
  origin: "asker",
  lineage: ["root", "branch"],
  entry,
  payload: n,
});
const ended = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => (value as { doubled?: number }).doubled,
    (error: unknown) => errorCodeOf(error),
  );

describe("a queue in front of an engine", () => {
  it("starts higher priorities first, and gives up only what has not started, from the tail", async () => {
    const order: string[] = [];
    const gates: (() => void)[] = [];
    const run = async <Result>({ id }: JobEnvelope): Promise<Result> => {
      order.push(id);
      await new Promise<void>((resolve) => gates.push(resolve));
      return id as Result;
    };
    const queue = createEngineQueue({ engine: { run }, slots: 1 });
    const all = [
      queue.submit(job(0)),
      queue.submit(job(1)),
      queue.submit(job(2), 5),
      queue.submit(job(3)),
      queue.submit(job(4), -1),
    ];
    expect([queue.running, queue.waiting]).toEqual([1, 4]);
    const taken = queue.takeTail(2);
    expect(taken.map((one) => one.job.id)).toEqual(["job-4", "job-3"]);
    for (const one of taken) one.resolve(`elsewhere ${one.job.id}`);
    for (let i = 0; i < 3; i++) {
      gates.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await Promise.all(all)).toEqual(["job-0", "job-1", "job-2", "elsewhere job-3", "elsewhere job-4"]);
    expect(order).toEqual(["job-0", "job-2", "job-1"]);
  });

  it("JQ3: refuses what does not fit", async () => {
    const queue = createEngineQueue({
      engine: { run: () => new Promise(() => undefined) },
      slots: 1,
      maxWaiting: 2,
    });
    void queue.submit(job(0));
    void queue.submit(job(1));
    void queue.submit(job(2));
    await expect(queue.submit(job(3))).rejects.toMatchObject({ code: "overlay.limit" });
    expect(WAITING_JOBS_MAX).toBe(10_000);
  });
});

describe("cancelling", () => {
  const why = new RangeError("not wanted any more");
  const isJob =
    (n: number) =>
    ({ id }: JobEnvelope): boolean =>
      id === `job-${n}`;
  const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

  it("JQ4: one that waits never starts, one that runs is stopped, and both end with the reason at once", async () => {
    const nodes = new Nodes(1, () => ({}), 1);
    const node = nodes.node(0);
    const [runs, waits, other] = [0, 1, 2].map((n) => settled(node.queue.submit(job(n))));
    expect(node.queue.cancel(isJob(0), why) + node.queue.cancel(isJob(1), why)).toBe(2);
    expect(node.queue.cancel(isJob(0), why)).toBe(0);
    expect([await runs, await waits]).toEqual([why, why]);
    expect(await nodes.time.settle(other as Promise<unknown>)).toMatchObject({ doubled: 4 });
    expect([node.ran, node.stopped]).toEqual([["job-0", "job-2"], ["job-0"]]);
    nodes.stop();
  });

  it("JQ4: an engine that does not stop keeps its place until it ends, and its end is not heard", async () => {
    const ends: (() => void)[] = [];
    const run = <Result>(): Promise<Result> =>
      new Promise<Result>((resolve) => ends.push(() => resolve(1 as Result)));
    const queue = createEngineQueue({ engine: { run }, slots: 1 });
    const [first, second] = [settled(queue.submit(job(0))), settled(queue.submit(job(1)))];
    queue.cancel(isJob(0), why);
    expect([await first, queue.running, queue.waiting]).toEqual([why, 1, 1]);
    ends[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    ends[1]?.();
    expect([await second, queue.running]).toEqual([1, 0]);
  });

  it("BA4: a job is stopped on the node that it was given to, and on the one that stole it", async () => {
    const nodes = new Nodes(3, () => ({}), 1);
    const [first, second] = [nodes.node(0), nodes.node(1)];
    const given = settled(first.balancer.submit(job(7), { kind: "hash", key: hashFor(nodes, 1) }));
    await nodes.time.advanceUntil(() => second.ran.includes("job-7"), 1000);
    expect(first.balancer.cancel(isJob(7), why)).toBe(1);
    expect(await given).toBe(why);
    await nodes.time.advance(100);
    expect([second.stopped, second.queue.running, first.balancer.stats().given]).toEqual([["job-7"], 0, 0]);
    const [kept, loot] = [8, 9].map((n) => settled(first.balancer.submit(job(n))));
    await nodes.time.advance(0);
    await nodes.time.settle(second.balancer.balance());
    expect(second.ran).toContain("job-9");
    expect(first.balancer.cancel(isJob(9), why)).toBe(1);
    expect(await loot).toBe(why);
    await nodes.time.advance(100);
    expect(second.stopped).toEqual(["job-7", "job-9"]);
    expect(await nodes.time.settle(kept as Promise<unknown>)).toMatchObject({ doubled: 16 });
    nodes.stop();
  });

  it("BA4: a job that is cancelled on its way, or while a place is looked for, is not left running anywhere", async () => {
    for (const when of ["placing", "on its way", "refused"]) {
      const nodes = new Nodes(2, (n) => ({ features: n === 1 ? ["gpu"] : [] }), 1);
      const [first, second] = [nodes.node(0), nodes.node(1)];
      const route = { kind: "features", features: ["gpu"] } as const;
      if (when !== "placing") await nodes.time.settle(first.balancer.submit(job(1), route));
      if (when === "refused") second.load = { cpu: 0.99, memoryFree: undefined };
      const result = settled(first.balancer.submit(job(2), route));
      for (let turn = 0; turn < 5 && when !== "placing"; turn++) await Promise.resolve();
      expect(first.balancer.cancel(isJob(2), why), when).toBe(1);
      await nodes.time.advance(5000);
      expect(await nodes.time.settle(result), when).toBe(why);
      expect([first.ran, first.queue.running, second.queue.running]).toEqual([[], 0, 0]);
      expect(second.stopped.length, when).toBe(second.ran.includes("job-2") ? 1 : 0);
      nodes.stop();
    }
  });

  it("GJ4: a node whose answers are lost is asked again, and hears it when it is back", async () => {
    const nodes = new Nodes(2);
    const [first, second] = [nodes.node(0), nodes.node(1)];
    const result = settled(first.balancer.submit(job(1), { kind: "hash", key: hashFor(nodes, 1) }));
    await nodes.time.advanceUntil(() => second.ran.length === 1, 1000);
    let asked = 0;
    nodes.network.passes = (_from, _to, method) => method !== JOB_METHODS.cancel || ++asked > 1;
    first.balancer.cancel(isJob(1), why);
    expect(await result).toBe(why);
    expect(first.balancer.cancel(isJob(1), why)).toBe(0);
    await nodes.time.advance(30_000);
    expect(asked).toBeGreaterThan(1);
    expect(second.queue.running).toBe(0);
    nodes.stop();
  });

  it("HJ4: nobody but the giver can have a job stopped", async () => {
    const nodes = new Nodes(3);
    const [first, second] = [nodes.node(0), nodes.node(1)];
    const result = settled(first.balancer.submit(job(3), { kind: "hash", key: hashFor(nodes, 1) }));
    await nodes.time.advanceUntil(() => second.ran.length === 1, 1000);
    const stranger = nodes.network.caller(nodes.node(2).id, "core");
    for (let ticket = 0; ticket < 4; ticket++)
      expect(
        readHeld(await nodes.time.settle(stranger(second.id, JOB_METHODS.cancel, statusBody(ticket)))),
      ).toBe(false);
    expect(await nodes.time.settle(result)).toMatchObject({ doubled: 6 });
    expect(second.stopped).toEqual([]);
    nodes.stop();
  });
});

describe("load", () => {
  const load: Load = { waiting: 0, running: 0, slots: 4, cpu: 0.1, memoryFree: 0.5, features: [] };
  it("LO1: any one of processor, depth and memory makes a node overloaded, and nothing unmeasured does", () => {
    expect([isOverloaded(load), isIdle(load)]).toEqual([false, true]);
    expect(isOverloaded({ ...load, cpu: CPU_MAX })).toBe(true);
    expect(isOverloaded({ ...load, memoryFree: MEMORY_FREE_MIN - 0.001 })).toBe(true);
    expect([isOverloaded({ ...load, waiting: 31 }), isOverloaded({ ...load, waiting: 32 })]).toEqual([
      false,
      true,
    ]);
    expect(isOverloaded({ ...load, cpu: undefined, memoryFree: undefined })).toBe(false);
    expect(isIdle({ ...load, running: 4 })).toBe(false);
  });

  it("BP1 and BP2: the nearest come first, and one that fails three times is left alone for a while", async () => {
    const time = new VirtualTime();
    const [a, b, c] = [0, 1, 2].map((n) => idOf(cheapSigner(n))) as [NodeId, NodeId, NodeId];
    const peers = new BalancePeers(time, () => [a, b, c]);
    peers.answered(b, 5);
    peers.answered(a, 50);
    expect(peers.healthy()).toEqual([b, a, c]);
    for (let i = 0; i < UNHEALTHY_AFTER; i++) peers.failed(b);
    expect(peers.healthy()).toEqual([a, c]);
    await time.advance(UNHEALTHY_MS);
    expect(peers.healthy()).toEqual([b, a, c]);
  });
});

describe("routing jobs", () => {
  it("by hash to the same node from everywhere, with origin and lineage kept and errors carried", async () => {
    const nodes = new Nodes(5);
    const key = "5a".repeat(32);
    const owner = rendezvous(
      key,
      nodes.nodes.map(({ id }) => id),
      1,
    )[0];
    for (const { balancer } of nodes.nodes) {
      const result = await nodes.time.settle(balancer.submit(job(21), { kind: "hash", key }));
      expect(result).toEqual({ doubled: 42, origin: "asker", lineage: ["root", "branch"] });
    }
    for (const { id, ran } of nodes.nodes) expect(ran.length).toBe(id === owner ? 5 : 0);
    const other = nodes.nodes.find(({ id }) => id !== owner) as Node;
    await expect(
      nodes.time.settle(other.balancer.submit(job(1, "fails"), { kind: "hash", key })),
    ).rejects.toThrow("no");
    nodes.stop();
  });

  it("by features to a node that has them all, and to nobody else", async () => {
    const nodes = new Nodes(4, (n) => ({ features: n === 2 ? ["gpu", "big"] : n === 3 ? ["gpu"] : [] }));
    const route = { kind: "features", features: ["gpu", "big"] } as const;
    expect(await nodes.time.settle(ended(nodes.node(0).balancer.submit(job(4), route)))).toBe(8);
    expect(nodes.nodes.map(({ ran }) => ran.length)).toEqual([0, 0, 1, 0]);
    const nowhere = nodes.node(0).balancer.submit(job(4), { kind: "features", features: ["tpu"] });
    expect(await nodes.time.settle(ended(nowhere))).toBe("overlay.job-refused");
    nodes.stop();
  });

  it("by load to the less loaded of a few", async () => {
    const nodes = new Nodes(3);
    const waits = Array.from({ length: 12 }, (_, n) => nodes.node(0).queue.submit(job(n)));
    expect(await nodes.time.settle(ended(nodes.node(0).balancer.submit(job(50), { kind: "load" })))).toBe(
      100,
    );
    expect(nodes.node(0).ran).not.toContain("job-50");
    await nodes.time.settle(Promise.all(waits));
    nodes.stop();
  });
});

describe("stealing and giving away", () => {
  it("BA2: idle nodes take the tail of a loaded one, and every job settles once with its result", async () => {
    const nodes = new Nodes(4);
    nodes.start();
    const results = Array.from({ length: 60 }, (_, n) => ended(nodes.node(0).balancer.submit(job(n))));
    expect(await nodes.time.settle(Promise.all(results))).toEqual(
      Array.from({ length: 60 }, (_, n) => 2 * n),
    );
    const ran = nodes.nodes.flatMap((node) => node.ran);
    expect([ran.length, new Set(ran).size]).toEqual([60, 60]);
    expect(
      nodes.nodes.slice(1).reduce((sum, { balancer }) => sum + balancer.stats().stolen, 0),
    ).toBeGreaterThan(10);
    expect(nodes.node(1).balancer.stats().origins).toEqual({ asker: nodes.node(1).ran.length });
    expect(nodes.node(0).ran[0]).toBe("job-0");
    nodes.stop();
  });

  it("a node whose processor or memory is used up gives its tail away and takes nothing", async () => {
    for (const load of [
      { cpu: 0.95, memoryFree: undefined },
      { cpu: undefined, memoryFree: 0.01 },
    ]) {
      const nodes = new Nodes(3, () => ({}), 1);
      nodes.node(0).load = load;
      nodes.start();
      const results = Array.from({ length: 12 }, (_, n) => ended(nodes.node(0).balancer.submit(job(n))));
      expect(await nodes.time.settle(Promise.all(results))).toEqual(
        Array.from({ length: 12 }, (_, n) => 2 * n),
      );
      expect(nodes.node(0).balancer.stats().forwarded + nodes.node(0).balancer.stats().lost).toBeGreaterThan(
        2,
      );
      const given = ended(nodes.node(1).balancer.submit(job(7), { kind: "hash", key: hashFor(nodes, 0) }));
      expect(await nodes.time.settle(given)).toBe(14);
      expect(nodes.node(0).ran).not.toContain("job-7");
      nodes.stop();
    }
  });

  it("a thief gets only what it can run, never more than asked, and a client gets nothing", async () => {
    const nodes = new Nodes(2, (n) => (n === 0 ? { features: ["gpu"] } : {}), 1);
    const [victim, thief] = [nodes.node(0), nodes.node(1)];
    for (let n = 0; n < 4; n++) void ended(victim.balancer.submit(job(n)));
    for (let n = 4; n < 8; n++)
      void ended(victim.balancer.submit(job(n), { kind: "features", features: ["gpu"] }));
    await nodes.time.advance(0);
    const steal = (role: NodeRole, count: number): Promise<Uint8Array> =>
      nodes.time.settle(
        nodes.network.caller(thief.id, role)(victim.id, JOB_METHODS.steal, stealBody(count, [])),
      );
    expect(readLoot(await steal("core", 2), JSON_CODEC).map((parcel) => parcel.job.id)).toEqual([
      "job-3",
      "job-2",
    ]);
    expect(
      readLoot(await steal("core", STEAL_MAX), JSON_CODEC).every(
        ({ features, hops }) => features.length === 0 && hops === 1,
      ),
    ).toBe(true);
    expect(victim.queue.waiting).toBeGreaterThanOrEqual(3);
    await expect(steal("client", 1)).rejects.toMatchObject({ code: "overlay.job-refused" });
    nodes.stop();
  });
});

function hashFor(nodes: Nodes, n: number): string {
  const ids = nodes.nodes.map(({ id }) => id);
  for (let i = 0; ; i++) {
    const key = i.toString(16).padStart(64, "0");
    if (rendezvous(key, ids, 1)[0] === nodes.node(n).id) return key;
  }
}

describe("when things break", () => {
  it("GJ2: the jobs of a node that dies run again elsewhere", async () => {
    const nodes = new Nodes(3);
    const key = hashFor(nodes, 2);
    const results = Array.from({ length: 6 }, (_, n) =>
      ended(nodes.node(0).balancer.submit(job(n), { kind: "hash", key })),
    );
    await nodes.time.advance(300);
    expect(nodes.node(2).ran.length).toBeGreaterThan(0);
    nodes.kill(nodes.node(2));
    expect(await nodes.time.settle(Promise.all(results))).toEqual([0, 2, 4, 6, 8, 10]);
    nodes.stop();
  });

  it("an answer that was lost is asked for: a job that never arrived runs here, one that did is not doubled", async () => {
    for (const lost of ["question", "answer"]) {
      const nodes = new Nodes(2);
      const key = hashFor(nodes, 1);
      let cut = true;
      nodes.network.passes = (from, _to, method) =>
        !(cut && method === JOB_METHODS.give && (lost === "question" || from === nodes.node(1).id));
      if (lost === "answer")
        nodes.network.passes = (_from, _to, method) => !(cut && method === JOB_METHODS.done);
      const result = ended(nodes.node(0).balancer.submit(job(3), { kind: "hash", key }));
      await nodes.time.advance(1500);
      cut = false;
      expect(await nodes.time.settle(result)).toBe(6);
      expect(nodes.nodes.flatMap((node) => node.ran)).toEqual(["job-3"]);
      nodes.stop();
    }
  });

  it("GJ2 and GJ3: a job whose nodes die one after the other ends unknown, and a stranger cannot settle it", async () => {
    const nodes = new Nodes(1 + ATTEMPTS_MAX, (n) => ({ features: n === 0 ? [] : ["gpu"] }));
    const first = nodes.node(0);
    const result = ended(first.balancer.submit(job(1), { kind: "features", features: ["gpu"] }));
    await nodes.time.advanceUntil(() => first.balancer.stats().given === 1, 5000);
    const forged = encodeCbor([1, 1, true, JSON_CODEC.encode({ doubled: 666 })]);
    void nodes.network
      .caller(idOf(cheapSigner(99)), "core")(first.id, JOB_METHODS.done, forged)
      .catch(() => undefined);
    await nodes.time.advance(100);
    expect(first.balancer.stats().given).toBe(1);
    for (const node of nodes.nodes.slice(1)) nodes.kill(node);
    expect(await nodes.time.settle(result)).toBe("overlay.job-refused");
    const again = new Nodes(2);
    const lost = ended(again.node(0).balancer.submit(job(1), { kind: "hash", key: hashFor(again, 1) }));
    await again.time.advance(100);
    again.node(0).balancer.stop();
    expect(await again.time.settle(lost)).toBe("overlay.job-unknown");
    expect(POLL_MS).toBeGreaterThan(0);
  });

  it("rubbish is refused with a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const readers = [
          (b: Uint8Array) => readGive(b, JSON_CODEC),
          (b: Uint8Array) => readLoot(b, JSON_CODEC),
          readSteal,
          readDone,
          readLoad,
        ];
        for (const read of readers)
          try {
            read(bytes);
          } catch (error) {
            expect(errorCodeOf(error)).toBe("mesh.malformed-message");
          }
      }),
    );
    expect(JOB_HOPS_MAX).toBe(4);
  });
});
