/**
 * A client for providers that speak chat completions over HTTP.
 *
 * CC1. An attempt is repeated only after a status that says the request was not taken (`provider-refusal.ts`); a broken exchange is not,
 *      because the provider may have billed it. Waits are what the provider asks, at least full jitter of an exponential backoff.
 * CC2. Request and answer are bounded before they are sent or read. The key goes into one header and into no error.
 * CC3. A cancelled call makes no further attempt, and its exchange is given up.
 */
import { hasErrorCode, isGliaError } from "@glia-os/abi/errors";
import type { CancelSignal, Clock, Http, HttpResponse, Model, Random, Timers } from "@glia-os/abi/ports";
import { answerOf, answerOfChunks } from "./answer.ts";
import type { ChatAnswer } from "./chat.ts";
import { BadAnswerError, BadModelOptionError, NetworkError, TooLargeError } from "./errors.ts";
import { eventsOf } from "./event-stream.ts";
import { text, whole } from "./options.ts";
import { checkPrices, type Prices, priced } from "./prices.ts";
import { refusedAttempt } from "./provider-refusal.ts";

/** How a client is made. */
export interface ChatClientOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** Where `/chat/completions` stands: `https://api.example.com/v1`. */
  readonly baseUrl: string;
  /** Sent as a bearer token. Leave out for servers that need none. */
  readonly apiKey?: string;
  /** The model of requests that name none. */
  readonly model: string;
  /** Ask for a stream and collect it: some providers answer long completions no other way. Default false. */
  readonly stream?: boolean;
  /** For `usage.cost`. */
  readonly prices?: Prices;
  /** Attempts for one request: 1 to 10, default 4. */
  readonly attempts?: number;
  /** The longest wait between attempts: 0 to 600,000 ms, default 60,000. A provider that asks for more ends the attempts. */
  readonly waitMs?: number;
  /** Bytes of a request: 1 to 268,435,456, default 16,777,216. */
  readonly requestBytes?: number;
  /** Bytes of an answer: 1 to 268,435,456, default 8,388,608. */
  readonly answerBytes?: number;
}

const BYTES_MOST = 268_435_456;
const REQUEST_BYTES = 16_777_216;
const ANSWER_BYTES = 8_388_608;
const ATTEMPTS = 4;
const WAIT_MS = 60_000;
/** The first backoff is at most this long; each doubles. */
const BACKOFF_MS = 500;
const UINT32 = 4_294_967_296;

/** A chat model behind HTTP. Answers are `ChatAnswer`s. @throws {BadModelOptionError} */
export function createChatModel(options: ChatClientOptions): Model {
  return new ChatClient(options);
}

class ChatClient implements Model {
  readonly #options: ChatClientOptions;
  readonly #url: string;
  readonly #attempts: number;
  readonly #waitMs: number;
  readonly #requestBytes: number;
  readonly #answerBytes: number;

  constructor(options: ChatClientOptions) {
    const { baseUrl, model, prices, apiKey } = options;
    const { attempts = ATTEMPTS, waitMs = WAIT_MS } = options;
    const { requestBytes = REQUEST_BYTES, answerBytes = ANSWER_BYTES } = options;
    text("model", model, 256);
    if (!URL.canParse(baseUrl)) throw new BadModelOptionError("baseUrl", "an address");
    if (apiKey !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(apiKey))
      throw new BadModelOptionError("apiKey", "1 to 4096 visible characters");
    whole("attempts", attempts, 1, 10);
    whole("waitMs", waitMs, 0, 600_000);
    whole("requestBytes", requestBytes, 1, BYTES_MOST);
    whole("answerBytes", answerBytes, 1, BYTES_MOST);
    if (prices !== undefined) checkPrices(prices);
    this.#options = options;
    this.#url = `${baseUrl.replace(/\/+$/, "")}/chat/completions`;
    this.#attempts = attempts;
    this.#waitMs = waitMs;
    this.#requestBytes = requestBytes;
    this.#answerBytes = answerBytes;
  }

  async complete(
    request: Readonly<Record<string, unknown>>,
    cancel: CancelSignal,
  ): Promise<Readonly<Record<string, unknown>>> {
    const body = this.#encoded(request);
    for (let attempt = 1; ; attempt++) {
      const response = await this.#exchange(body, cancel);
      if (response.status >= 200 && response.status < 300) return { ...this.#answer(response) };
      const wallMs = this.#options.clock.wallMs();
      const refused = refusedAttempt(response, attempt, wallMs, (said) => this.#withoutKey(said));
      const waitMs = Math.max(refused.retryAfterMs ?? 0, this.#backoff(attempt));
      if (!refused.again || attempt === this.#attempts || waitMs > this.#waitMs) throw refused.error;
      await this.#wait(waitMs, cancel);
    }
  }

  #encoded({ max_cost: _, ...request }: Readonly<Record<string, unknown>>): Uint8Array {
    if (!Array.isArray(request["messages"])) throw new BadModelOptionError("messages of a request", "a list");
    const { model, stream = false } = this.#options;
    const streaming = stream ? { stream: true, stream_options: { include_usage: true } } : { stream: false };
    const json = JSON.stringify({ model, ...request, ...streaming });
    if (json.length > this.#requestBytes) throw new TooLargeError("the request", this.#requestBytes);
    const body = new TextEncoder().encode(json);
    if (body.length > this.#requestBytes) throw new TooLargeError("the request", this.#requestBytes);
    return body;
  }

  async #exchange(body: Uint8Array, cancel: CancelSignal): Promise<HttpResponse> {
    const { http, apiKey, stream } = this.#options;
    const headers = {
      "content-type": "application/json",
      accept: stream === true ? "text/event-stream" : "application/json",
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    try {
      return await http.fetch({ method: "POST", url: this.#url, headers, body }, cancel);
    } catch (error) {
      if (hasErrorCode(error, "host.too-large"))
        throw new TooLargeError("the answer", Number(error.details["limit"] ?? this.#answerBytes));
      // Refusals of the guard, such as an address that is not allowed, say more than that the network broke.
      if (isGliaError(error) && !hasErrorCode(error, "host.http-failed")) throw error;
      throw new NetworkError(error);
    }
  }

  #answer({ body, headers }: HttpResponse): ChatAnswer {
    if (body.length > this.#answerBytes) throw new TooLargeError("the answer", this.#answerBytes);
    const said = new TextDecoder().decode(body);
    const streamed = (headers["content-type"] ?? "").startsWith("text/event-stream");
    const answer = streamed ? answerOfChunks(eventsOf(said)) : answerOf(parsed(said));
    const { usage } = answer;
    return usage === undefined ? answer : { ...answer, usage: priced(usage, this.#options.prices) };
  }

  /** Full jitter. */
  #backoff(attempt: number): number {
    const most = Math.min(BACKOFF_MS * 2 ** (attempt - 1), this.#waitMs);
    return Math.floor((this.#options.random.uint32() / UINT32) * most);
  }

  #wait(ms: number, cancel: CancelSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = this.#options.timers.schedule(ms, resolve);
    const forget = cancel.onCancel((reason) => {
      timer.cancel();
      reject(new NetworkError(reason));
    });
    return promise.finally(forget);
  }

  #withoutKey(said: string): string {
    const { apiKey } = this.#options;
    return apiKey === undefined ? said : said.replaceAll(apiKey, "[secret]");
  }
}

function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    throw new BadAnswerError("it is no JSON");
  }
}
