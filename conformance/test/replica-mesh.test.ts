/** A journal on three nodes that are processes: files, sessions over mutual TLS, and kill -9. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeId } from "@glia-os/abi/ids";
import { etcdMissing, startEtcd } from "@glia-os/servers/etcd";
import { expect, onTestFinished, test } from "vitest";
import type { Order } from "./replica-node.ts";

interface Notice {
  readonly did?: string;
  readonly failed?: string;
  readonly code?: string;
  readonly acknowledged?: number;
  readonly node?: NodeId;
  readonly line?: string;
  readonly next?: number;
  readonly records?: readonly string[];
  readonly following?: number;
}

/**
 * What a member is told when others are silent for the time of one call, dead or only slow: nothing was decided, and it asks again, as the
 * page of the replicated journal says.
 */
const ASK_AGAIN: ReadonlySet<string | undefined> = new Set([
  "store.replica-short",
  "store.replica-lost",
  "store.engine-unreachable",
]);

/** A node that keeps its identity and its disk over its processes. */
class ReplicaNode {
  readonly name: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  /** The newest record whose append was acknowledged to it. */
  acknowledged = 0;

  constructor(name: string, folder: string) {
    this.name = name;
    this.#folder = join(folder, name);
  }

  start(joinLine?: string): Promise<Notice> {
    this.#child = fork(new URL("replica-node.ts", import.meta.url), { stdio: "inherit" });
    this.#child.on("message", ({ acknowledged }: Notice) => {
      this.acknowledged = acknowledged ?? this.acknowledged;
    });
    const line = joinLine === undefined ? {} : { joinLine };
    return this.ask({ do: "start", name: this.name, folder: this.#folder, ...line });
  }

  follow(members: readonly NodeId[], etcd: string): Promise<Notice> {
    return this.ask({ do: "follow", members, etcd });
  }

  /** Lead the group as soon as enough members answer. */
  async lead(): Promise<Notice> {
    for (;;) {
      const led = await this.ask({ do: "lead" });
      if (!ASK_AGAIN.has(led.code)) return led;
    }
  }

  /** Bring the others up until so many follow: one that has just come back is reached when its news is here. */
  async mend(count: number): Promise<Notice> {
    for (;;) {
      const mended = await this.ask({ do: "mend" });
      if (mended.failed !== undefined || mended.following === count) return mended;
    }
  }

  ask(order: Order): Promise<Notice> {
    const child = this.#child as ChildProcess;
    return new Promise((resolve, reject) => {
      const heard = (notice: Notice): void => {
        if (notice.did !== order.do) return;
        child.off("message", heard);
        child.off("exit", gone);
        resolve(notice);
      };
      const gone = (): void => reject(new RangeError(`${this.name} ended`));
      child.on("message", heard);
      child.on("exit", gone);
      child.send(order);
    });
  }

  /** Resolves when so many records were acknowledged. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.acknowledged >= count) resolve();
      };
      this.#child?.on("message", look);
      look();
    });
  }

  async kill(): Promise<void> {
    const child = this.#child as ChildProcess;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}

test("what a replicated journal acknowledged over the mesh outlives its leader's kill -9, and the leader's disk comes back as a copy", async ({
  skip,
}) => {
  const missing = etcdMissing();
  skip(missing !== undefined, missing);
  const server = await startEtcd();
  onTestFinished(() => server.stop());
  const folder = mkdtempSync(join(tmpdir(), "glia-replica-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [anchor, leader, third] = ["anchor", "leader", "third"].map(
    (name) => new ReplicaNode(name, folder),
  ) as [ReplicaNode, ReplicaNode, ReplicaNode];
  onTestFinished(() => Promise.all([anchor, leader, third].map((node) => node.kill())).then(() => undefined));
  const { line, node: first } = await anchor.start();
  const joined = await Promise.all([leader.start(line), third.start(line)]);
  const members = [first, ...joined.map(({ node }) => node)] as NodeId[];
  for (const node of [anchor, leader, third])
    expect(await node.follow(members, server.url)).toEqual({ did: "follow" });

  expect(await leader.lead()).toEqual({ did: "lead", next: 1 });
  const appending = leader.ask({ do: "append", upTo: 100_000 });
  const refused = appending.then(({ failed }) => expect(failed).toBe("nothing, while it leads"));
  refused.catch(() => undefined); // Killing it ends the asking.
  await Promise.race([leader.reached(100), refused]);
  await leader.kill();
  const acknowledged = leader.acknowledged;

  const { next = 0, failed } = await third.lead();
  expect(failed).toBeUndefined();
  expect(next).toBeGreaterThan(acknowledged);
  expect(await third.ask({ do: "append", upTo: next + 99 })).toEqual({ did: "append" });

  await leader.start(line);
  await leader.follow(members, server.url);
  expect(await third.mend(2)).toEqual({ did: "mend", following: 2 });
  await third.kill();
  expect((await leader.lead()).next).toBe(next + 100);
  const { records } = await leader.ask({ do: "read" });
  expect(records).toEqual(Array.from({ length: next + 99 }, (_, i) => `record ${i + 1}`));
});
