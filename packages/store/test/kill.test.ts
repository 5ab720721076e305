import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { toEpoch } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { nodeNamed } from "../src/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { expectGaplessHistory, historyOf } from "./fixtures/history.ts";

interface Swap {
  readonly requestId: string;
  readonly expected: number;
  readonly sessionId: string;
  readonly row: AgentRow;
}

const childFile = fileURLToPath(new URL("./fixtures/swapping-child.ts", import.meta.url));
/** After how many acknowledged swaps each child is killed. All of them together stay below the changes that are kept. */
const killPoints =
  process.env["GLIA_SOAK"] === "1"
    ? Array.from({ length: 40 }, (_, i) => 1 + ((i * 379) % 1_500))
    : [1, 37, 200, 401];

let folder: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Run a child until it acknowledged `count` swaps, kill -9 it in the middle of the next ones, and return what it said. */
async function killAfter(
  count: number,
  path: string,
  label: string,
): Promise<{ fence: number; swaps: readonly Swap[] }> {
  child = spawn(process.execPath, ["--conditions=@glia-os/source", childFile, path, label], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const swaps: Swap[] = [];
  let fence = 0;
  for await (const line of createInterface({ input: child.stdout! })) {
    const said = JSON.parse(line) as { kind: "session"; fence: number } | ({ kind: "swap" } & Swap);
    if (said.kind === "session") fence = said.fence;
    else swaps.push(said);
    if (swaps.length >= count) child.kill("SIGKILL");
  }
  expect((await exited)[1]).toBe("SIGKILL");
  return { fence, swaps };
}

it("after kill -9 every acknowledged swap is there, epochs and fences never repeat, and a repeated request has no second effect", async () => {
  const path = join(folder, "anchor.db");
  let lastFence = 0;
  for (const [round, count] of killPoints.entries()) {
    const { fence, swaps } = await killAfter(count, path, `round${round}`);
    expect(fence).toBeGreaterThan(lastFence);
    const store = await openSqliteCoordination({ path });
    const history = await historyOf(store);
    expectGaplessHistory(history);
    for (const { row } of swaps) expect(history[row.revision - 1]).toEqual(row);
    for (const { requestId, expected, sessionId, row } of swaps.slice(-20)) {
      const change = { owner: row.owner, sessionId, status: row.status };
      const again = await store.compareAndSwap(row.agent, toEpoch(expected), change, requestId);
      expect(again).toEqual({ kind: "committed", row });
    }
    expect(await historyOf(store)).toEqual(history);
    lastFence = (await store.openSession(nodeNamed("b"), 1_000, `between-${round}`)).fence;
    expect(lastFence).toBeGreaterThan(fence);
    await store.close();
  }
});

it("a session of a killed anchor process is live again for its full time, so it is never cut short", async () => {
  const path = join(folder, "anchor.db");
  const { swaps } = await killAfter(1, path, "only");
  const store = await openSqliteCoordination({ path });
  const renewed = await store.renewSession(swaps[0]!.sessionId);
  expect(renewed.sessionId).toBe(swaps[0]!.sessionId);
  await store.close();
});
