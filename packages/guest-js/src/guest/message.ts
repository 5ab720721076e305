/**
 * A message as the agent sees it.
 *
 * MS1. Its bytes lie in the engine's buffer until they are asked for or the next message comes; then they are copied out, once.
 * MS2. Only the message received last can be replied to, once: that is what the host knows as "the message being handled".
 */
import { GuestError, refusal } from "./errors.ts";
import { host } from "./host.ts";

const E_STATE = -3;
const REPLACEMENT = "\ufffd";

/** The message received last: the one in the engine's buffer. */
let current: Message | undefined;

/** One message. */
export class Message {
  /** Length in bytes. */
  readonly size: number;
  #text: string | undefined;
  #bytes: Uint8Array | undefined;
  #answered = false;

  constructor(size: number) {
    this.size = size;
  }

  /** Its bytes as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    this.#text ??= current === this ? host.t() : decoded(this.#bytes ?? new Uint8Array());
    return this.#text;
  }

  /** Its text as JSON. @throws SyntaxError */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** Its bytes; the same array each time. */
  bytes(): Uint8Array {
    this.#bytes ??= current === this ? host.b() : host.e(this.#text ?? "");
    return this.#bytes;
  }

  /**
   * Answer it: a string goes as UTF-8, bytes as they are, anything else as JSON. False when the sender waits for no answer.
   * @throws GuestError `not-current` when another message was received since; `refused` when it was answered before (E_STATE), or the
   * answer is too long (E_TOO_BIG)
   */
  reply(value: unknown): boolean {
    if (current !== this)
      throw new GuestError(
        "not-current",
        "another message was received since; only the last one can be answered",
      );
    if (this.#answered) throw refusal("take a second reply", E_STATE);
    const code = host.p(
      typeof value === "string" ? value : value instanceof Uint8Array ? owned(value) : json(value),
    );
    if (code < 0 && code !== E_STATE) throw refusal("take the reply", code);
    this.#answered = true;
    return code >= 0;
  }

  /** Copy out what the buffer holds, because it is about to be used again (MS1). */
  keep(): void {
    if (this.#bytes === undefined && (this.#text === undefined || this.#text.includes(REPLACEMENT)))
      this.#bytes = host.b();
  }
}

function json(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new GuestError("bad-argument", `a ${typeof value} has no JSON form`);
  return text;
}

function owned(value: Uint8Array): ArrayBufferLike {
  return value.byteLength === value.buffer.byteLength ? value.buffer : value.slice().buffer;
}

function decoded(bytes: Uint8Array): string {
  return host.u(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A message of so many bytes has come into the buffer. */
export function arrived(size: number): Message {
  current = new Message(size);
  return current;
}

/** The buffer is about to be used again. */
export function leaveBuffer(): void {
  current?.keep();
  current = undefined;
}
