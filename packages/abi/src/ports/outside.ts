/** The world outside as ports: HTTP, files and models. Each takes a cancel signal and reports refusals as `GliaError`. */
import type { CancelSignal } from "./cancel-signal.ts";

/** One HTTP exchange. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** The answer to an {@link HttpRequest}. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** HTTP client behind the address guard of `host`. */
export interface Http {
  /** Perform one exchange; redirects are followed only as far as the guard allows. */
  fetch(request: HttpRequest, cancel: CancelSignal): Promise<HttpResponse>;
}

/** Files below granted roots. */
export interface Files {
  /** The whole content of a file of at most `limitBytes`. */
  read(path: string, limitBytes: number): Promise<Uint8Array>;
  /** Replace a file's content atomically. */
  write(path: string, content: Uint8Array): Promise<void>;
  /** Names in a folder, sorted by code unit. */
  list(path: string): Promise<readonly string[]>;
}

/** A language or embedding model. */
export interface Model {
  /** One completion; the request and answer are the provider's plain data. */
  complete(
    request: Readonly<Record<string, unknown>>,
    cancel: CancelSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}
