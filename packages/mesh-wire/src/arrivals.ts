/**
 * The messages of one session on their way in: frames are put together, counted and handed to the receiver.
 *
 * AR1. Each class has its own reader and inbox, so a receiver that holds one back holds no other.
 * AR2. Credit for requests returns as their receiver is done with them (request-window.ts).
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { TrafficClass } from "@glia-os/abi/ports";
import { Inbox } from "./inbox.ts";
import { DATAGRAM_INBOX_BYTES, FRAME_COST_BYTES } from "./limits.ts";
import { MessageReader } from "./message-reader.ts";
import { RequestWindow } from "./request-window.ts";
import type { ClassCounts } from "./session-stats.ts";

/** What arrivals tell their session. */
export interface ArrivalEvents {
  /** Grant the peer this much more of requests. */
  credit(bytes: number): void;
  /** A message is whole. */
  arrived(): void;
  /** The receiver of bulk takes the next message at once. */
  bulkIdle(): void;
  /** A class has nothing left to deliver. */
  idle(): void;
  /** The receiver of messages failed. */
  failed(reason: string): void;
}

const CLASSES = ["datagram", "request", "bulk"] as const;

/** One session's incoming messages. */
export class Arrivals {
  readonly #events: ArrivalEvents;
  readonly #counts: Readonly<Record<TrafficClass, ClassCounts>>;
  readonly #inboxes: Readonly<Record<TrafficClass, Inbox>>;
  /** Put the frames of each class together. */
  readonly readers: Readonly<Record<TrafficClass, MessageReader>>;
  /** What the peer may still send. */
  readonly window: RequestWindow;

  constructor(events: ArrivalEvents, counts: Readonly<Record<TrafficClass, ClassCounts>>) {
    this.#events = events;
    this.#counts = counts;
    this.window = new RequestWindow((bytes) => events.credit(bytes));
    this.#inboxes = this.#makeInboxes();
    const reader = (name: TrafficClass, cost: (message: Uint8Array) => number) =>
      new MessageReader((message) => this.take(name, message, cost(message)));
    this.readers = {
      datagram: reader("datagram", (message) => message.length + FRAME_COST_BYTES),
      request: reader("request", () => this.window.complete()),
      bulk: reader("bulk", () => 0),
    };
  }

  /** Whether nothing is being received or waits. */
  get drained(): boolean {
    return CLASSES.every((name) => this.#inboxes[name].drained);
  }

  /** Whether no message has started to arrive. */
  get quiet(): boolean {
    return this.drained && CLASSES.every((name) => !this.readers[name].partial);
  }

  /** Datagrams dropped because the receiver was held up. */
  get datagramsDropped(): number {
    return this.#inboxes.datagram.dropped;
  }

  /** The inbox of a class. */
  inbox(name: TrafficClass): Inbox {
    return this.#inboxes[name];
  }

  /** Name the receiver. */
  open(receive: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>): void {
    for (const name of CLASSES) this.#inboxes[name].open((message) => receive(name, message));
  }

  /** A whole message of this cost. */
  take(name: TrafficClass, message: Uint8Array, cost: number): void {
    this.#events.arrived();
    const counts = this.#counts[name];
    counts.messagesIn++;
    counts.bytesIn += message.length;
    this.#inboxes[name].push(message, cost);
  }

  /** A request frame is complete: let the next ones come if the receiver is waiting. */
  requestFrameEnded(): void {
    if (this.#inboxes.request.ready) this.window.idle();
  }

  /** Forget what waits. */
  discard(): void {
    for (const name of CLASSES) this.#inboxes[name].discard();
  }

  #makeInboxes(): Readonly<Record<TrafficClass, Inbox>> {
    const failed = (error: unknown) => {
      const what = isGliaError(error) ? error.code : error instanceof Error ? error.name : typeof error;
      this.#events.failed(`the receiver of messages failed: ${what}`);
    };
    const settled = () => {};
    const idle = () => this.#events.idle();
    return {
      datagram: new Inbox({ settled, idle, failed }, DATAGRAM_INBOX_BYTES),
      request: new Inbox({
        settled: (cost) => this.window.settle(cost),
        idle: () => {
          this.window.idle();
          idle();
        },
        failed,
      }),
      bulk: new Inbox({
        settled,
        idle: () => {
          this.#events.bulkIdle();
          idle();
        },
        failed,
      }),
    };
  }
}
