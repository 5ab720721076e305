import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type HttpServer, loadOrCreateHttpToken, type NodeStatus, serveHttp } from "../src/index.ts";

const TOKEN = "t".repeat(43);
const well = { healthScore: 0, quorum: "whole", agentsStalled: false };
const statusWith = (health: object): NodeStatus =>
  ({
    name: "core",
    role: "core",
    members: [],
    wire: {},
    hosting: 3,
    health: { ...well, ...health },
  }) as never;

let server: HttpServer;
let status: () => Promise<NodeStatus>;
let metrics: () => Promise<string>;
beforeEach(async () => {
  status = async () => statusWith({});
  metrics = async () => "up 1\n";
  const node = { status: () => status(), metrics: () => metrics() };
  server = await serveHttp({ node, bind: { host: "127.0.0.1", port: 0 }, token: TOKEN });
});
afterEach(() => server.close());

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** `fetch` would not let a test choose Host and Origin. */
function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { host, port } = server.address;
    const sent = request({ host, port, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode, body, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const bearer = { authorization: `Bearer ${TOKEN}` };

describe("a node over HTTP", () => {
  test("HS3: metrics and health need the token; a wrong one, a longer one or another scheme does not open them", async () => {
    for (const path of ["/metrics", "/__health"]) {
      for (const authorization of [
        undefined,
        "",
        "Bearer",
        `Bearer ${TOKEN}x`,
        `Basic ${TOKEN}`,
        `Bearer ${"u".repeat(43)}`,
      ]) {
        const reply = await ask(path, authorization === undefined ? {} : { authorization });
        expect([path, authorization, reply.status]).toEqual([path, authorization, 401]);
        expect(reply.headers["www-authenticate"]).toMatch(/^Bearer/);
        expect(reply.body).not.toContain("up 1");
      }
      expect((await ask(path, bearer)).status).toBe(200);
    }
  });

  test("metrics have the type that Prometheus asks for, and HEAD has no body", async () => {
    const reply = await ask("/metrics?name=x", bearer);
    expect([reply.body, reply.headers["content-type"]]).toEqual([
      "up 1\n",
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    expect(await ask("/metrics", bearer, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  test("readyz and healthz need no token and tell nothing but whether", async () => {
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
  });

  test.each([
    [{ quorum: "lost" }, "no majority of the mesh is in reach\n"],
    [{ agentsStalled: true }, "the agents' thread stands still\n"],
  ])("a node with %j is alive and not ready, and says why", async (health, why) => {
    status = async () => statusWith(health);
    expect(await ask("/readyz")).toMatchObject({ status: 503, body: why });
    expect((await ask("/healthz")).status).toBe(200);
    expect(JSON.parse((await ask("/__health", bearer)).body)).toMatchObject({
      status: "unready",
      agents: 3,
      health,
    });
  });

  test("HS5: a node that fails to answer is not well", async () => {
    status = () => Promise.reject(new RangeError("its thread has ended"));
    expect(await ask("/healthz")).toMatchObject({ status: 503, body: "its thread has ended\n" });
    metrics = () => new Promise(() => {});
    expect(await ask("/metrics", bearer)).toMatchObject({
      status: 503,
      body: "the node did not answer in time\n",
    });
  });

  test("HS2: a name that is made to point here is refused, a number or localhost is served, a page never", async () => {
    const { port } = server.address;
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "a b", "[evil]"])
      expect([host, (await ask("/healthz", { host })).status]).toEqual([host, 421]);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "192.0.2.7:9464", "[::1]:80", "LOCALHOST"])
      expect([host, (await ask("/healthz", { host })).status]).toEqual([host, 200]);
    for (const origin of ["null", "http://evil.example", `http://127.0.0.1:${port}`])
      expect((await ask("/metrics", { ...bearer, origin })).status).toBe(403);
  });

  test("HS1: other paths and methods are refused", async () => {
    for (const path of ["/", "/metrics/", "/../metrics", "/__HEALTH", "//metrics"])
      expect([path, (await ask(path, bearer)).status]).toEqual([path, 404]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const reply = await ask("/metrics", bearer, method);
      expect([method, reply.status, reply.headers["allow"]]).toEqual([method, 405, "GET, HEAD"]);
    }
  });

  test("HS4: the node is read once at a time; who asks meanwhile gets that reading", async () => {
    let running = 0;
    let most = 0;
    metrics = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return "up 2\n";
    };
    const replies = await Promise.all(Array.from({ length: 40 }, () => ask("/metrics", bearer)));
    expect(replies.map(({ body }) => body)).toEqual(replies.map(() => "up 2\n"));
    expect(most).toBe(1);
  });

  test("rubbish on the socket ends that connection only", async () => {
    const { host, port } = server.address;
    const socket = connect(port, host);
    socket.on("error", () => {}).resume();
    socket.end(Buffer.from([0, 255, 1, 2, 3, 13, 10, 13, 10]));
    await new Promise((resolve) => socket.once("close", resolve));
    expect((await ask("/healthz")).status).toBe(200);
  });

  test("a port that is taken is refused, and a closed server is gone", async () => {
    const node = { status, metrics };
    const twice = serveHttp({ node, bind: server.address, token: TOKEN });
    expect(await twice.catch(errorCodeOf)).toBe("daemon.http-listen");
    await Promise.all([server.close(), server.close()]);
    await expect(ask("/healthz")).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("the token's file", () => {
  let base: string;
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), "glia-token-"));
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  test("HT1: is made once, for its user only, and kept", () => {
    const path = join(base, "http-token");
    const token = loadOrCreateHttpToken(path);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(loadOrCreateHttpToken(path)).toBe(token);
    expect(readFileSync(path, "utf8")).toBe(`${token}\n`);
  });

  test("HT1: one that others may read, or that holds something else, is refused and stays as it is", () => {
    const path = join(base, "http-token");
    const codeOf = (): unknown => {
      try {
        return loadOrCreateHttpToken(path);
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    loadOrCreateHttpToken(path);
    chmodSync(path, 0o644);
    expect(codeOf()).toBe("daemon.token-file");
    chmodSync(path, 0o600);
    writeFileSync(path, "short\n");
    expect(codeOf()).toBe("daemon.token-file");
    expect(readFileSync(path, "utf8")).toBe("short\n");
  });
});
