import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HttpRequest, HttpResponse } from "@glia-os/abi/ports";
import { CancelSource } from "@glia-os/kernel/services";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { isPublicAddress } from "../src/effects/address-guard.ts";
import { createHttpClient, type HttpClientOptions } from "../src/effects/http-client.ts";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

async function serve(handler: (request: IncomingMessage, answer: ServerResponse) => void): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function ask(url: string, rest: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", url, headers: {}, ...rest };
}

const local: HttpClientOptions = { origins: ["*"], privateAddresses: true };

async function fetched(
  request: HttpRequest,
  options: HttpClientOptions = local,
  cancel: CancelSource = new CancelSource(),
): Promise<HttpResponse> {
  return createHttpClient(options).fetch(request, cancel);
}

async function codeOf(result: Promise<unknown>): Promise<string> {
  return result.then(
    () => "nothing was thrown",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

function text({ body }: HttpResponse): string {
  return new TextDecoder().decode(body);
}

test("a request arrives with method, headers and body, and its answer comes back whole", async () => {
  const origin = await serve(async (request, answer) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    answer.writeHead(201, { "x-seen": `${request.method} ${request.headers["x-a"]}` });
    answer.end(Buffer.concat(parts));
  });
  const body = new TextEncoder().encode("content");
  const answer = await fetched(ask(`${origin}/path`, { method: "PUT", headers: { "X-A": "1" }, body }));
  expect([answer.status, answer.headers["x-seen"], text(answer)]).toEqual([201, "PUT 1", "content"]);
});

test("AG1: addresses of this machine and of private networks are refused, as literals in any spelling and behind names", async () => {
  let asked = 0;
  const origin = await serve((_, answer) => {
    asked++;
    answer.end();
  });
  const { port } = new URL(origin);
  const hosts = [
    "127.0.0.1",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "10.0.0.1",
  ];
  for (const host of [...hosts, "169.254.169.254", "[fe80::1]", "[2002:7f00:1::]", "0.0.0.0"])
    expect(await codeOf(fetched(ask(`http://${host}:${port}/`), { origins: ["*"] })), host).toBe(
      "host.address-refused",
    );
  const resolve = async () => [
    { address: "93.184.215.14", family: 4 },
    { address: "127.0.0.1", family: 4 },
  ];
  const named = fetched(ask(`http://two-faced.example:${port}/`), { origins: ["*"], resolve });
  expect(await codeOf(named)).toBe("host.address-refused");
  expect(asked).toBe(0);
});

test("AG2: the connection goes to the address that was checked: a name is looked up once per connection", async () => {
  const origin = await serve((request, answer) => answer.end(request.headers.host));
  const { port } = new URL(origin);
  let lookups = 0;
  const resolve = async () => {
    lookups++;
    return [{ address: "127.0.0.1", family: 4 }];
  };
  const answer = await fetched(ask(`http://name.example:${port}/`), { ...local, resolve });
  expect([text(answer), lookups]).toEqual([`name.example:${port}`, 1]);
  const none = fetched(ask("http://nowhere.example/"), { ...local, resolve: async () => [] });
  expect(await codeOf(none)).toBe("host.address-refused");
});

test("OR1: only origins of the list are reached, and redirects leave it no more than requests", async () => {
  const other = await serve((_, answer) => answer.end("other"));
  const origin = await serve((_, answer) => {
    answer.writeHead(302, { location: `${other}/` });
    answer.end();
  });
  expect(text(await fetched(ask(origin), { ...local, origins: [origin, other] }))).toBe("other");
  expect(await codeOf(fetched(ask(origin), { ...local, origins: [origin] }))).toBe("host.address-refused");
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
  const { port } = new URL(other);
  const below = { ...local, resolve, origins: [`http://*.example.test:${port}`] };
  expect(text(await fetched(ask(`http://a.b.example.test:${port}/`), below))).toBe("other");
  for (const url of [
    `http://example.test:${port}/`,
    `http://badexample.test:${port}/`,
    `http://a.example.test:${Number(port) ^ 1}/`,
    `https://a.example.test:${port}/`,
    "ftp://a.example.test/",
    "file:///etc/passwd",
    "no address",
  ])
    expect(await codeOf(fetched(ask(url), below)), url).toBe("host.address-refused");
});

test("HC4: a redirect to another origin gets no credentials, 303 becomes GET without a body, 307 stays what it was", async () => {
  const seen: unknown[] = [];
  const target = await serve(async (request, answer) => {
    let body = "";
    for await (const part of request) body += String(part);
    const { authorization, cookie, "content-type": type, "x-kept": kept } = request.headers;
    seen.push([request.method, body, authorization, cookie, type, kept]);
    answer.end();
  });
  const origin = await serve((request, answer) => {
    answer.writeHead(Number(request.url!.slice(1)), { location: target });
    answer.end();
  });
  const headers = { Authorization: "secret", Cookie: "a=b", "Content-Type": "text/plain", "X-Kept": "yes" };
  const body = new TextEncoder().encode("body");
  for (const status of [303, 301, 307])
    await fetched(ask(`${origin}/${status}`, { method: "POST", headers, body }));
  expect(seen).toEqual([
    ["GET", "", undefined, undefined, undefined, "yes"],
    ["GET", "", undefined, undefined, undefined, "yes"],
    ["POST", "body", undefined, undefined, "text/plain", "yes"],
  ]);
});

test("HC2: redirects in a circle, bodies over the limit and answers that never come end with typed errors", async () => {
  const origin = await serve((request, answer) => {
    if (request.url === "/circle") answer.writeHead(302, { location: "/circle" }).end();
    else if (request.url === "/large") answer.end(Buffer.alloc(2001));
    else if (request.url === "/endless") {
      answer.write("x".repeat(1500));
      answer.write("x".repeat(1500));
    } else if (request.url === "/exact") answer.end(Buffer.alloc(2000));
    else if (request.url === "/broken") answer.destroy();
  });
  const bounded = { ...local, responseBytes: 2000, requestBytes: 10 };
  expect(await codeOf(fetched(ask(`${origin}/circle`), bounded))).toBe("host.http-failed");
  expect((await fetched(ask(`${origin}/circle`), { ...bounded, redirects: 0 })).status).toBe(302);
  expect(await codeOf(fetched(ask(`${origin}/large`), bounded))).toBe("host.too-large");
  expect(await codeOf(fetched(ask(`${origin}/endless`), bounded))).toBe("host.too-large");
  expect((await fetched(ask(`${origin}/exact`), bounded)).body.length).toBe(2000);
  const body = new Uint8Array(11);
  expect(await codeOf(fetched(ask(`${origin}/exact`, { method: "POST", body }), bounded))).toBe(
    "host.too-large",
  );
  expect(await codeOf(fetched(ask(`${origin}/broken`), bounded))).toBe("host.http-failed");
  const late = fetched(ask(`${origin}/never`), { ...bounded, timeoutMs: 30 });
  expect(await codeOf(late)).toBe("host.http-failed");
});

test("HC3: credentials in the address, headers that frame the exchange, and CONNECT are refused", async () => {
  let asked = 0;
  const origin = await serve((_, answer) => {
    asked++;
    answer.end();
  });
  const { host } = new URL(origin);
  const refused: HttpRequest[] = [
    ask(`http://user:password@${host}/`),
    ask(origin, { method: "CONNECT" }),
    ask(origin, { method: "trace" }),
    ...["Host", "Content-Length", "Transfer-Encoding", "Connection", "upgrade", "Expect"].map((name) =>
      ask(origin, { headers: { [name]: "1" } }),
    ),
  ];
  for (const request of refused) expect(await codeOf(fetched(request))).toBe("host.request-refused");
  expect(asked).toBe(0);
});

test("the answer to HEAD may announce more than the limit: it has no body; an answer of an unasked upgrade is refused", async () => {
  const origin = await serve((request, answer) => {
    if (request.url === "/upgrade")
      request.socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
    else answer.writeHead(200, { "content-length": "5000000" }).end();
  });
  const small = { ...local, responseBytes: 10 };
  const answer = await fetched(ask(origin, { method: "head" }), small);
  expect([answer.status, answer.headers["content-length"], answer.body.length]).toEqual([200, "5000000", 0]);
  expect(await codeOf(fetched(ask(`${origin}/upgrade`), small))).toBe("host.http-failed");
});

test("a cancelled exchange ends with host.aborted and its connection is closed", async () => {
  const closed = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const origin = await serve((request) => {
    request.socket.on("close", () => closed.resolve("closed"));
    begun.resolve();
  });
  const cancel = new CancelSource();
  const result = codeOf(fetched(ask(origin), local, cancel));
  await begun.promise;
  cancel.cancel("enough");
  expect(await result).toBe("host.aborted");
  expect(await closed.promise).toBe("closed");
  expect(await codeOf(fetched(ask(origin), local, cancel))).toBe("host.aborted");
});

test("AG1: what IANA lists as not globally reachable is refused, and neighbours of those blocks are not", () => {
  const refused =
    "0.1.2.3 10.255.0.1 100.64.0.1 100.127.255.255 127.9.9.9 169.254.0.1 172.16.0.1 172.31.255.255 192.0.0.8";
  const more =
    "192.0.2.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.1 224.0.0.1 255.255.255.255";
  const six =
    ":: ::1 fe80::1 fc00::1 ff02::1 2001:db8::1 2001::1 3fff::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1:: ::a00:1 100::1";
  for (const address of `${refused} ${more} ${six} fe80::1%eth0 text 1.2.3 999.1.1.1`.split(" ").concat(""))
    expect(isPublicAddress(address), address).toBe(false);
  const open =
    "1.1.1.1 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.0.1 198.17.0.1 223.0.0.1";
  for (const address of `${open} 2606:4700::1111 2a00::1 ::ffff:1.1.1.1 64:ff9b::101:101 2002:101:101::`.split(
    " ",
  ))
    expect(isPublicAddress(address), address).toBe(true);
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a, b] = address.split(".").map(Number) as [number, number];
      const words = address.split(".").map(Number) as [number, number, number, number];
      const hex = `${((words[0] << 8) | words[1]).toString(16)}:${((words[2] << 8) | words[3]).toString(16)}`;
      for (const carrier of [`::ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::`])
        expect(isPublicAddress(carrier), carrier).toBe(isPublicAddress(address));
      if (a === 10 || a === 127 || a === 0 || a >= 224 || (a === 192 && b === 168))
        expect(isPublicAddress(address)).toBe(false);
    }),
  );
});

test("clients of bad origins or limits are not made", () => {
  const bad: Partial<HttpClientOptions>[] = [
    { origins: [] },
    { origins: ["example.com"] },
    { origins: ["https://example.com/path"] },
    { origins: ["https://user@example.com"] },
    { origins: ["https://a.*.com"] },
    { origins: ["ftp://example.com"] },
    { origins: [5 as never] },
    { origins: Array.from({ length: 1025 }, (_, i) => `https://a${i}.test`) },
    { timeoutMs: 0 },
    { redirects: 21 },
    { responseBytes: 2 ** 40 },
    { requestBytes: -1 },
  ];
  for (const options of bad)
    expect(
      () => createHttpClient({ origins: ["*"], ...options }),
      JSON.stringify(options).slice(0, 80),
    ).toThrow(expect.objectContaining({ code: "host.bad-option" }) as Error);
});
