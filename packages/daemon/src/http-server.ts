/**
 * A node over HTTP, to be watched: `/metrics`, `/__health`, `/healthz`, `/readyz`. It changes nothing.
 *
 * HS1. GET and HEAD only; any other path is 404, any other method 405.
 * HS2. `Host` must name a number, `localhost`, or the host it is bound to: a name that somebody made point here (DNS rebinding) is refused.
 *      A request with `Origin` comes from a page in a browser and is refused, whatever it bears.
 * HS3. `/metrics` and `/__health` need the bearer token of http-token.ts, also on loopback. `/healthz` and `/readyz` do not: they say one
 *      word, so that a supervisor needs no secret.
 * HS4. At most {@link HTTP_CONNECTIONS} connections, {@link REQUEST_MS} for a request to come, and one reading at a time: those who ask
 *      meanwhile get the same one.
 * HS5. A node that does not answer within {@link ANSWER_MS} is not well (503); nothing waits longer.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";
import { HttpListenError } from "./errors.ts";
import { bearsToken } from "./http-token.ts";
import type { NodeApi } from "./node-api.ts";
import type { NodeStatus } from "./node-views.ts";

/** Most connections at once (HS4). */
export const HTTP_CONNECTIONS = 64;
/** How long a request may take to come, in milliseconds (HS4). */
export const REQUEST_MS = 5000;
/** How long the node may take to answer, in milliseconds (HS5). */
export const ANSWER_MS = 2000;

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A served HTTP face. */
export interface HttpServer {
  /** Where it listens, with the port that was taken. */
  readonly address: HostPort;
  /** Stop serving and end connections. Idempotent. */
  close(): Promise<void>;
}

/** What it serves and where. */
export interface HttpOptions {
  readonly node: Pick<NodeApi, "metrics" | "status">;
  readonly bind: HostPort;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serve a node. @throws {HttpListenError} when the address cannot be had */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const face = new HttpFace(options);
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => void face.serve(request, response),
  );
  server.maxConnections = HTTP_CONNECTIONS;
  await listen(server, options.bind);
  const { port } = server.address() as { port: number };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  return { address: { host: options.bind.host, port }, close };
}

function listen(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new HttpListenError({ host, port }, error.code ?? error.message, error)),
    );
    server.listen(port, host, () => resolve());
  });
}

class HttpFace {
  readonly #options: HttpOptions;
  #reading: Promise<string> | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request);
    const body = Buffer.from(answer.body);
    response.writeHead(answer.status, {
      "content-type": answer.type ?? "text/plain; charset=utf-8",
      "content-length": body.length,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...answer.headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return refusal;
    try {
      return await this.#perform(pathOf(request));
    } catch (error) {
      return { status: 503, body: `${error instanceof Error ? error.message : String(error)}\n` };
    }
  }

  /** (HS1 to HS3) */
  #refusal(request: IncomingMessage): Answer | undefined {
    const { host, origin, authorization } = request.headers;
    if (!namesThis(host, this.#options.bind.host))
      return { status: 421, body: "this host is not served here\n" };
    if (origin !== undefined) return { status: 403, body: "pages of browsers are not served\n" };
    const path = pathOf(request);
    if (!PATHS.has(path)) return { status: 404, body: `there is ${[...PATHS].join(", ")}\n` };
    if (request.method !== "GET" && request.method !== "HEAD")
      return { status: 405, body: "only GET and HEAD\n", headers: { allow: "GET, HEAD" } };
    if (OPEN_PATHS.has(path) || bearsToken(authorization, this.#options.token)) return undefined;
    return {
      status: 401,
      body: "this needs the token of the file http-token in the node's data folder\n",
      headers: { "www-authenticate": 'Bearer realm="glia"' },
    };
  }

  async #perform(path: string): Promise<Answer> {
    if (path === "/metrics") return { status: 200, body: await inTime(this.#metrics()), type: METRICS_TYPE };
    const status = await inTime(this.#options.node.status());
    if (path === "/healthz") return { status: 200, body: "ok\n" };
    const whyNot = whyNotReady(status);
    if (path === "/readyz")
      return whyNot === undefined ? { status: 200, body: "ready\n" } : { status: 503, body: `${whyNot}\n` };
    const report = { status: whyNot === undefined ? "ok" : "unready", why: whyNot, ...healthOf(status) };
    return { status: 200, body: `${JSON.stringify(report)}\n`, type: "application/json" };
  }

  /** (HS4) */
  #metrics(): Promise<string> {
    this.#reading ??= this.#options.node.metrics().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }
}

const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
const PATHS: ReadonlySet<string> = new Set(["/metrics", "/__health", ...OPEN_PATHS]);

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

/** (HS2) */
function namesThis(header: string | undefined, bound: string): boolean {
  const name = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+)(?::\d{1,5})?$/.exec(header ?? "")?.[1]?.toLowerCase();
  if (name === undefined) return false;
  return name === "localhost" || name === bound.toLowerCase() || isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}

/** Why a node is no place for work now; undefined when it is. */
function whyNotReady({ health }: NodeStatus): string | undefined {
  if (health.quorum === "lost") return "no majority of the mesh is in reach";
  if (health.agentsStalled) return "the agents' thread stands still";
  return undefined;
}

function healthOf({ node, name, role, uptimeMs, hosting, members, health }: NodeStatus): object {
  return { node, name, role, uptimeMs, agents: hosting, members: members.length, health };
}

/** (HS5) */
async function inTime<Value>(work: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RangeError("the node did not answer in time")), ANSWER_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
