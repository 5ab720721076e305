/**
 * Fetching the pages of an agent that runs here already: the destination's side of a post-copy after the commit (docs/spec/postcopy.md).
 *
 * PF1. One call after the other, and a second beside it when the agent waits for a page; answers are taken in the order of their numbers.
 * PF2. A source that does not answer for {@link FETCH_SILENT_MS}, or refuses, is given up, and the agent with it, unless it has everything by then.
 * PF3. The source is told that it is not needed any more, in the last call.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Timers } from "@glia-os/abi/ports";
import type { CallOptions } from "../mesh-types.ts";
import type { IncomingPages } from "./cells-port.ts";
import { MOVE_METHODS, pagesBody, readPagesAnswer } from "./messages.ts";

/** How long a source may leave a call unanswered, in milliseconds. */
export const FETCH_SILENT_MS = 5000;
/** How long one attempt takes. */
const CALL_MS = 2000;
const RESEND_MS = 300;
/** Between two attempts: one that cannot be sent is refused at once. */
const RETRY_MS = 100;
const LAST_CALL_MS = 10_000;

/** What fetching needs. */
export interface PageFollowerOptions {
  readonly move: Uint8Array;
  readonly from: NodeId;
  readonly pages: IncomingPages;
  readonly clock: Clock;
  readonly timers: Timers;
  call(node: NodeId, method: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array>;
  /** Told once, when it is over. */
  onOver(): void;
}

/** Fetches the pages of one agent. */
export class PageFollower {
  readonly #o: PageFollowerOptions;
  /** By the number of their call. */
  readonly #fetched = new Map<number, Promise<Uint8Array>>();
  #sent = 0;
  #taken = 0;
  #heardMs: number;
  #taking = false;
  #over = false;

  constructor(options: PageFollowerOptions) {
    this.#o = options;
    this.#heardMs = options.clock.monotonicMs();
  }

  /** Begin. Never throws. */
  start(): void {
    const { pages } = this.#o;
    pages.onSaid = () => this.#send();
    pages.whole.then(
      () => undefined,
      () => this.#finish(),
    );
    this.#send();
  }

  /** Stop asking; nothing is told to anybody. */
  stop(): void {
    this.#over = true;
    this.#o.pages.onSaid = undefined;
  }

  /** PF1. What is said goes with the next call; without a call under way one is made for what comes next. */
  #send(): void {
    if (this.#over) return;
    const inFlight = this.#sent - this.#taken;
    if (inFlight >= 2) return;
    const said = this.#o.pages.said();
    if (inFlight > 0 && said.length === 0) return;
    const number = ++this.#sent;
    const bytes = this.#fetch(number, said);
    bytes.catch(() => undefined);
    this.#fetched.set(number, bytes);
    void this.#take();
  }

  async #fetch(number: number, said: Uint8Array): Promise<Uint8Array> {
    const { call, clock, from, move } = this.#o;
    const body = pagesBody({ move, number, said, over: false });
    for (;;) {
      try {
        const answer = await call(from, MOVE_METHODS.pages, body, {
          timeoutMs: CALL_MS,
          resendMs: RESEND_MS,
        });
        this.#heardMs = clock.monotonicMs();
        return readPagesAnswer(answer);
      } catch (error) {
        if (this.#over || !isSilence(error) || clock.monotonicMs() - this.#heardMs >= FETCH_SILENT_MS)
          throw error;
      }
      await new Promise<void>((resolve) => this.#o.timers.schedule(RETRY_MS, resolve));
    }
  }

  async #take(): Promise<void> {
    if (this.#taking) return;
    this.#taking = true;
    try {
      for (
        let next = this.#fetched.get(this.#taken + 1);
        next !== undefined && !this.#over;
        next = this.#fetched.get(this.#taken + 1)
      ) {
        const whole = await this.#o.pages.take(await next);
        this.#fetched.delete(++this.#taken);
        if (whole) this.#finish();
        else this.#send();
      }
    } catch (error) {
      this.#o.pages.lose(error instanceof Error ? error.message : String(error));
      this.#finish();
    } finally {
      this.#taking = false;
    }
  }

  /** PF3. */
  #finish(): void {
    if (this.#over) return;
    const said = this.#o.pages.said();
    this.stop();
    const { move, from, call } = this.#o;
    const body = pagesBody({ move, number: ++this.#sent, said, over: true });
    const options = { timeoutMs: LAST_CALL_MS, resendMs: RESEND_MS };
    call(from, MOVE_METHODS.pages, body, options)
      .catch(() => undefined)
      .finally(() => this.#o.onOver());
  }
}

const SILENT: ReadonlySet<string | undefined> = new Set([
  "mesh.call-timeout",
  "mesh.peer-unreachable",
  "mesh.too-many-calls",
]);

function isSilence(error: unknown): boolean {
  return SILENT.has(errorCodeOf(error));
}
