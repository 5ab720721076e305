import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { READERS_MAX } from "../src/http-events.ts";
import { type HttpServer, serveHttp } from "../src/index.ts";
import { ENTRIES_MAX, LogRing } from "../src/logs/log-ring.ts";

const TOKEN = "t".repeat(43);
let server: HttpServer;
let ring: LogRing;
const open: ClientRequest[] = [];

beforeEach(async () => {
  ring = new LogRing(() => 5);
  const node = { status: async () => ({}) as never, metrics: async () => "" };
  const logs = { logs: (question: object) => ring.ask(question) };
  server = await serveHttp({ node, logs, bind: { host: "127.0.0.1", port: 0 }, token: TOKEN });
});
afterEach(async () => {
  for (const each of open.splice(0)) each.destroy();
  await server.close();
});

function ask(
  headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port } = server.address;
    const sent = request({ host, port, path: "/events", headers, agent: false }, resolve);
    open.push(sent);
    sent.on("error", reject);
    sent.end();
  });
}

/** What comes until it contains `text`. */
async function until(response: IncomingMessage, text: string): Promise<string> {
  let seen = "";
  for await (const chunk of response) {
    seen += String(chunk);
    if (seen.includes(text)) return seen;
  }
  throw new RangeError(`the stream ended after ${seen}`);
}

describe("events over HTTP", () => {
  test("what is kept comes first, then what happens, each with its number (HE1)", async () => {
    ring.line("info", "first", { a: 1 });
    const response = await ask();
    expect(response.headers["content-type"]).toBe("text/event-stream");
    ring.event({ kind: "agents", change: "stalled" });
    const seen = await until(response, "stalled");
    const first = { seq: 1, atMs: 5, level: "info", message: "first", fields: { a: 1 } };
    expect(seen.split("\n\n").slice(0, 2)).toEqual([
      `id: 1\nevent: log\ndata: ${JSON.stringify(first)}`,
      expect.stringMatching(
        /^id: 2\nevent: node-event\ndata: \{"seq":2,.*"event":\{"kind":"agents","change":"stalled"\}\}$/,
      ),
    ]);
  });

  test("a reader that comes back goes on after the last it had, and hears how much was not kept (HE1)", async () => {
    for (let n = 0; n < ENTRIES_MAX + 7; n++) ring.line("info", `line ${n}`, {});
    const authorization = `Bearer ${TOKEN}`;
    const late = await ask({ authorization, "last-event-id": "3" });
    expect(await until(late, "\n\nid:")).toMatch(/^event: missed\ndata: 4\n\nid: 8\n/);
    const last = await ask({ authorization, "last-event-id": String(ENTRIES_MAX + 6) });
    expect(await until(last, "}\n\n")).toMatch(new RegExp(`^id: ${ENTRIES_MAX + 7}\n`));
  });

  test("the token is needed, pages of browsers are refused, and readers are bounded (HE2)", async () => {
    expect((await ask({})).statusCode).toBe(401);
    const authorization = `Bearer ${TOKEN}`;
    expect((await ask({ authorization, origin: "http://127.0.0.1" })).statusCode).toBe(403);
    const readers = await Promise.all(Array.from({ length: READERS_MAX }, () => ask()));
    expect(readers.map(({ statusCode }) => statusCode)).toEqual(readers.map(() => 200));
    expect((await ask()).statusCode).toBe(503);
    readers[0]?.destroy();
    await expect.poll(async () => (await ask()).statusCode).toBe(200);
  });
});
