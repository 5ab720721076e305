/** An agent in TypeScript that fetches, on real nodes. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type LocalNode, type NodeServices } from "@glia-os/daemon";
import { type AgentModule, buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, expect, test } from "vitest";

const SOURCE = `
  import { inbox } from "@glia-os/guest-js";
  let asked = 0;
  for await (const message of inbox) {
    asked++;
    try {
      const response = await fetch(message.text(), { method: "POST", body: String(asked), headers: { "x-asked": "yes" } });
      message.reply([asked, response.status, await response.text()]);
    } catch (error) {
      message.reply([asked, error.code, error.hostCode]);
    }
  }`;

const base = mkdtempSync(join(tmpdir(), "glia-agent-fetch-"));
const nodes: LocalNode[] = [];
const held: (() => void)[] = [];
let server: Server;
let origin: string;
let module: AgentModule;
let requested: () => void = () => undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece));
    request.on("end", () => {
      const answer = (): void => void response.end(`${request.url} ${body} ${request.headers["x-asked"]}`);
      if (request.url === "/slow") held.push(answer);
      else answer();
      requested();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  module = await buildAgent({ source: SOURCE, name: "agent.ts" });
}, 120_000);
afterAll(async () => {
  for (const node of nodes.reverse()) await node.stop();
  server.closeAllConnections();
  server.close();
  rmSync(base, { recursive: true, force: true });
});

async function node(name: string, services: NodeServices, line?: string): Promise<LocalNode> {
  const made = await createNode({
    dataDir: join(base, name),
    name,
    role: line === undefined ? "core" : "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: line === undefined ? { kind: "new-cluster" } : { kind: "join", line },
    services,
  });
  nodes.push(made);
  return made;
}

test("an agent in TypeScript fetches what its node allows, also while it moves, and is told by a code what is not", async () => {
  const http = { origins: [origin], privateAddresses: true };
  const core = await node("core", { http });
  const edge = await node("edge", { http }, await core.createJoinLine({ ttlMs: 60_000, uses: 1 }));
  const grants = [...module.grants, "service/http"];
  const { agent } = await core.spawn({ name: "asks", module: module.bytes, grants });
  const ask = async (text: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await core.ask("asks", new TextEncoder().encode(text), 30_000)));
  expect(await ask(`${origin}/a`)).toEqual([1, 200, "/a 1 yes"]);
  expect(await ask("http://127.0.0.1:1/")).toEqual([2, "failed", expect.stringMatching(/^host\./)]);

  const { promise: reached, resolve } = Promise.withResolvers<void>();
  requested = resolve;
  const pending = ask(`${origin}/slow`);
  await reached;
  const moved = core.migrate(agent, (await edge.status()).node);
  requested = () => held.splice(0).forEach((answer) => void answer());
  requested();
  await moved;
  expect(await pending).toEqual([3, 200, "/slow 3 yes"]);
  expect(await ask(`${origin}/b`)).toEqual([4, 200, "/b 4 yes"]);

  const { agent: without } = await core.spawn({
    name: "holds-nothing",
    module: module.bytes,
    grants: module.grants,
  });
  expect(without).not.toBe(agent);
  const refused = await core.ask("holds-nothing", new TextEncoder().encode(origin), 20_000);
  expect(JSON.parse(new TextDecoder().decode(refused))).toEqual([1, "refused", "E_GONE"]);
}, 120_000);
