/** The overlay as parts of whole nodes: real admission, membership, sessions and signatures on a virtual network. */
import { createHash } from "node:crypto";
import type { Epoch } from "@glia-os/abi/ids";
import { createMemoryBlobs } from "@glia-os/store/blobs-memory";
import { describe, expect, it } from "vitest";
import { createEngineQueue } from "../src/balance/engine-queue.ts";
import { createMesh, type Mesh, type MeshPorts, type NodeRole } from "../src/index.ts";
import { SeededRandom } from "../src/testing/index.ts";
import { Cluster, payload, type TestNode } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

/** One more node of a cluster, with further ports. */
async function joinWith(
  cluster: Cluster,
  n: number,
  role: NodeRole,
  more: Partial<MeshPorts>,
): Promise<Mesh> {
  const signer = signerOf(n);
  const process = cluster.network.process({ node: idOf(signer), publicKey: signer.publicKey });
  const { transport, clock, timers } = process;
  const mesh = createMesh(
    { transport, clock, timers, random: new SeededRandom(n), signer, digests, ...more },
    {
      name: `node-${n}`,
      role,
      bootEpoch: 1,
      bind: { host: "memory", port: 0 },
      start: { kind: "join", line: cluster.joinLine },
    },
  );
  await cluster.time.settle(mesh.start());
  return mesh;
}

async function five(seed: number, more = {}): Promise<Cluster> {
  const cluster = new Cluster(seed);
  await cluster.boot(2, more);
  for (const [n, role] of [
    [2, "core"],
    [3, "relay"],
    [4, "core"],
  ] as const) {
    const node = await cluster.join(n, role, more);
    await cluster.openSession(node);
  }
  await cluster.time.advance(5000);
  return cluster;
}

describe.each(["full-view", "kademlia"] as const)("the registry of whole nodes by %s", (registry) => {
  it("hears of an agent that was created, moved and ended, and links find it without the anchor", async () => {
    const cluster = await five(71, { registry });
    const [edge, core, relay] = [cluster.node(1), cluster.node(2), cluster.node(3)] as [
      TestNode,
      TestNode,
      TestNode,
    ];
    const agent = await cluster.spawn(edge, 1);
    await cluster.time.advance(2000);
    const found = await cluster.time.settle(relay.mesh.part("registry").findByName("agent-1"));
    expect(found?.record).toMatchObject({ agent, owner: edge.id, epoch: 1, status: "live" });
    await cluster.time.settle(edge.mesh.migrate(agent, core.id));
    await cluster.time.advance(2000);
    const moved = await cluster.time.settle(cluster.node(4).mesh.part("registry").find(agent));
    expect(moved?.record).toMatchObject({ owner: core.id, epoch: 2, status: "live", name: "agent-1" });
    cluster.anchor.process.crash();
    const link = relay.mesh.link(agent);
    await cluster.time.settle(link.send(payload(7)));
    await cluster.time.settle(link.flush(10_000));
    expect(core.cells.applied(agent)).toEqual([7]);
  });

  it("a wrong record costs a question to coordination, never a wrong delivery", async () => {
    const cluster = await five(72, { registry });
    const [edge, core, relay] = [cluster.node(1), cluster.node(2), cluster.node(3)] as [
      TestNode,
      TestNode,
      TestNode,
    ];
    const agent = await cluster.spawn(edge, 1);
    await cluster.time.advance(2000);
    const { epoch } = (await cluster.time.settle(relay.mesh.part("registry").find(agent)))?.record ?? {
      epoch: 1,
    };
    await cluster.time.settle(core.mesh.part("registry").publish(agent, (epoch + 5) as Epoch));
    const link = relay.mesh.link(agent);
    await cluster.time.settle(link.send(payload(9)));
    await cluster.time.settle(link.flush(20_000));
    expect([edge.cells.applied(agent), core.cells.applied(agent)]).toEqual([[9], []]);
  });
});

describe("messages of whole nodes", () => {
  it("a broadcast reaches every member; a routed message goes over a relay when the direct way is cut", async () => {
    const cluster = await five(73);
    const heard: string[] = [];
    for (const { mesh, id } of cluster.nodes) {
      mesh.part("broadcasts").on("news", (origin) => heard.push(`${origin.slice(0, 6)} ${id.slice(0, 6)}`));
      mesh.part("routes").on("mail", (from) => heard.push(`mail ${from.slice(0, 6)}`));
    }
    cluster.node(1).mesh.part("broadcasts").send("news", payload(1));
    await cluster.time.advance(3000);
    expect(new Set(heard).size).toBe(5);
    const [edge, core] = [cluster.node(1), cluster.node(2)];
    const direct = cluster.network.connected.bind(cluster.network);
    const pair = new Set([edge.id, core.id]);
    cluster.network.connected = (a, b) => !(pair.has(a) && pair.has(b)) && direct(a, b);
    await cluster.time.settle(edge.mesh.part("routes").send(core.id, "mail", payload(2)));
    expect(heard.at(-1)).toBe(`mail ${edge.id.slice(0, 6)}`);
    expect(core.mesh.part("routes").stats().hopsMax).toBe(2);
  });

  it("a node that was removed is heard no more, though its signatures are still good", async () => {
    const cluster = await five(74);
    const [edge, core] = [cluster.node(1), cluster.node(2)];
    cluster.anchor.mesh.remove(edge.id);
    await cluster.time.advance(10_000);
    await expect(
      cluster.time.settle(edge.mesh.part("routes").send(core.id, "mail", payload(1))),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(overlay|mesh)\./),
    });
    expect(core.mesh.part("routes").stats().delivered).toBe(0);
  });
});

describe("blobs and jobs of whole nodes", () => {
  it("a blob is fetched over real sessions, and idle nodes take jobs", async () => {
    const cluster = await five(75);
    const run = async <Result>(): Promise<Result> => {
      await new Promise<void>((resolve) => cluster.time.schedule(200, resolve));
      return "done" as Result;
    };
    const [here, there] = [createMemoryBlobs(), createMemoryBlobs()];
    const queue = (): MeshPorts["jobs"] & object => createEngineQueue({ engine: { run }, slots: 2 });
    const a = await joinWith(cluster, 20, "core", { blobs: here, jobs: queue() });
    const b = await joinWith(cluster, 21, "core", { blobs: there, jobs: queue() });
    await cluster.time.advance(3000);
    const blob = new SeededRandom(5).bytes(new Uint8Array(300_000));
    const hash = await here.put(blob);
    const bytes = await cluster.time.settle(b.part("blobs").fetch(hash, [a.self]));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(hash);
    const jobs = Array.from({ length: 30 }, (_, n) =>
      a.part("jobs").submit({ id: `j${n}`, origin: a.self, lineage: [], entry: "wait", payload: n }),
    );
    expect(await cluster.time.settle(Promise.all(jobs))).toEqual(Array.from({ length: 30 }, () => "done"));
    expect(b.part("jobs").stats().stolen).toBeGreaterThan(0);
    // Stolen by it or given to it: all came from the first.
    expect(Object.keys(b.part("jobs").stats().origins)).toEqual([a.self]);
    await cluster.time.settle(Promise.all([a.stop(), b.stop()]));
  });
});
