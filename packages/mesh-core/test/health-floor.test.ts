/** What a node is told about itself from outside of the failure detector: a floor of its health, and where others listen. */
import { describe, expect, it } from "vitest";
import { Awareness } from "../src/membership/awareness.ts";
import { Cluster } from "./cluster.ts";

describe("the floor of local health", () => {
  it("holds however well probes go, is cut to the range, and leaves the score as it was when it is taken away", () => {
    const awareness = new Awareness(8);
    awareness.adjust(2);
    awareness.floor = 5;
    expect(awareness.score).toBe(5);
    awareness.adjust(-1);
    expect(awareness.score).toBe(5);
    awareness.floor = 100;
    expect(awareness.score).toBe(7);
    awareness.floor = -3;
    expect(awareness.score).toBe(1);
  });

  it("is a node's, before and after it started", async () => {
    const cluster = new Cluster(301);
    await cluster.boot(2);
    const { mesh } = cluster.node(1);
    mesh.setHealthFloor(3);
    await cluster.time.advance(20_000);
    expect(mesh.healthScore).toBe(3);
    expect(cluster.anchor.mesh.healthScore).toBe(0);
    mesh.setHealthFloor(0);
    expect(mesh.healthScore).toBe(0);
  });
});

describe("a hint of where a node listens", () => {
  it("changes nothing for a node that is known, or for this node", async () => {
    const cluster = new Cluster(302);
    await cluster.boot(2);
    const { mesh, id } = cluster.node(1);
    const before = mesh.members();
    mesh.hint(cluster.anchor.id, { host: "nowhere", port: 1 });
    mesh.hint(id, { host: "nowhere", port: 1 });
    await cluster.time.advance(5000);
    expect(mesh.members()).toEqual(before);
  });
});
