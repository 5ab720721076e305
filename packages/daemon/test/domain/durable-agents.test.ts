import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode, type NodeOptions } from "@glia-os/daemon";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ledgerProgram, saidIn } from "./ledger-program.ts";

const TIMEOUT_MS = 30_000;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

let base: string;
let nodes: LocalNode[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-durable-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes.reverse()) await node.stop();
  rmSync(base, { recursive: true, force: true });
});

async function start(name: string, more: Partial<NodeOptions> = {}): Promise<LocalNode> {
  const founder = nodes[0];
  const line = await founder?.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const node = await createNode({
    dataDir: join(base, name),
    name,
    role: founder === undefined ? "core" : "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: line === undefined ? { kind: "new-cluster" } : { kind: "join", line },
    programs: "uploaded",
    ...more,
  });
  nodes.push(node);
  return node;
}

const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(() => undefined, errorCodeOf);

test("a durable agent of a thousand outcomes moves between three nodes while messages flow; nothing is lost, doubled or out of order", async () => {
  const [a, b] = [await start("a"), await start("b")];
  await start("c");
  await b.spawn({ name: "ledger", module: ledgerProgram(1_000_000), kind: "domain" });
  for (let n = 0; n < 1000; n++) await a.send("ledger", text(`${n}`));
  let sent = 1000;
  let moving = true;
  const flow = (async () => {
    while (moving) {
      await a.send("ledger", text(`${sent++}`));
      if (sent % 50 === 0) await a.ask("ledger", text("how far"), TIMEOUT_MS);
    }
  })();
  for (const to of ["c", "a", "b"]) {
    const report = await a.migrate("ledger", to);
    expect(report.strategy).toBe("pre-copy");
    expect(report.phases.find(({ phase }) => phase === "pre-copy")?.bytes).toBeGreaterThan(50_000);
  }
  moving = false;
  await flow;
  const { list } = saidIn(await a.ask("ledger", text("all"), TIMEOUT_MS));
  expect(list).toEqual(Array.from({ length: sent }, (_, n) => n));
  const [view] = await a.listAgents();
  expect(view).toMatchObject({ name: "ledger", status: "running", ownerName: "b", epoch: 4 });
}, 60_000);

test("a bundle that exports an agent made by agent() runs as a durable agent and moves", async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { agent } from "@glia-os/cells/agent";
        export const counter = agent({ name: "counter", state: () => ({ count: 0 }),
          on: { add: { handle(ctx, n) { ctx.state.count += n; return ctx.state.count; } } } });
        export { counter as agent };`,
      resolveDir: import.meta.dirname,
    },
    conditions: ["@glia-os/source"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  const module = outputFiles[0]?.contents as Uint8Array;
  const [a] = [await start("a"), await start("b")];
  await a.spawn({ name: "counter", module, kind: "domain" });
  const add = async (n: number): Promise<unknown> => {
    const envelope = { glia: 1, kind: "ask", correlation: n, message: "add", input: n };
    const reply = await a.ask("counter", text(JSON.stringify(envelope)), TIMEOUT_MS);
    return (JSON.parse(new TextDecoder().decode(reply)) as { readonly input: unknown }).input;
  };
  expect(await add(4)).toBe(4);
  await a.migrate("counter", "b");
  expect(await add(5)).toBe(9);
}, 60_000);

test("an agent goes on after its node was stopped and started again, and one that ended leaves nothing behind", async () => {
  const a = await start("a");
  const b = await start("b");
  await b.spawn({ name: "ledger", module: ledgerProgram(7), kind: "domain" });
  for (let n = 0; n < 50; n++) await a.send("ledger", text(`${n}`));
  await a.flush("ledger", TIMEOUT_MS);
  await b.stop();
  nodes.pop();
  const again = await start("b", { start: { kind: "resume" } });
  const { list } = saidIn(await a.ask("ledger", text("all"), TIMEOUT_MS));
  expect(list).toEqual(Array.from({ length: 50 }, (_, n) => n));
  await a.terminate("ledger");
  expect(await codeOf(a.ask("ledger", text("all"), TIMEOUT_MS))).toMatch(/agent-unknown|unknown-agent/);
  expect(await again.listAgents()).toEqual([]);
  await again.spawn({ name: "ledger", module: ledgerProgram(7), kind: "domain" });
  expect(saidIn(await a.ask("ledger", text("all"), TIMEOUT_MS)).list).toEqual([]);
}, 60_000);

test("a node runs no program outside the sandbox unless it allows it, neither new nor arriving, and one with a folder only what lies there", async () => {
  const module = ledgerProgram(7);
  const folder = join(base, "programs");
  mkdirSync(folder);
  const a = await start("a", { programs: { folder } });
  await start("b", {});
  const closed = await createNode({
    dataDir: join(base, "closed"),
    name: "closed",
    role: "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "join", line: await a.createJoinLine({ ttlMs: 60_000, uses: 1 }) },
  });
  nodes.push(closed);
  const spawn = (on: string): Promise<unknown> => a.spawn({ name: "ledger", module, kind: "domain", on });
  expect(await codeOf(spawn("closed"))).toBe("cells.programs-refused");
  expect(await codeOf(spawn("a"))).toBe("cells.programs-refused");
  writeFileSync(join(folder, "ledger.mjs"), module);
  await spawn("a");
  expect(await codeOf(a.migrate("ledger", "closed"))).toBe("mesh.migration-refused");
  expect(saidIn(await a.ask("ledger", text("all"), TIMEOUT_MS)).asked).toBe("all");
}, 60_000);

test("bundles that are no program are refused with what is wrong, and leave nothing", async () => {
  const a = await start("a");
  const refused = async (source: string, grants: readonly string[] = []): Promise<string> =>
    await a.spawn({ name: "x", module: text(source), kind: "domain", grants }).then(
      () => "taken",
      (error: unknown) => `${errorCodeOf(error)}: ${(error as Error).message}`,
    );
  expect(await refused("this is no module")).toMatch(
    /^cells.bad-bundle: .*cannot|^cells.bad-bundle: .*Unexpected/,
  );
  expect(await refused("export const program = 5")).toMatch(/^cells.bad-bundle: .*exports neither/);
  expect(await refused("throw new RangeError('no')")).toMatch(/^cells.bad-bundle: .*no/);
  expect(await refused("export const program = { name: '', run: () => function* () {} }")).toMatch(
    /^durable.bad-program/,
  );
  expect(
    await refused("export const program = { name: 'n', uses: ['http'], run: () => function* () {} }"),
  ).toMatch(/^cells.bad-bundle: .*http/);
  expect(await refused("export const program = {}", ["service/http"])).toMatch(
    /^cells.service-missing|^cells.bad-bundle/,
  );
  expect(
    await codeOf(
      createNode({
        ...({} as NodeOptions),
        dataDir: base,
        role: "core",
        programs: { folder: "/nowhere" },
        bind: { host: "127.0.0.1", port: 0 },
        start: { kind: "new-cluster" },
      }),
    ),
  ).toBe("daemon.bad-options");
  expect(await a.listAgents()).toEqual([]);
});
