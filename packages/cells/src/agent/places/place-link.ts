/**
 * One end of the connection between two threads: messages in lists, and calls with answers.
 *
 * PL1. What is posted within one turn of a thread goes as one list, in order.
 */
import { errorOf, recordOf } from "../error-record.ts";
import { type EnvelopeRow, fromRow, toRow } from "./envelope-row.ts";
import type { PlaceMessage, ThreadPort } from "./place-message.ts";

/** What a call from the other side does. */
export type Method = (...args: readonly unknown[]) => unknown;

interface OpenCall {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What really goes: envelopes as rows. */
type Posted = EnvelopeRow | Exclude<PlaceMessage, { readonly is: "envelope" }>;

/** One end. */
export class PlaceLink {
  readonly #port: ThreadPort;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #calls = new Map<number, OpenCall>();
  #lastCall = 0;
  #out: Posted[] = [];

  /** `heard` gets what is no call; `methods` are what the other side may call. */
  constructor(
    port: ThreadPort,
    methods: ReadonlyMap<string, Method>,
    heard: (message: PlaceMessage) => void,
  ) {
    this.#port = port;
    this.#methods = methods;
    port.on("message", (messages) => {
      for (const posted of messages as readonly Posted[])
        if (isRow(posted)) heard(fromRow(posted));
        else this.#take(posted, heard);
    });
  }

  /** Send, with everything else of this turn. */
  post(message: PlaceMessage): void {
    const posted = message.is === "envelope" ? toRow(message) : message;
    if (this.#out.push(posted) === 1) void Promise.resolve().then(() => this.#flush());
  }

  /** Have the other side do something. Rejects with what it throws. */
  call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#calls.set(++this.#lastCall, { resolve, reject });
      this.post({ is: "call", call: this.#lastCall, method, args });
    });
  }

  /** The other side is gone. */
  lost(error: unknown): void {
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
  }

  #flush(): void {
    const out = this.#out;
    this.#out = [];
    this.#port.postMessage(out);
  }

  #take(message: Exclude<Posted, EnvelopeRow>, heard: (message: PlaceMessage) => void): void {
    if (message.is === "call") void this.#perform(message.call, message.method, message.args);
    else if (message.is === "answer") {
      const call = this.#calls.get(message.call);
      this.#calls.delete(message.call);
      if (message.ok) call?.resolve(message.value);
      else call?.reject(errorOf(message.value));
    } else heard(message);
  }

  async #perform(call: number, method: string, args: readonly unknown[]): Promise<void> {
    try {
      this.post({ is: "answer", call, ok: true, value: await this.#methods.get(method)?.(...args) });
    } catch (error) {
      this.post({ is: "answer", call, ok: false, value: recordOf(error, method) });
    }
  }
}

function isRow(posted: Posted): posted is EnvelopeRow {
  return Array.isArray(posted);
}
