/**
 * The HTTP/2 sessions of which no stream has borne the token yet: they hold connections that metrics and health need too.
 *
 * SG1. A session on which no stream was let in within a time from its begin is ended, whatever it sends meanwhile.
 * SG2. At most so many such sessions: another one ends the oldest of them.
 */
import type { Http2Session } from "node:http2";

/** Sessions that nobody vouched for (SG2). */
export const STRANGERS_MAX = 16;

/** The strangers of one listener. */
export class HttpStrangers {
  readonly #withinMs: number;
  readonly #waiting = new Map<Http2Session, NodeJS.Timeout>();

  /** `withinMs`: how long a session may take to bear the token, in milliseconds. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** A session begins. */
  admit(session: Http2Session): void {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= STRANGERS_MAX) this.#end(oldest);
    this.#waiting.set(
      session,
      setTimeout(() => this.#end(session), this.#withinMs),
    );
    session.once("close", () => this.vouch(session));
  }

  /** A stream of it bore the token: it stays for as long as it likes. */
  vouch(session: Http2Session): void {
    clearTimeout(this.#waiting.get(session));
    this.#waiting.delete(session);
  }

  #end(session: Http2Session): void {
    this.vouch(session);
    session.destroy();
  }
}
