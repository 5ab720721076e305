/** Durable agents of a configuration: kept by `glia up`, spoken to like every other agent, and there again after kill -9. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-durable-talk-"));
const env = { GLIA_HOME: join(scratch, "home"), NO_COLOR: "1" };
const WAIT = { timeout: 40_000, interval: 100 };
const file = (name: string): string => join(scratch, name);
let hub: ReadyNode;

const BOOK = `import { agent } from "@glia-os/cells/agent";
export default agent({
  name: "book",
  state: () => ({ total: 0 }),
  on: { add: { handle(ctx, n: number) { ctx.log("info", "adding", { n }); return (ctx.state.total += n); } } },
});
`;
const CLERK = `import { agent } from "@glia-os/cells/agent";
export const clerk = agent({
  name: "clerk",
  on: { bring: { *handle(ctx, n: number) { return yield* ctx.ask("book", "add", n); } } },
});
export { clerk as agent };
`;

function write(agents: readonly object[]): void {
  const node = { name: "hub", bind: "127.0.0.1:0", mesh: { profile: "fast", transport: "tls-only" } };
  writeFileSync(
    file("glia.config.json"),
    JSON.stringify({ version: 1, ...node, programs: { uploaded: true }, agents }),
  );
}

async function start(): Promise<void> {
  hub = await startReadyNode(["up", "--config", file("glia.config.json")], env);
}

async function said(...args: string[]): Promise<unknown> {
  const { stdout, stderr } = await runCli(["agent", ...args], { env });
  return stdout.trim() || stderr.trim();
}

const book = { name: "book", file: "book.ts", durable: true };
const clerk = { name: "clerk", file: "clerk.ts", durable: true };

beforeAll(async () => {
  mkdirSync(file("home"));
  writeFileSync(file("book.ts"), BOOK);
  writeFileSync(file("clerk.ts"), CLERK);
  write([book]);
  await start();
});
afterAll(async () => {
  hub.child.kill("SIGKILL");
  await hub.result;
  rmSync(scratch, { recursive: true, force: true });
});

it("a durable agent of the configuration is started once, asked, told and logged by its name, and counts on after kill -9; one that is added later asks it", async () => {
  await vi.waitFor(async () => expect(await said("ask", "book", "add", "2")).toBe("2"), WAIT);
  expect(await said("send", "book", "add", "1", "--json")).toContain('"ok":true');
  expect(await said("ask", "book", "add", "0")).toBe("3");
  expect(await said("logs", "book")).toContain("adding");
  hub.child.kill("SIGKILL");
  await hub.result;
  write([book, clerk]);
  await start();
  await vi.waitFor(async () => expect(await said("list")).toContain("clerk"), WAIT);
  expect(await said("ask", "clerk", "bring", "4")).toBe("7");
  const listed = JSON.parse((await runCli(["agent", "list", "--json"], { env })).stdout) as {
    readonly agents: readonly { readonly name: string; readonly agent: string; readonly epoch: number }[];
  };
  const found = listed.agents.find(({ name }) => name === "book");
  expect(found?.epoch).toBe(2);
  const journal = join(env.GLIA_HOME, "hub", "journal");
  const replay = ["replay", journal, found?.agent ?? "", "--program", file("book.ts"), "--json"];
  expect(JSON.parse((await runCli(replay, { env })).stdout)).toMatchObject({ ok: true, state: "running" });
}, 180_000);

it("a durable agent on a node that runs no programs is a problem of the configuration, with its path", async () => {
  writeFileSync(file("none.json"), JSON.stringify({ version: 1, name: "none", agents: [book] }));
  const { code, stdout, stderr } = await runCli(["config", "validate", file("none.json")], { env });
  expect(code).toBe(1);
  expect(`${stdout}${stderr}`).toContain("agents[0].durable");
});
