/** Probing through others: two members that cannot hear each other are alive to both, because the rest can reach them. */
import { expect, it } from "vitest";
import { Cluster } from "./cluster.ts";

it("a member that one node cannot reach is probed through others, and nobody suspects it", async () => {
  for (const seed of [71, 72, 73]) {
    const cluster = new Cluster(seed);
    await cluster.boot(5);
    const [one, other] = [cluster.node(3), cluster.node(4)];
    const apart = new Set([one.id, other.id]);
    cluster.network.onDelivery = ({ from, to }) => !(apart.has(from) && apart.has(to));
    for (let second = 0; second < 90; second++) {
      await cluster.time.advance(1000);
      for (const viewer of cluster.nodes)
        for (const { name, state } of viewer.mesh.members())
          expect(state, `seed ${seed}, second ${second}: ${name}`).toBe("alive");
    }
  }
});
