/** What crosses to a destination that builds an agent slowly. */
import { expect, it } from "vitest";
import type { ChunkSource } from "../src/index.ts";
import { Cluster } from "./cluster.ts";

it("CK1: chunks that a slow destination has not built in yet cross three times in five seconds, not ten", async () => {
  const cluster = new Cluster(61);
  await cluster.boot(3);
  const [source, destination] = [cluster.node(1), cluster.node(2)];
  const agent = await cluster.spawn(source, 1, 200_000);
  const { cells } = destination;
  const stage = cells.stage.bind(cells);
  let isFirst = true;
  cells.stage = (one, meta, chunks: ChunkSource) =>
    stage(one, meta, async () => {
      if (isFirst) await new Promise<void>((resolve) => void cluster.time.schedule(5000, resolve));
      isFirst = false;
      return chunks();
    });
  let large = 0;
  cluster.network.onDelivery = ({ from, message }) => {
    if (from === source.id && message.length >= 60_000) large += message.length;
    return true;
  };
  const { to } = await cluster.time.settle(
    source.mesh.migrate(agent, destination.id, { strategy: "stop-and-copy" }),
  );
  expect(to).toBe(destination.id);
  expect(large).toBeGreaterThanOrEqual(190_000);
  expect(large).toBeLessThanOrEqual(3 * 201_000);
});
