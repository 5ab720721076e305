import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENTRIES_MAX, LogRing, PAGE_CHARACTERS, TEXT_MAX } from "../src/logs/log-ring.ts";

describe("the log of a node", () => {
  it("LR1: the newest entries are kept, texts are cut, and who comes late is told what it missed", () => {
    const ring = new LogRing(() => 7);
    for (let n = 1; n <= ENTRIES_MAX + 10; n++) ring.line("info", `line ${n}`, {});
    ring.line("warn", "x".repeat(TEXT_MAX + 1), { long: "y".repeat(TEXT_MAX + 1), count: 3 });
    const late = ring.page({ after: 2 });
    expect(late.missed).toBe(9);
    expect(late.entries[0]?.seq).toBe(12);
    const { entries } = ring.page({ newest: 1 });
    expect(entries).toMatchObject([{ seq: ENTRIES_MAX + 11, atMs: 7, level: "warn", fields: { count: 3 } }]);
    expect(entries[0]?.message).toBe(`${"x".repeat(TEXT_MAX)}...`);
    expect(entries[0]?.fields["long"]).toBe(`${"y".repeat(TEXT_MAX)}...`);
  });

  it("LR2: pages are bounded, and all pages together are every entry once, in order", () => {
    const ring = new LogRing(() => 0);
    for (let n = 1; n <= 300; n++) ring.line("info", `${n} ${"z".repeat(1000)}`, {});
    const seen: number[] = [];
    for (let after = 0, more = true; more; ) {
      const page = ring.page({ after });
      expect(JSON.stringify(page.entries).length).toBeLessThan(PAGE_CHARACTERS + 1000);
      seen.push(...page.entries.map(({ seq }) => seq));
      ({ next: after, more } = page);
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  });

  it("levels below the one asked for are left out, and are not looked at again", () => {
    const ring = new LogRing(() => 0);
    ring.line("debug", "a", {});
    ring.line("error", "b", {});
    ring.line("debug", "c", {});
    const page = ring.page({ level: "info" });
    expect([page.entries.map(({ message }) => message), page.next]).toEqual([["b"], 3]);
    expect(ring.page({ after: page.next, level: "trace" }).entries).toEqual([]);
  });

  it("a question that waits is answered by the next entry, and events are entries", async () => {
    const ring = new LogRing(() => 0);
    const asked = ring.ask({ after: 0, waitMs: 10_000 });
    ring.event({ kind: "agents", change: "stalled" });
    expect((await asked).entries).toMatchObject([{ seq: 1, event: { kind: "agents", change: "stalled" } }]);
    expect((await ring.ask({ after: 1, waitMs: 1 })).entries).toEqual([]);
  });
});

describe("logs of a mesh", () => {
  const base = mkdtempSync(join(tmpdir(), "glia-logs-"));
  const nodes: LocalNode[] = [];
  beforeAll(async () => {
    const bind = { host: "127.0.0.1", port: 0 };
    const start = { kind: "new-cluster" } as const;
    const core = await createNode({ dataDir: join(base, "core"), role: "core", bind, start });
    nodes.push(core);
    const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const join_ = { kind: "join", line } as const;
    nodes.push(await createNode({ dataDir: join(base, "edge"), role: "edge", bind, start: join_ }));
  });
  afterAll(async () => {
    for (const node of nodes.reverse()) await node.stop();
    rmSync(base, { recursive: true, force: true });
  });

  it("are had from every node, whichever is asked", async () => {
    const [core, edge] = nodes as [LocalNode, LocalNode];
    const mine = await core.logs({});
    expect(mine.entries.some(({ event }) => event?.kind === "member" && event.name === "edge")).toBe(true);
    const there = await core.logs({ node: "edge", waitMs: 5000 });
    expect(there.entries).toEqual((await edge.logs({})).entries.slice(0, there.entries.length));
    expect(there.entries.length).toBeGreaterThan(0);
  });

  it("LS1: questions that make no sense and nodes that are none are refused by name", async () => {
    const [core] = nodes as [LocalNode];
    for (const [question, code] of [
      [{ after: -1 }, "abi.malformed"],
      [{ newest: 2001 }, "abi.malformed"],
      [{ waitMs: 10_001 }, "abi.malformed"],
      [{ level: "loud" as never }, "abi.malformed"],
      [{ node: "nobody" }, "daemon.unknown-node"],
    ] as const)
      expect(await core.logs(question).then(() => "", errorCodeOf)).toBe(code);
  });
});
