/** Machines that boot at the same moment and know only each other do not stay a cluster of their own. */
import { errorCodeOf } from "@glia-os/abi/errors";
import { describe, expect, it } from "vitest";
import { Cluster, type TestNode } from "./cluster.ts";

const alive = ({ mesh }: TestNode): number => mesh.members().filter(({ state }) => state === "alive").length;

/** Crashes nodes at one moment, waits, and boots them again at one moment with only each other as contacts. */
async function rebootTogether(
  cluster: Cluster,
  numbers: readonly number[],
  downMs: number,
): Promise<TestNode[]> {
  const before = numbers.map((n) => {
    const { mesh, process } = cluster.node(n);
    const kept = { credentials: mesh.credentials(), bind: mesh.address ?? { host: "", port: 0 } };
    process.crash();
    return kept;
  });
  await cluster.time.advance(downMs);
  const again = numbers.map((n, i) => {
    const contacts = before.filter((_, other) => other !== i).map(({ bind }) => bind);
    const credentials = before[i]?.credentials;
    if (credentials === undefined) throw new RangeError(`no credentials of ${n}`);
    const start = { kind: "member", credentials, contacts } as const;
    return cluster.build(n, "edge", start, { bootEpoch: 2, bind: before[i]?.bind ?? { host: "", port: 0 } });
  });
  await cluster.time.settle(Promise.all(again.map(({ mesh }) => mesh.start())));
  return again;
}

describe("machines that boot together", () => {
  it("members whose only contacts are each other are found by the others, and all are one cluster again", async () => {
    for (const [seed, downMs] of [
      [81, 1000],
      [82, 60_000],
      [83, 600_000],
    ] as const) {
      const cluster = new Cluster(seed);
      await cluster.boot(6);
      const again = await rebootTogether(cluster, [3, 4], downMs);
      const all = [...cluster.nodes.filter((_, n) => n < 3 || n === 5), ...again];
      const whole = (): boolean => all.every((node) => alive(node) === 6);
      expect(await cluster.time.advanceUntil(whole, 300_000), `down for ${downMs} ms`).toBe(true);
    }
  });

  it("newcomers with a line of an introducer that is not there found no cluster: their start is refused", async () => {
    const cluster = new Cluster(84);
    await cluster.boot(1);
    const line = cluster.joinLine;
    cluster.anchor.process.crash();
    const newcomers = [7, 8].map((n) => cluster.build(n, "edge", { kind: "join", line }));
    const codes = await Promise.all(
      newcomers.map(async ({ mesh }) => {
        try {
          await cluster.time.settle(mesh.start());
          return undefined;
        } catch (error) {
          return errorCodeOf(error);
        }
      }),
    );
    expect(codes).toEqual(["mesh.introducer-unreachable", "mesh.introducer-unreachable"]);
    for (const { mesh } of newcomers) expect(mesh.members()).toEqual([]);
  });
});
