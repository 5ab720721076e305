import { afterEach, describe, expect, it } from "vitest";
import { Members } from "../members.ts";

const LIMIT_MS = 50_000;
let mesh: Members | undefined;
afterEach(() => mesh?.stop());

describe("a process that is stopped and goes on", () => {
  it("SIGSTOP makes it dead to all others, who stay; after SIGCONT it refutes with a higher incarnation, and all see all alive", async () => {
    mesh = await Members.start({ size: 5, profile: "fast" });
    const before = mesh.view(0, 4)?.incarnation ?? 0;
    mesh.freeze(4);
    expect(await mesh.believed([4], "dead", LIMIT_MS), "it is declared dead").toBe(true);
    mesh.thaw(4);
    expect(await mesh.whole(LIMIT_MS), "all see all alive again").toBe(true);
    for (const viewer of [0, 1, 2, 3])
      expect(mesh.view(viewer, 4)?.incarnation, `what member ${viewer} sees`).toBeGreaterThan(before);
  });
});
