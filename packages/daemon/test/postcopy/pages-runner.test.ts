/** Which cells of a node move by post-copy (PN7). */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { PagesRunnerPort } from "@glia-os/cells";
import { expect, test } from "vitest";
import { pagesRunner } from "../../src/postcopy/pages-runner.ts";

const [GUEST, DURABLE] = ["ab".repeat(16), "cd".repeat(16)] as [AgentId, AgentId];
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );

test("PN7: durable agents are refused where they are and where they would go, and nothing is asked of the runner", async () => {
  const asked: string[] = [];
  const inner = new Proxy({} as PagesRunnerPort, {
    get: (_, name) => async (agent: string) => void asked.push(`${String(name)} ${agent.slice(0, 2)}`),
  });
  const runner = pagesRunner(inner, (agent) => agent === DURABLE);
  expect(await codeOf(runner.beginPages(DURABLE, "move", false))).toBe("cells.no-post-copy");
  expect(await codeOf(runner.stagePages(DURABLE))).toBe("cells.no-post-copy");
  expect(asked).toEqual([]);
  await runner.beginPages(GUEST, "move", false);
  await runner.stagePages(GUEST);
  expect(asked).toEqual(["beginPages ab", "stagePages ab"]);
});
