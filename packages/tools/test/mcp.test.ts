import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CancelSource } from "@glia-os/kernel/services";
import { connectMcpServer, type McpOptions, type McpServer } from "@glia-os/tools";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { serverOf } from "./fixtures/server.ts";

const FIXTURE = new URL("./fixtures/server.ts", import.meta.url).pathname;
const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function connect(options: Partial<McpOptions> = {}): Promise<McpServer> {
  const server = { kind: "stdio", command: process.execPath, args: [FIXTURE] } as const;
  const connected = await connectMcpServer({ name: "fixture", server, ...options });
  open.push(connected);
  return connected;
}

/** The same server over HTTP; returns its address. */
async function serveHttp(): Promise<string> {
  const handler = createMcpHandler(serverOf);
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = parts.length === 0 ? {} : { body: Buffer.concat(parts) };
    const headers = request.headers as Record<string, string>;
    const asked = new Request(`http://127.0.0.1${request.url}`, {
      method: request.method ?? "GET",
      headers,
      ...body,
    });
    const answer = await handler.fetch(asked);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const part of answer.body ?? []) response.write(part);
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  open.push({
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await handler.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

async function failure(promise: Promise<unknown>) {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; message: string; details: Record<string, unknown> };
  }
  throw new RangeError("it did not fail");
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function call(server: McpServer, name: string, input: unknown = {}, cancel = new CancelSource()) {
  return (await server.tool(name)).run(input, cancel, "key");
}

describe.each(["stdio", "http"] as const)("over %s", (kind) => {
  const connected = async (options: Partial<McpOptions> = {}) =>
    kind === "stdio"
      ? connect(options)
      : connect({ server: { kind: "http", url: await serveHttp() }, ...options });

  test("tools are listed by name with their schemas, and a call gives content and structured answer", async () => {
    const server = await connected();
    const tools = await server.list();
    expect(tools.map(({ name }) => name)).toEqual([
      "add",
      "die",
      "fail",
      "flood",
      "hang",
      "mutable",
      "mutate",
      "stopped",
    ]);
    expect(tools[0]).toMatchObject({ description: "Adds two numbers.", input: { type: "object" } });
    expect(await call(server, "add", { a: 2, b: 3 })).toEqual({
      content: [{ type: "text", text: "5" }],
      structured: { sum: 5 },
    });
  });

  test("MC2: an input that does not fit the schema is refused before it is sent, with the place", async () => {
    const server = await connected();
    expect(await failure(call(server, "add", { a: "2", b: 3 }))).toMatchObject({
      code: "tools.invalid-input",
      details: { tool: "fixture/add", where: "#/a" },
    });
    expect((await failure(call(server, "add", { a: 1, b: 2, c: 3 }))).code).toBe("tools.invalid-input");
  });

  test("MC2: an answer beyond its limit is refused, and the connection goes on", async () => {
    const server = await connected({ outputLimit: 1_000 });
    expect((await failure(call(server, "flood", { units: 5_000 }))).code).toBe("tools.too-large");
    expect(await call(server, "flood", { units: 10 })).toEqual({
      content: [{ type: "text", text: "x".repeat(10) }],
    });
  });

  test("what a tool says of its failure comes back as an error", async () => {
    expect(await failure(call(await connected(), "fail"))).toMatchObject({
      code: "tools.failed",
      message: expect.stringContaining("the disk is full"),
    });
  });

  test("MC3: a late call fails by its time limit, and so does one that is cancelled", async () => {
    const server = await connected({ timeoutMs: 2_000 });
    expect(await failure(call(server, "hang"))).toMatchObject({
      code: "tools.timeout",
      details: { timeoutMs: 2_000 },
    });
    const cancel = new CancelSource();
    const hanging = failure((await server.tool("hang")).run({}, cancel, "key"));
    cancel.cancel("no longer needed");
    expect((await hanging).code).toMatch(/^tools\./);
    expect(await call(server, "add", { a: 1, b: 1 })).toMatchObject({ structured: { sum: 2 } });
  });

  test("a tool that is not there is unknown", async () => {
    expect((await failure((await connected()).tool("nothing"))).code).toBe("tools.unknown");
  });
});

test("MC3: a cancelled call is told to the server", async () => {
  const server = await connect();
  const cancel = new CancelSource();
  const hang = await server.tool("hang");
  const hanging = failure(hang.run({}, cancel, "key"));
  // Answered after the call that hangs has arrived: one pipe keeps the order.
  await call(server, "add", { a: 1, b: 1 });
  cancel.cancel("enough");
  await hanging;
  expect(await call(server, "stopped")).toEqual({ content: [{ type: "text", text: "1" }] });
});

test("MC1: a tool whose definition changed is refused until it is taken anew", async () => {
  const server = await connect();
  const taken = await server.tool("mutable");
  const never = new CancelSource();
  expect(await taken.run({}, never, "key")).toMatchObject({ content: [{ text: "done" }] });
  await call(server, "mutate");
  expect(await failure(taken.run({}, never, "key"))).toMatchObject({
    code: "tools.changed",
    details: { tool: "fixture/mutable" },
  });
  expect(await call(server, "mutable")).toMatchObject({ content: [{ text: "done" }] });
});

test("MC3: closing fails calls that are out, ends the process, and may be asked twice", async () => {
  const server = await connect();
  const { pid } = server;
  expect(alive(pid!)).toBe(true);
  const hanging = failure(call(server, "hang"));
  await call(server, "add", { a: 1, b: 1 });
  await Promise.all([server.close(), server.close()]);
  expect((await hanging).code).toBe("tools.closed");
  expect(alive(pid!)).toBe(false);
  expect((await failure(server.list())).code).toBe("tools.closed");
  expect(server.pid).toBeUndefined();
});

test("a server that dies while a call is out fails it, and later calls say that it is closed", async () => {
  const server = await connect();
  const add = await server.tool("add");
  expect((await failure(call(server, "die"))).code).toBe("tools.closed");
  expect((await failure(add.run({ a: 1, b: 2 }, new CancelSource(), "key"))).code).toBe("tools.closed");
});

test("a message beyond messageBytes ends the call instead of filling the memory", async () => {
  const server = await connect({ messageBytes: 20_000 });
  expect((await failure(call(server, "flood", { units: 1_000_000 }))).code).toMatch(
    /^tools\.(?:closed|remote|too-large)$/,
  );
});

test("a program that is missing or ends at once is no server", async () => {
  const node = process.execPath;
  for (const [command, args] of [
    ["/nowhere/server", []],
    [node, ["-e", "console.error('no config'); process.exit(1)"]],
  ] as const) {
    const made = connectMcpServer({
      name: "bad",
      server: { kind: "stdio", command, args },
      timeoutMs: 3_000,
    });
    expect((await failure(made)).code).toBe("tools.connect-failed");
  }
});

test("MC3: a program that speaks no MCP is no server, and nothing of it is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "glia-mcp-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "pid");
  const program = `require("node:fs").writeFileSync(${JSON.stringify(file)}, String(process.pid)); console.log('hello'); setInterval(() => {}, 1000)`;
  const server = { kind: "stdio", command: process.execPath, args: ["-e", program] } as const;
  const made = connectMcpServer({ name: "deaf", server, timeoutMs: 3_000 });
  expect((await failure(made)).code).toBe("tools.connect-failed");
  const pid = Number(readFileSync(file, "utf8"));
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test("options out of range are refused before anything is started", async () => {
  const server = { kind: "stdio", command: process.execPath } as const;
  for (const bad of [
    { name: "" },
    { timeoutMs: 0 },
    { messageBytes: 2 ** 40 },
    { server: { kind: "http", url: "file:///etc" } as const },
  ])
    expect((await failure(connectMcpServer({ name: "x", server, ...bad }))).code).toBe(
      "tools.bad-definition",
    );
});
