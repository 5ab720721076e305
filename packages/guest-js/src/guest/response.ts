/** The answer to a request; all of its body is there when the promise of `fetch` resolves. */
import { GuestError } from "./errors.ts";
import { Headers, type HeadersInit } from "./headers.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-encoding.ts";

/** Status and headers of a response that a program makes itself. */
export interface ResponseInit {
  readonly status?: number;
  readonly headers?: HeadersInit;
}

/** As in the Fetch Standard, without streams: a body is read once, by one of the four methods. */
export class Response {
  readonly status: number;
  readonly headers: Headers;
  /** The URL that was asked for; empty for a response a program made. */
  readonly url: string;
  readonly #body: Uint8Array;
  #used = false;

  constructor(
    body: string | Uint8Array | null = null,
    { status = 200, headers = {} }: ResponseInit = {},
    url = "",
  ) {
    this.status = status;
    this.headers = new Headers(headers);
    this.url = url;
    this.#body = typeof body === "string" ? new Utf8Encoder().encode(body) : (body ?? new Uint8Array());
  }

  /** Whether the status is 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** Whether the body was read. */
  get bodyUsed(): boolean {
    return this.#used;
  }

  async bytes(): Promise<Uint8Array> {
    if (this.#used) throw new GuestError("bad-argument", "the body of this response was read already");
    this.#used = true;
    return this.#body;
  }

  async arrayBuffer(): Promise<ArrayBufferLike> {
    return (await this.bytes()).slice().buffer;
  }

  async text(): Promise<string> {
    return new Utf8Decoder().decode(await this.bytes());
  }

  /** @throws SyntaxError */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }
}
