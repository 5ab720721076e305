/**
 * An HTTP client for `sys.fetch` that can be handed to programs one does not trust with the network around this machine.
 *
 * HC1. A request, and every redirect of it, goes only to an origin of the list and to an address the guard allows (`address-guard.ts`).
 * HC2. Everything is bounded: the request, the answer as it arrives, the number of redirects, the time of the whole exchange.
 * HC3. What the caller may not decide is refused: credentials in the address, and headers that frame the exchange or route it.
 * HC4. A redirect to another origin gets neither cookies nor authorization; one from https to http is refused.
 * HC5. When the exchange is over, however it ends, its connection is closed: no socket is kept.
 *
 * Redirects turn into GET as browsers do it (WHATWG Fetch, HTTP-redirect fetch): 303 always, 301 and 302 after POST.
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { CancelSignal, Http, HttpRequest, HttpResponse } from "@glia-os/abi/ports";
import { AbortedError } from "../errors.ts";
import { AddressGuard, type Resolve, systemResolve } from "./address-guard.ts";
import { AddressRefusedError, HttpFailedError, RequestRefusedError, TooLargeError } from "./errors.ts";
import { Origins } from "./origins.ts";
import { whole } from "./whole.ts";

const BYTES = 16_777_216;
const BYTES_MOST = 268_435_456;
const TIMEOUT_MS = 30_000;
const TIMEOUT_MS_MOST = 3_600_000;
const REDIRECTS = 5;
const REDIRECTS_MOST = 20;

/** How an HTTP client is made. */
export interface HttpClientOptions {
  /** What may be reached: `https://api.example.com`, `https://*.example.com`, or `*` for every origin. At most 1024. */
  readonly origins: readonly string[];
  /** Whether addresses of this machine and of private networks may be reached. Default false. */
  readonly privateAddresses?: boolean;
  /** Most bytes of a request's body: 0 to 268,435,456, default 16,777,216. */
  readonly requestBytes?: number;
  /** Most bytes of an answer's body: 0 to 268,435,456, default 16,777,216. */
  readonly responseBytes?: number;
  /** Time for the whole exchange with its redirects: 1 to 3,600,000 ms, default 30,000. */
  readonly timeoutMs?: number;
  /** Redirects that are followed: 0 to 20, default 5. With 0 a redirect is the answer. */
  readonly redirects?: number;
  /** Finds the addresses of names. Default: the system's resolver. */
  readonly resolve?: Resolve;
}

/** Headers that frame or route an exchange: the client sets what is needed. */
const OWN_HEADERS = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const CREDENTIALS = new Set(["authorization", "cookie"]);
const REDIRECTING = new Set([301, 302, 303, 307, 308]);

/** An HTTP client for {@link Http} services. @throws {BadOptionError} */
export function createHttpClient(options: HttpClientOptions): Http {
  return new GuardedHttp(options);
}

/** One exchange to make. */
interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

class GuardedHttp implements Http {
  readonly #origins: Origins;
  readonly #guard: AddressGuard;
  readonly #requestBytes: number;
  readonly #responseBytes: number;
  readonly #timeoutMs: number;
  readonly #redirects: number;

  constructor(options: HttpClientOptions) {
    const { privateAddresses = false, resolve = systemResolve } = options;
    const { requestBytes = BYTES, responseBytes = BYTES } = options;
    const { timeoutMs = TIMEOUT_MS, redirects = REDIRECTS } = options;
    whole("requestBytes", requestBytes, 0, BYTES_MOST);
    whole("responseBytes", responseBytes, 0, BYTES_MOST);
    whole("timeoutMs", timeoutMs, 1, TIMEOUT_MS_MOST);
    whole("redirects", redirects, 0, REDIRECTS_MOST);
    this.#origins = new Origins(options.origins);
    this.#guard = new AddressGuard(privateAddresses, resolve);
    this.#requestBytes = requestBytes;
    this.#responseBytes = responseBytes;
    this.#timeoutMs = timeoutMs;
    this.#redirects = redirects;
  }

  async fetch(request: HttpRequest, cancel: CancelSignal): Promise<HttpResponse> {
    let exchange = this.#first(request);
    const controller = new AbortController();
    const forget = cancel.onCancel((reason) => controller.abort(new AbortedError(reason)));
    const late = new HttpFailedError(exchange.url.origin, `no answer within ${this.#timeoutMs} ms`);
    const timer = setTimeout(() => controller.abort(late), this.#timeoutMs);
    try {
      for (let followed = 0; ; followed++) {
        const answer = await this.#exchange(exchange, controller.signal);
        const target = REDIRECTING.has(answer.status) ? answer.headers["location"] : undefined;
        if (target === undefined || this.#redirects === 0) return answer;
        if (followed === this.#redirects)
          throw new HttpFailedError(exchange.url.origin, `more than ${this.#redirects} redirects`);
        exchange = this.#redirected(exchange, answer.status, target);
      }
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  #first({ method, url, headers, body }: HttpRequest): Exchange {
    if (!URL.canParse(url)) throw new AddressRefusedError(url, "it is no address");
    if (method.toUpperCase() === "CONNECT" || method.toUpperCase() === "TRACE")
      throw new RequestRefusedError(`the method ${method}`);
    for (const name of Object.keys(headers))
      if (OWN_HEADERS.has(name.toLowerCase())) throw new RequestRefusedError(`the header ${name}`);
    if (body !== undefined && body.byteLength > this.#requestBytes)
      throw new TooLargeError("the body of the request", this.#requestBytes, "bytes");
    const target = new URL(url);
    this.#check(target);
    return { method, url: target, headers, body };
  }

  /** HC1, HC3 for one address. */
  #check(url: URL): void {
    if (url.username !== "" || url.password !== "")
      throw new RequestRefusedError("a user or password in the address; use a header");
    if (!this.#origins.allow(url)) throw new AddressRefusedError(url.origin, "it is no origin of the list");
    this.#guard.checkLiteral(url.hostname);
  }

  #redirected(from: Exchange, status: number, location: string): Exchange {
    if (!URL.canParse(location, from.url)) throw new AddressRefusedError(location, "it is no address");
    const url = new URL(location, from.url);
    this.#check(url);
    if (from.url.protocol === "https:" && url.protocol === "http:")
      throw new AddressRefusedError(url.origin, "a redirect leads from https to http");
    const asked = from.method.toUpperCase();
    const becomesGet =
      (status === 303 && asked !== "GET" && asked !== "HEAD") ||
      ((status === 301 || status === 302) && asked === "POST");
    const kept = Object.entries(from.headers).filter(([name]) => {
      const lower = name.toLowerCase();
      if (becomesGet && lower.startsWith("content-")) return false;
      return url.origin === from.url.origin || !CREDENTIALS.has(lower);
    });
    return {
      method: becomesGet ? "GET" : from.method,
      url,
      headers: Object.fromEntries(kept),
      body: becomesGet ? undefined : from.body,
    };
  }

  #exchange({ method, url, headers, body }: Exchange, signal: AbortSignal): Promise<HttpResponse> {
    const done = Promise.withResolvers<HttpResponse>();
    const broken = (error: unknown): void => {
      const reason: unknown = signal.aborted ? signal.reason : error;
      done.reject(isTyped(reason) ? reason : new HttpFailedError(url.origin, reason));
    };
    const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const start = url.protocol === "https:" ? secureRequest : plainRequest;
    let sent: ClientRequest;
    try {
      sent = start(url, {
        method,
        agent: false,
        lookup: this.#guard.lookup,
        headers: {
          ...(names.has("accept-encoding") ? {} : { "accept-encoding": "identity" }),
          ...headers,
          connection: "close",
          ...(body === undefined ? {} : { "content-length": String(body.byteLength) }),
        },
        signal,
      });
    } catch (error) {
      broken(error);
      return done.promise;
    }
    let answered = false;
    sent.on("error", broken);
    // An upgrade that nobody asked for ends the connection without an error.
    sent.on("close", () => {
      if (!answered) broken("the connection was closed without an answer");
    });
    sent.on("response", (message) => {
      answered = true;
      // The answer to HEAD announces a body and has none.
      const limit = sent.method === "HEAD" ? Number.POSITIVE_INFINITY : this.#responseBytes;
      bodyOf(message, url.origin, limit)
        .then(
          (bytes) => done.resolve({ status: message.statusCode!, headers: headersOf(message), body: bytes }),
          broken,
        )
        .finally(() => sent.destroy());
    });
    sent.end(body);
    return done.promise;
  }
}

/** The body of an answer, as far as the limit lets it come. */
async function bodyOf(message: IncomingMessage, origin: string, limit: number): Promise<Uint8Array> {
  const announced = Number(message.headers["content-length"] ?? 0);
  if (announced > limit) throw new TooLargeError(`the answer of ${origin}`, limit, "bytes");
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of message as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > limit) throw new TooLargeError(`the answer of ${origin}`, limit, "bytes");
    parts.push(part);
  }
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.byteLength;
  }
  return body;
}

/** Names in lower case; values of a name that came several times joined by commas. */
function headersOf(message: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(message.headersDistinct).map(([name, values]) => [
    name,
    (values ?? []).join(", "),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function isTyped(error: unknown): boolean {
  return (
    error instanceof AddressRefusedError ||
    error instanceof HttpFailedError ||
    error instanceof TooLargeError ||
    error instanceof AbortedError
  );
}
