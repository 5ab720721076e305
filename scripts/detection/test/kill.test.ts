import { afterEach, describe, expect, it } from "vitest";
import { Members } from "../members.ts";

const LIMIT_MS = 50_000;
let mesh: Members | undefined;
afterEach(() => mesh?.stop());

describe("a mesh of processes on loopback", () => {
  it("six processes meet; after kill -9 of one, each of the others says once that it is dead, and all others stay alive or come back", async () => {
    mesh = await Members.start({ size: 6, profile: "fast" });
    const { heard, firstMs, allMs } = await mesh.kill(5, LIMIT_MS);
    expect(heard).toBe(5);
    expect(firstMs).toBeLessThanOrEqual(allMs);
    expect(await mesh.whole(LIMIT_MS)).toBe(true);
    for (const viewer of mesh.running) expect(mesh.view(viewer, 5)?.state).toBe("dead");
  });

  it("a process that cannot start is told of, and nothing is left running", async () => {
    const bindOf = (index: number): { host: string; port: number } =>
      index === 0 ? { host: "127.0.0.1", port: 0 } : { host: "192.0.2.1", port: 0 };
    await expect(Members.start({ size: 3, profile: "fast", bindOf })).rejects.toThrow(
      /member \d: .*192\.0\.2\.1/,
    );
  });
});
