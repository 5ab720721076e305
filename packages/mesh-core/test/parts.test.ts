/** Parts of a node: which run, and that a stopped one leaves nothing behind. */
import type { TimerHandle, Timers } from "@glia-os/abi/ports";
import { describe, expect, it } from "vitest";
import { createMesh, PART_NAMES, PART_PRESETS } from "../src/index.ts";
import { Pauses } from "../src/peers/pauses.ts";
import { SeededRandom } from "../src/testing/index.ts";
import { agentId, Cluster, numberOf, payload } from "./cluster.ts";
import { digests, idOf, signerOf } from "./digests.ts";

/** Timers that count those that are set and neither fired nor cancelled. */
class CountedTimers implements Timers {
  readonly #timers: Timers;
  readonly open = new Set<TimerHandle>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  schedule(delayMs: number, fire: () => void): TimerHandle {
    const inner = this.#timers.schedule(delayMs, () => {
      this.open.delete(handle);
      fire();
    });
    const handle: TimerHandle = {
      cancel: () => {
        this.open.delete(handle);
        inner.cancel();
      },
    };
    this.open.add(handle);
    return handle;
  }
}

describe("the parts of a node", () => {
  it("PA1: the preset says which run; a list too; a name that is none is refused before anything starts", async () => {
    const cluster = new Cluster(81);
    await cluster.boot(1);
    // Blobs and jobs need a store and a queue, which these nodes do not have.
    const without = PART_PRESETS.agents.filter((name) => name !== "blobs" && name !== "jobs");
    expect(cluster.anchor.mesh.parts()).toEqual(without);
    const bare = await cluster.join(1, "edge", { parts: "members" });
    expect(bare.mesh.parts()).toEqual([]);
    expect(() => bare.mesh.link(agentId(1))).toThrow(expect.objectContaining({ code: "mesh.part-stopped" }));
    const linked = await cluster.join(2, "edge", { parts: ["links"] });
    expect(linked.mesh.parts()).toEqual(["links"]);
    for (const parts of ["everything", ["links", "nothing"], ["__proto__"]])
      expect(() =>
        cluster.build(3, "edge", { kind: "join", line: cluster.joinLine }, { parts: parts as never }),
      ).toThrow(expect.objectContaining({ code: "mesh.invalid-option" }));
  });

  it("PA1: a client without cells starts every part it can have", async () => {
    const cluster = new Cluster(82);
    await cluster.boot(1);
    const client = await cluster.join(1, "client");
    expect(client.mesh.parts()).not.toContain("moves");
    client.mesh.startPart("moves");
    expect(client.mesh.parts()).not.toContain("moves");
  });

  it("PA2, PT1: stopped a hundred times, a part keeps no timer and no handler, and works when started again", async () => {
    const cluster = new Cluster(83);
    await cluster.boot(2);
    const signer = signerOf(5);
    const process = cluster.network.process({ node: idOf(signer), publicKey: signer.publicKey });
    const timers = new CountedTimers(process.timers);
    const mesh = createMesh(
      { ...process, timers, random: new SeededRandom(83), signer, digests },
      { name: "counted", role: "client", start: { kind: "join", line: cluster.joinLine }, bootEpoch: 1 },
    );
    await cluster.time.settle(mesh.start());
    const agent = await cluster.spawn(cluster.node(1), 1);
    await cluster.time.settle(
      mesh.call(cluster.node(1).id, "none", new Uint8Array(0)).catch(() => undefined),
    );
    await cluster.time.advance(2000);
    const before = timers.open.size;
    for (let round = 0; round < 100; round++) {
      for (const name of PART_NAMES) await cluster.time.settle(mesh.stopPart(name));
      expect(mesh.parts()).toEqual([]);
      for (const name of PART_NAMES) mesh.startPart(name);
      expect(numberOf(await cluster.time.settle(mesh.link(agent).ask(payload(round), 5000)))).toBe(round);
    }
    for (const name of PART_NAMES) await cluster.time.settle(mesh.stopPart(name));
    await cluster.time.advance(20_000);
    expect(timers.open.size).toBeLessThanOrEqual(before);
    await cluster.time.settle(mesh.stop());
    expect(timers.open.size, "ME3: a stopped node has no timer").toBe(0);
  });

  it("a message for a part that is off is dropped and the session stays", async () => {
    const cluster = new Cluster(84);
    await cluster.boot(2);
    const agent = await cluster.spawn(cluster.node(1), 1);
    await cluster.time.settle(cluster.node(1).mesh.stopPart("links"));
    const asked = cluster.anchor.mesh.link(agent).ask(payload(1), 5000);
    await cluster.time.advance(1000);
    cluster.node(1).mesh.startPart("links");
    expect(numberOf(await cluster.time.settle(asked)), "the link sends it again").toBe(1);
    expect(cluster.anchor.events.filter(({ kind }) => kind === "sessionDown")).toEqual([]);
  });

  it("PS1: pauses grow, stay under their cap and differ between nodes", () => {
    const [one, other] = [1, 2].map((seed) => new Pauses(new SeededRandom(seed), 200, 5000));
    const row = (pauses: Pauses | undefined): number[] =>
      Array.from({ length: 40 }, () => pauses?.next() ?? Number.NaN);
    const first = row(one);
    let last = 200;
    for (const pause of first) {
      expect(pause).toBeGreaterThanOrEqual(200);
      expect(pause).toBeLessThanOrEqual(Math.min(5000, 3 * last));
      last = pause;
    }
    expect(Math.max(...first)).toBeGreaterThan(2000);
    expect(row(other)).not.toEqual(first);
  });
});
