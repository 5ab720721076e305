/**
 * A node over HTTP, on one address: what it shows of itself by GET, its events as they come (`/events`), and its jobs by JSON-RPC (`POST /rpc`) and gRPC (HTTP/2).
 *
 * HS1. GET and HEAD of the paths of http-watch.ts and of `/events`, POST of `/rpc`; any other path is 404, any other method 405. HTTP/2 is gRPC only.
 * HS2. `Host` must name a number, `localhost`, or the host it is bound to: a name that somebody made point here (DNS rebinding) is refused.
 *      A request with `Origin` comes from a page in a browser and is refused, whatever it bears.
 * HS3. All but `/healthz` and `/readyz` needs the bearer token of http-token.ts, also on loopback. Those two say one word, so that a
 *      supervisor needs no secret.
 * HS4. At most {@link HTTP_CONNECTIONS} connections, {@link REQUEST_MS} for a request to come, {@link BODY_BYTES_MAX} of body.
 *      Strangers on HTTP/2 do not keep the others' connections: http-strangers.ts.
 * HS5. HTTP/1.1 and HTTP/2 are told apart by the first bytes of a connection; what is needed for HTTP/2 is loaded when the first one comes.
 */
import {
  createServer as createHttp1,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { Http2Server } from "node:http2";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";
import { HttpListenError } from "./errors.ts";
import { EVENTS_PATH, HttpEvents } from "./http-events.ts";
import { type HttpAnswer, type HttpAsked, refuseCaller, refuseStranger } from "./http-guard.ts";
import type { HttpToken } from "./http-token.ts";
import { HttpWatch, isOpenPath, WATCH_PATHS } from "./http-watch.ts";
import type { JobApi } from "./jobs/job-api.ts";
import { type JobProtocol, jobProtocolOver } from "./jobs/job-protocol.ts";
import type { LogsApi } from "./logs/logs-service.ts";
import type { NodeApi } from "./node-api.ts";

export { ANSWER_MS } from "./http-watch.ts";

/** Most connections at once (HS4). */
export const HTTP_CONNECTIONS = 64;
/** How long a request may take to come, in milliseconds (HS4). */
export const REQUEST_MS = 5000;
/** Longest body (HS4): a batch of jobs with large payloads. */
export const BODY_BYTES_MAX: number = 4 * 1024 * 1024;

const RPC_PATH = "/rpc";
/** How every HTTP/2 connection of a client begins (RFC 9113, section 3.4). */
const HTTP2_PREFACE = "PRI * HTTP/2.0";

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
  /** Its log lines and events; without them there is no `/events`. */
  readonly logs?: LogsApi;
  /** Its jobs; without them there is neither JSON-RPC nor gRPC. */
  readonly jobs?: JobApi;
  readonly bind: HostPort;
  readonly token: string | HttpToken;
}

/** Serve a node. @throws {HttpListenError} when the address cannot be had */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const listener = new HttpListener(options);
  const address = await listener.listen();
  let closing: Promise<void> | undefined;
  return {
    address,
    close: () => {
      closing ??= listener.close();
      return closing;
    },
  };
}

class HttpListener {
  readonly #options: HttpOptions;
  readonly #watch: HttpWatch;
  readonly #events: HttpEvents | undefined;
  readonly #jobs: JobProtocol | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #net: NetServer;
  readonly #http1: Server;
  #http2: Promise<Http2Server> | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#watch = new HttpWatch(options.node);
    this.#events = options.logs && new HttpEvents(options.logs);
    this.#jobs = options.jobs && jobProtocolOver(options.jobs);
    const times = { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS };
    this.#http1 = createHttp1(times, (request, response) => void this.#serve(request, response));
    // It watches the times of requests from when it listens, which the socket before it does in its place.
    this.#http1.emit("listening");
    this.#net = createServer((socket) => this.#tell(socket));
    this.#net.maxConnections = HTTP_CONNECTIONS;
  }

  async listen(): Promise<HostPort> {
    const { host, port } = this.#options.bind;
    await new Promise<void>((resolve, reject) => {
      this.#net.once("error", (error: NodeJS.ErrnoException) =>
        reject(new HttpListenError({ host, port }, error.code ?? error.message, error)),
      );
      this.#net.listen(port, host, () => resolve());
    });
    return { host, port: (this.#net.address() as { readonly port: number }).port };
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#http1.close();
    await closed;
  }

  /** (HS5) */
  #tell(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(REQUEST_MS, () => socket.destroy());
    socket.once("data", (first: Buffer) => {
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.pause();
      socket.unshift(first);
      if (this.#jobs !== undefined && isHttp2(first)) {
        // The session takes what was read already from the paused socket.
        void this.#openHttp2(this.#jobs).then((server) => server.emit("connection", socket));
        return;
      }
      this.#http1.emit("connection", socket);
      socket.resume();
    });
  }

  #openHttp2(jobs: JobProtocol): Promise<Http2Server> {
    this.#http2 ??= import("./http-grpc.ts").then(({ createGrpcServer }) =>
      createGrpcServer(jobs, (asked) => this.#refusal(asked), {
        bytesMax: BODY_BYTES_MAX,
        strangerMs: REQUEST_MS,
      }),
    );
    return this.#http2;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request, response);
    if (answer === undefined) return;
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

  /** Undefined when the response was given already. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<HttpAnswer | undefined> {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    try {
      const refusal = this.#refuseRequest(request, path);
      if (refusal !== undefined) return refusal;
      if (path === EVENTS_PATH && this.#events !== undefined)
        return await this.#events.serve(request, response);
      if (path !== RPC_PATH || this.#jobs === undefined) return await this.#watch.answer(path);
      const { answerJsonRpc } = await import("./http-json-rpc.ts");
      return await answerJsonRpc(request, this.#jobs, BODY_BYTES_MAX);
    } catch (error) {
      return { status: 503, body: `${error instanceof Error ? error.message : String(error)}\n` };
    }
  }

  /** (HS1 to HS3) */
  #refuseRequest({ headers, method }: IncomingMessage, path: string): HttpAnswer | undefined {
    const { host, origin, authorization } = headers;
    const asked = { host, origin, authorization };
    const stranger = refuseCaller(asked, this.#options.bind.host);
    if (stranger !== undefined) return stranger;
    const isRpc = path === RPC_PATH && this.#jobs !== undefined;
    const paths = [
      ...WATCH_PATHS,
      ...(this.#events === undefined ? [] : [EVENTS_PATH]),
      ...(this.#jobs === undefined ? [] : [RPC_PATH]),
    ];
    if (!paths.includes(path)) return { status: 404, body: `there is ${paths.join(", ")}\n` };
    if (isRpc && method !== "POST") return { status: 405, body: "only POST\n", headers: { allow: "POST" } };
    if (!isRpc && method !== "GET" && method !== "HEAD")
      return { status: 405, body: "only GET and HEAD\n", headers: { allow: "GET, HEAD" } };
    return isOpenPath(path) ? undefined : refuseStranger(asked, this.#token);
  }

  #refusal(asked: HttpAsked): HttpAnswer | undefined {
    return refuseCaller(asked, this.#options.bind.host) ?? refuseStranger(asked, this.#token);
  }

  get #token(): string {
    const { token } = this.#options;
    return typeof token === "string" ? token : token.text;
  }
}

/** Whether a connection begins as HTTP/2 does; a method of HTTP/1.1 that does is none we serve. */
function isHttp2(first: Buffer): boolean {
  return HTTP2_PREFACE.startsWith(first.toString("latin1", 0, HTTP2_PREFACE.length));
}
