/** The world outside as ports: HTTP, files, models, tools and approvals. Each takes a cancel signal and reports refusals as `GliaError`. */
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

/** Files below one granted root. Paths are relative to it, with `/` between names. */
export interface Files {
  /** The whole content of a file of at most `limitBytes`. */
  read(path: string, limitBytes: number, cancel?: CancelSignal): Promise<Uint8Array>;
  /** Replace a file's content atomically. */
  write(path: string, content: Uint8Array, cancel?: CancelSignal): Promise<void>;
  /** Names in a folder, sorted by code unit. */
  list(path: string, cancel?: CancelSignal): Promise<readonly string[]>;
}

/** One operation on {@link Files}. */
export type FileOperation =
  | { readonly operation: "read"; readonly path: string; readonly limitBytes: number }
  | { readonly operation: "write"; readonly path: string; readonly content: Uint8Array }
  | { readonly operation: "list"; readonly path: string };

/** A language or embedding model. */
export interface Model {
  /** One completion; the request and answer are the provider's plain data. */
  complete(
    request: Readonly<Record<string, unknown>>,
    cancel: CancelSignal,
  ): Promise<Readonly<Record<string, unknown>>>;
}

/** Something an agent can have done. */
export interface Tool {
  /** Run once. `key` is the same when the same call of the same program is made again: for tools that know idempotency keys. */
  run(input: unknown, cancel: CancelSignal, key: string): Promise<unknown>;
}

/** What somebody decided. */
export interface Approval {
  readonly approved: boolean;
  /** Who decided. */
  readonly by: string;
  /** Why, if that was said. */
  readonly reason?: string;
}

/** Whoever may decide, such as a person. */
export interface Approver {
  /** Ask, and wait for the decision. `args` is what the question is about, as JSON, if it is about something. */
  decide(question: string, cancel: CancelSignal, args?: string | null): Promise<Approval>;
}
