/** Agents that are wrong, greedy or hostile: each gets a typed answer, and the host goes on. */

import { expect, it } from "vitest";
import {
  AgentFailedError,
  AgentTooBigError,
  BuildLimitError,
  BundleFailedError,
  buildScript,
  CODE_BYTES_MAX,
  EngineMismatchError,
  positionMapper,
} from "../src/module/index.ts";
import { RunStateError } from "../src/run/index.ts";
import { admitted, engine, inline } from "./agent-modules.ts";
import { Driven, drive } from "./drive.ts";

const api = `import { inbox, sys } from "@glia-os/guest-js";`;

it("a syntax error is refused with its place in the source", async () => {
  const failure = inline("const x: number = ;\n");
  await expect(failure).rejects.toThrow(BundleFailedError);
  await expect(failure).rejects.toThrow(/agent\.ts:1:19: Unexpected ";"/);
});

it("an import that is not there, and one of Node's modules, are refused by name", async () => {
  await expect(inline('import "no-such-package";')).rejects.toThrow('Could not resolve "no-such-package"');
  await expect(inline('import { readFileSync } from "node:fs"; readFileSync;')).rejects.toThrow("node:fs");
});

it("a file that is not there is refused", async () => {
  const { buildAgent } = await import("../src/module/index.ts");
  await expect(buildAgent({ entry: "no/such/agent.ts" })).rejects.toThrow(
    "there is no file no/such/agent.ts",
  );
});

it("a program that throws at its top is refused with the position in its TypeScript", async () => {
  const failure = inline(`${api}
interface Unused { a: string }
function broken(value: unknown): never {
  throw new TypeError("not " + value);
}
broken("this");`);
  await expect(failure).rejects.toThrow(AgentFailedError);
  await expect(failure).rejects.toThrow(/TypeError: not this\n\s+at broken \(agent\.ts:4:\d+\)/);
});

it("a promise nobody handles fails the agent, at its start and later, with mapped positions", async () => {
  await expect(inline("Promise.reject(new RangeError('early'));")).rejects.toThrow("RangeError: early");
  const module = await inline(`${api}
for await (const m of inbox) void later(m.text());
async function later(text: string) {
  await null;
  throw new Error("bad " + text);
}`);
  const agent = await drive(module);
  agent.ask("luck");
  expect(agent.run.state).toEqual({ kind: "ended", status: 1 });
  const mapped = positionMapper(module.map)(agent.logs.join("\n"));
  expect(mapped).toMatch(/^4 Error: bad luck\n\s+at later \(agent\.ts:5:\d+\)/);
});

it("a rejection that is handled in time does no harm", async () => {
  const agent = await drive(
    await inline(`${api}
const p = Promise.reject(new Error("x"));
p.catch(() => {});
for await (const m of inbox) m.reply("fine");`),
  );
  expect(agent.ask("?")).toBe("fine");
});

it("a throwing timer and thrown values that are no errors end the agent with what was thrown", async () => {
  const agent = await drive(
    await inline(
      `${api} setTimeout(() => { throw { toString: () => "plain" }; }, 1); await inbox.receive();`,
    ),
  );
  agent.nowMs += 1;
  agent.run.run();
  expect(agent.run.state).toEqual({ kind: "ended", status: 1 });
  expect(agent.logs.join()).toContain("plain");
});

it("an endless loop is cut into slices: the host keeps control, can freeze it in the middle and end it", async () => {
  const agent = await drive(await inline(`${api} await inbox.receive(); for (;;) {}`));
  agent.run.send(Buffer.from("go"));
  expect(agent.run.run(50)).toEqual({ kind: "ready" });
  expect(agent.run.run(50)).toEqual({ kind: "ready" });
  agent.run.stop();
  expect(agent.run.state.kind).toBe("failed");
  expect(() => agent.run.send(Buffer.from("x"))).toThrow(RunStateError);
});

it("an endless loop at the top of a program is refused at build time", async () => {
  await expect(inline("for (;;) {}", { slices: 20 })).rejects.toThrow(BuildLimitError);
});

it("a memory bomb is an error the agent can catch, and it goes on", async () => {
  const agent = await drive(
    await inline(`${api}
for await (const m of inbox) {
  let said = "";
  try { const all: string[] = []; for (;;) all.push("x".repeat(1_000_000) + all.length); } catch (e) { said = String(e); }
  m.reply(said);
}`),
    { limits: { memoryPages: 256 } },
  );
  expect(agent.ask("1")).toBe("InternalError: out of memory");
  expect(agent.ask("2")).toBe("InternalError: out of memory");
  expect(agent.run.memoryBytes).toBeLessThanOrEqual(256 * 65_536);
});

it("a message longer than the limit is refused before it reaches the agent, and a reply longer than it is refused to the agent", async () => {
  const agent = await drive(
    await inline(`${api}
for await (const m of inbox) { try { m.reply("x".repeat(m.json())); } catch (e) { m.reply(e.hostCode); } }`),
    { limits: { messageBytes: 1000 } },
  );
  expect(agent.ask("1001")).toBe("E_TOO_BIG");
  expect(agent.ask("3")).toBe("xxx");
});

it("the mailbox of a run is bounded", async () => {
  const agent = await drive(await inline(`${api} await inbox.receive();`), { mailboxMessages: 2 });
  agent.run.send(new Uint8Array(1));
  agent.run.send(new Uint8Array(1));
  expect(() => agent.run.send(new Uint8Array(1))).toThrow("has 2 messages waiting, its limit");
});

it("timers are bounded", async () => {
  const agent = await drive(
    await inline(`${api}
let set = 0;
try { for (;;) { setTimeout(() => {}, 1e6); set++; } } catch (e) { (await inbox.receive()).reply([set, e.hostCode]); sys.exit(); }`),
  );
  expect(agent.ask("?")).toBe('[65536,"E_LIMIT"]');
});

it("code beyond the limit is refused before the engine sees it", async () => {
  const code = `/*${" ".repeat(CODE_BYTES_MAX)}*/`;
  await expect(buildScript(code, { engine: await engine() })).rejects.toThrow(AgentTooBigError);
});

it("a script without the guest API is refused, and so are modules that are not the engine", async () => {
  await expect(buildScript("1", { engine: await engine() })).rejects.toThrow(AgentFailedError);
  const other = (await inline(`${api} await inbox.receive();`)).bytes;
  await expect(buildScript("1", { engine: other })).rejects.toThrow(EngineMismatchError);
});

it("a program that waits at its top is started at spawn instead, or refused when it must start at build time", async () => {
  const source = `${api} const m = sys.receive(); m.reply("got " + m.text()); sys.exit(3);`;
  const module = await inline(source);
  expect(module.startedAt).toBe("spawn");
  const agent = new Driven(await admitted(module));
  agent.run.run();
  expect(agent.ask("it")).toBe("got it");
  expect(agent.run.state).toEqual({ kind: "ended", status: 3 });
  await expect(inline(source, { start: "build" })).rejects.toThrow("its program waits at its top");
});

it("recursion without end fails this agent alone, with a typed error", async () => {
  const module = await inline(
    `${api} for await (const m of inbox) { const f = (n: number): number => 1 + f(n + 1); m.reply(String(f(0))); }`,
  );
  const agent = await drive(module);
  agent.ask("x");
  const { state } = agent.run;
  expect(state.kind).toBe("failed");
  expect(state.kind === "failed" && (state.error as { code: string }).code).toMatch(
    /wasm\.(stack-exhausted|guest-trapped)/,
  );
  const other = await drive(module);
  expect(other.run.state.kind).toBe("waiting");
});

it("one call of a built-in function that does not end in time is ended by fuel, and the host goes on", async () => {
  const module = await inline(
    `${api} for await (const m of inbox) m.reply(JSON.parse("[" + "1,".repeat(m.json()) + "1]").length);`,
  );
  const agent = await drive(module, { sliceFuel: 100_000_000 });
  expect(agent.ask("1000")).toBe("1001");
  agent.ask("3000000");
  expect(agent.run.state).toMatchObject({ kind: "failed", error: { code: "wasm.fuel-exhausted" } });
});

it("a regular expression that backtracks without end is cut into slices", async () => {
  const agent = await drive(
    await inline(`${api} for await (const m of inbox) m.reply(/^(a+)+$/.test("a".repeat(m.json()) + "b"));`),
  );
  expect(agent.ask("10")).toBe("false");
  agent.run.send(Buffer.from("40"));
  expect(agent.run.run(30)).toEqual({ kind: "ready" });
});

it("the same sources give the same module", async () => {
  const source = `${api} const at = Math.random(); for await (const m of inbox) m.reply(at);`;
  expect((await inline(source)).hash).toBe((await inline(source)).hash);
});
