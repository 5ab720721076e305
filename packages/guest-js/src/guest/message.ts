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

/**
 * The message received last, the one in the engine's buffer, and what is known of it. It lies here and not in its object because an
 * interpreter makes a small object in half the time of a large one.
 */
let current: Message | undefined;
let currentText: string | undefined;
let currentBytes: Uint8Array | undefined;
let answered = false;

/** One message. */
export class Message {
  /** Length in bytes. */
  declare readonly size: number;
  /** What it says, once another message has come; bytes when they were asked for, or say more than text can. */
  declare private kept: string | Uint8Array | undefined;

  constructor(size: number) {
    this.size = size;
    this.kept = undefined;
  }

  /** Its bytes as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
  text(): string {
    if (current === this) return (currentText ??= host.t());
    return typeof this.kept === "string" ? this.kept : decoded(this.kept ?? new Uint8Array());
  }

  /** Its text as JSON. @throws SyntaxError */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** Its bytes; the same array each time. */
  bytes(): Uint8Array {
    if (current === this) return (currentBytes ??= host.b());
    if (!(this.kept instanceof Uint8Array)) this.kept = host.e(this.kept ?? "");
    return this.kept;
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
    if (answered) throw refusal("take a second reply", E_STATE);
    const code = host.p(
      typeof value === "string" ? value : value instanceof Uint8Array ? owned(value) : json(value),
    );
    if (code < 0 && code !== E_STATE) throw refusal("take the reply", code);
    answered = true;
    return code >= 0;
  }

  /** Copy out what the buffer holds, because it is about to be used again (MS1). */
  keep(): void {
    const isText = currentText !== undefined && !currentText.includes(REPLACEMENT);
    this.kept = currentBytes ?? (isText ? currentText : host.b());
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
  currentText = undefined;
  currentBytes = undefined;
  answered = false;
  return current;
}

/** The buffer is about to be used again. */
export function leaveBuffer(): void {
  current?.keep();
  current = undefined;
}
