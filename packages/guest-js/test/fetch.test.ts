/** `fetch` of agents (FE1 to FE3 of guest/fetch.ts, OU1 and OU2 of run/outside.ts), against a real server on this machine. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { WasmProgram } from "@glia-os/wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AgentRequest,
  type AgentRun,
  goldenState,
  resumeAgentRun,
  unpackAgentRun,
} from "../src/run/index.ts";
import { admitted, inline } from "./agent-modules.ts";
import { Driven } from "./drive.ts";

const api = `import { inbox, sys } from "@glia-os/guest-js";`;
const ASKING = `${api}
  for await (const m of inbox) {
    const { url, init } = m.json<{ url: string; init?: RequestInit }>();
    try {
      const response = await fetch(url, init);
      m.reply({ ok: response.ok, status: response.status, type: response.headers.get("Content-Type"), url: response.url, body: await response.text() });
    } catch (error) {
      m.reply({ name: error.name, code: error.code, host: error.hostCode, message: error.message });
    }
  }`;

let server: Server;
let origin: string;
let asking: WasmProgram;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      const status = request.url === "/missing" ? 404 : 200;
      response.writeHead(status, {
        "content-type": "text/plain",
        "x-got": request.headers["x-mine"] ?? "none",
      });
      response.end(
        request.url === "/big"
          ? "x".repeat(2_000_000)
          : `${request.method} ${body} ${request.headers["x-mine"]}`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  asking = await admitted(await inline(ASKING));
});
afterAll(() => void server.close());

/** Make a request with Node's own client and answer it. */
async function perform(run: AgentRun, { id, url, method, headers, body }: AgentRequest): Promise<boolean> {
  const content = body.length === 0 ? {} : { body };
  const response = await fetch(url, { method, headers, ...content });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return run.respond(id, {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: bytes,
  });
}

/** Ask, make the requests it leads to, and give the reply. */
async function ask(agent: Driven, message: unknown): Promise<unknown> {
  const number = agent.run.send(Buffer.from(JSON.stringify(message)));
  for (;;) {
    agent.run.run();
    const reply = agent.replies.find(([n]) => n === number)?.[1];
    if (reply !== undefined) return JSON.parse(reply);
    const request = agent.requests.shift();
    if (request === undefined) throw new TypeError(`the agent ${JSON.stringify(agent.run.state)}`);
    expect(await perform(agent.run, request)).toBe(true);
  }
}

describe("fetch", () => {
  it("asks with method, headers and body, and gives status, headers and body of what a server answers", async () => {
    const agent = new Driven(asking);
    const init = { method: "post", headers: { "X-Mine": "yes" }, body: "grün" };
    expect(await ask(agent, { url: `${origin}/a`, init })).toEqual({
      ok: true,
      status: 200,
      type: "text/plain",
      url: `${origin}/a`,
      body: "POST grün yes",
    });
    expect(await ask(agent, { url: `${origin}/missing` })).toMatchObject({ ok: false, status: 404 });
    expect(seen).toEqual(["POST /a", "GET /missing"]);
  });

  it("is refused without the capability, with an error the agent can catch and a code, and the agent goes on", async () => {
    const agent = new Driven(asking, {}, false);
    for (let i = 0; i < 2; i++)
      expect(await ask(agent, { url: `${origin}/never` })).toMatchObject({
        name: "GuestError",
        code: "refused",
        host: "E_GONE",
      });
    expect(seen).not.toContain("GET /never");
  });

  it("rejects with what the host says of a failure, and with E_TOO_BIG for an answer over the message limit", async () => {
    const agent = new Driven(asking);
    const number = agent.run.send(Buffer.from(JSON.stringify({ url: "http://nowhere.invalid/" })));
    agent.run.run();
    const id = agent.requests.shift()?.id ?? 0;
    expect(agent.run.respond(id, { code: "host.fetch-failed", message: "no such host" })).toBe(true);
    agent.run.run();
    expect(JSON.parse(agent.replies.find(([n]) => n === number)?.[1] ?? "")).toEqual({
      name: "GuestError",
      code: "failed",
      host: "host.fetch-failed",
      message: "no such host",
    });
    expect(await ask(agent, { url: `${origin}/big` })).toMatchObject({ code: "refused", host: "E_TOO_BIG" });
    expect(await ask(agent, { url: `${origin}/after` })).toMatchObject({ status: 200 });
  });

  it("refuses headers that are none before anything is asked", async () => {
    const agent = new Driven(asking);
    for (const headers of [{ "a b": "c" }, { a: "b\r\nc: d" }])
      expect(await ask(agent, { url: origin, init: { headers } })).toMatchObject({ code: "bad-argument" });
    expect(agent.requests).toEqual([]);
  });

  it("moves with an agent that waits for it, and is answered once, where the agent is (FE2, OU1)", async () => {
    const agent = new Driven(asking);
    const golden = goldenState(asking);
    const number = agent.run.send(Buffer.from(JSON.stringify({ url: `${origin}/moved` })));
    agent.run.run();
    const [before] = agent.requests.splice(0) as [AgentRequest];
    expect(agent.run.call).toBe("glia.sys.v1/fetch");
    const left = agent.run;
    agent.run = resumeAgentRun(asking, left.freeze(), agent.ports());
    expect(await perform(left, before)).toBe(false);
    agent.run.run();
    const [second] = agent.requests.splice(0) as [AgentRequest];
    expect(second).toEqual(before);
    agent.run = unpackAgentRun(asking, agent.run.pack(golden), agent.ports(), {}, golden);
    expect(agent.run.state).toEqual({ kind: "ready" });
    agent.run.run();
    const [there] = agent.requests.splice(0) as [AgentRequest];
    expect(await perform(agent.run, there)).toBe(true);
    expect(agent.run.respond(there.id, { code: "late", message: "again" })).toBe(false);
    agent.run.run();
    expect(agent.replies.filter(([n]) => n === number)).toHaveLength(1);
    expect(agent.replies.at(-1)?.[1]).toContain('"status":200');
  });

  it("cannot go on where no fetch is offered (OU2)", () => {
    const agent = new Driven(asking);
    agent.run.run();
    const frozen = agent.run.freeze();
    expect(() => resumeAgentRun(asking, frozen, new Driven(asking, {}, false).ports())).toThrow(
      /the capability http/,
    );
  });

  it("makes requests one after the other, in order, while messages and timers wait (FE1)", async () => {
    const program = await admitted(
      await inline(`${api}
        const order: string[] = [];
        setTimeout(() => order.push("timer"), 5);
        for await (const m of inbox) {
          const all = ["/1", "/2", "/3"].map(async (path) => order.push(await (await fetch(m.text() + path)).text()));
          order.push("asked");
          await Promise.all(all);
          const once = new Response("body");
          await once.text();
          const twice = await once.text().catch((error) => error.code);
          m.reply([order, once.bodyUsed, twice]);
        }`),
    );
    const agent = new Driven(program);
    const number = agent.run.send(Buffer.from(origin));
    for (let i = 0; i < 3; i++) {
      agent.run.run();
      agent.nowMs += 10;
      expect(agent.requests).toHaveLength(1);
      expect(agent.run.state).toEqual({ kind: "waiting", untilMs: Infinity });
      await perform(agent.run, agent.requests.shift() as AgentRequest);
    }
    agent.run.run(100);
    const texts = ["GET  undefined", "GET  undefined", "GET  undefined"];
    const [order, used, twice] = JSON.parse(agent.replies.find(([n]) => n === number)?.[1] ?? "null");
    expect(order.filter((one: string) => one !== "timer")).toEqual(["asked", ...texts]);
    expect(order).toContain("timer");
    expect([used, twice]).toEqual([true, "bad-argument"]);
  });

  it("keeps at most so many requests waiting", async () => {
    const program = await admitted(
      await inline(`${api}
        for await (const m of inbox) {
          let code = "";
          for (let i = 0; i < 300; i++) fetch("http://x/").catch((error) => (code ||= i + error.hostCode));
          await null;
          await null;
          sys.log("info", code);
          sys.exit();
        }`),
    );
    const agent = new Driven(program);
    agent.run.send(new Uint8Array());
    agent.run.run();
    expect(agent.logs).toEqual(["2 256E_LIMIT"]);
  });
});

it("an agent that does not fetch asks for nothing but glia.v1, and one that does for glia.sys.v1", async () => {
  expect((await inline(`${api} await inbox.receive();`)).grants).toEqual(["glia.v1"]);
  expect((await inline(ASKING)).grants).toEqual(["glia.v1", "glia.sys.v1"]);
});
