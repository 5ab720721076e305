/** How agents stand, in words. */
import type { AgentView } from "@glia-os/daemon";
import { expect, it } from "vitest";
import { standingOf } from "../src/node/agent-standing.ts";

const live = { received: 1 };
it.each([
  [{ status: "running", live }, "running"],
  [{ status: "suspended", live }, "suspended"],
  [{ status: "running" }, "running, owner silent"],
  [{ status: "suspended" }, "suspended, owner silent"],
  [{ status: "running", lost: true }, "lost: its node does not have it"],
  [{ status: "gone" }, "waits for its node"],
  [
    { status: "gone", goneSinceMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
    "waits for its node since 2026-01-02T03:04:05Z",
  ],
  [{ status: "failed", failure: "x".repeat(200) }, `failed: ${"x".repeat(80)}`],
  [{ status: "failed" }, "failed: nobody knows why any more"],
  [{ status: "exported" }, "exported"],
])("%o is said as %s", (view, words) => {
  expect(standingOf(view as unknown as AgentView)).toBe(words);
});
