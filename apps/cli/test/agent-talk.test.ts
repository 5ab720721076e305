/** `glia new`, `agent spawn` of a source, `agent ask`, `send` and `logs`: what a person mistypes, and what programs read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const base = mkdtempSync(join(tmpdir(), "glia-agent-talk-"));
const env = { GLIA_HOME: join(base, "home") };
let hub: ReadyNode;

const AGENT = `import { agent } from "@glia-os/cells/agent";
const whole = { "~standard": { version: 1, vendor: "test",
  validate: (value) => Number.isInteger(value) ? { value } : { issues: [{ message: "no whole number" }] } } };
export default agent({
  name: "sum",
  state: (input) => ({ total: input ?? 0 }),
  on: { add: { input: whole, handle(ctx, n) { ctx.log("info", "adding", { n }); return (ctx.state.total += n); } } },
});
`;

beforeAll(async () => {
  mkdirSync(join(base, "sum"));
  writeFileSync(join(base, "sum", "agent.ts"), AGENT);
  hub = await startReadyNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"], env);
});
afterAll(async () => {
  hub.child.kill();
  await hub.result;
  rmSync(base, { recursive: true, force: true });
});

async function glia(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { code, stdout, stderr } = await runCli(args, { env, cwd: base });
  return { code, out: stdout.trim(), err: stderr.trim() };
}

test("a source is built and started by spawn, asked by message, told with an input, and its log is there by its name", async () => {
  const spawned = await glia("agent", "spawn", "sum/agent.ts", "--input", "40", "--json");
  expect(JSON.parse(spawned.out)).toMatchObject({ ok: true, agent: { name: "sum", live: { speaks: true } } });
  expect((await glia("agent", "send", "sum", "add", "1", "--json")).code).toBe(0);
  expect(await glia("agent", "ask", "sum", "add", "1")).toEqual({ code: 0, out: "42", err: "" });
  const logs = await glia("agent", "logs", "sum", "--json");
  const lines = logs.out.split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter(({ message }) => String(message).startsWith("adding"))).toHaveLength(2);
  expect(lines.at(-1)).toMatchObject({ ok: true });
});

test("what is mistyped is refused with what to do, and the agent goes on", async () => {
  const ask = (...args: string[]) => glia("agent", "ask", ...args);
  const [name, json, schema, message] = await Promise.all([
    ask("smu", "add", "1"),
    ask("sum", "add", "{1"),
    ask("sum", "add", '"1"'),
    ask("sum", "subtract", "1"),
  ]);
  expect([name.code, name.err]).toEqual([1, expect.stringContaining("did you mean sum?")]);
  expect([json.code, json.err]).toEqual([2, expect.stringContaining("is not JSON")]);
  expect([schema.code, schema.err]).toEqual([1, expect.stringContaining("no whole number")]);
  expect([message.code, message.err]).toEqual([1, expect.stringContaining("it has add")]);
  expect((await ask("sum", "add", "0")).out).toBe("42");
});

test("a message without an input is not sent to an agent that takes messages by name, kept or not, and the refusal says how; bytes of a program are", async () => {
  const envelope = '{"glia":1,"kind":"tell","message":"add","input":0}';
  const [bare, kept, asked, written, both] = await Promise.all([
    glia("agent", "send", "sum", "add"),
    glia("agent", "send", "sum", "add", "--keep", "--json"),
    glia("agent", "send", "sum", "add", "--ask"),
    glia("agent", "send", "sum", envelope),
    glia("agent", "spawn", "sum/agent.ts", "--node", "hub", "--name", "hub"),
  ]);
  expect([bare.code, bare.err]).toEqual([2, expect.stringContaining("`glia agent send sum add JSON`")]);
  expect([kept.code, JSON.parse(kept.out)]).toMatchObject([2, { ok: false, error: { code: "cli.usage" } }]);
  expect([asked.code, written.code, both.code]).toEqual([2, 0, 2]);
  expect((await glia("agent", "queue", "--json")).out).toContain('"waiting":[]');
});

test("an ask that times out says that the agent waits for a replica", async () => {
  const spawn = ["agent", "spawn", "sum/agent.ts", "--as", "held", "--replicas", "2", "--name", "hub"];
  expect((await glia(...spawn)).code).toBe(0);
  const [ask, tell] = await Promise.all([
    glia("agent", "ask", "held", "add", "1", "--timeout", "1", "--json"),
    glia("agent", "send", "held", "add", "1", "--timeout", "1"),
  ]);
  expect(JSON.parse(ask.out)).toMatchObject({ ok: false, error: { code: "cli.agent-waits" } });
  expect([tell.code, tell.err]).toEqual([
    1,
    expect.stringContaining("waits for a replica, which is missing"),
  ]);
  expect((await glia("agent", "terminate", "held")).code).toBe(0);
});

test("a definition that cannot run in a guest does not start, and names what it imports; a used folder makes no project", async () => {
  writeFileSync(
    join(base, "files.ts"),
    `import { readFileSync } from "node:fs";\n${AGENT}console.log(readFileSync);`,
  );
  const [spawned, made] = await Promise.all([glia("agent", "spawn", "files.ts"), glia("new", "sum")]);
  expect([spawned.code, spawned.err]).toEqual([1, expect.stringContaining("node:fs")]);
  expect([made.code, made.err]).toEqual([1, expect.stringContaining("is not empty")]);
});

test("AA1: of an agent whose node is gone nobody claims what it takes: an input waits for it, and without one the command says who is away", async () => {
  const token = JSON.parse((await glia("mesh", "token", "create", "--json")).out) as { joinLine: string };
  const edge = await startReadyNode(["mesh", "join", token.joinLine, "--name", "edge"], env);
  const on = ["--name", "hub", "--on", "edge"];
  expect((await glia("agent", "spawn", "sum/agent.ts", "--as", "away", ...on)).code).toBe(0);
  edge.child.kill("SIGKILL");
  await edge.result;
  const ask = (...args: string[]) => glia("agent", "ask", "away", ...args, "--name", "hub", "--timeout", "1");
  const [input, bare] = await Promise.all([ask("add", "1"), ask("total", "--json")]);
  expect([input.code, input.err]).toEqual([1, expect.stringContaining("did not answer add within 1000 ms")]);
  expect(JSON.parse(bare.out)).toMatchObject({ ok: false, error: { code: "cli.agent-away" } });
});
