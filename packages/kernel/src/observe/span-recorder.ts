/**
 * A tracer of our own: spans with random ids, kept in memory when they end.
 *
 * SR1. The newest `capacity` ended spans are kept; how many were dropped is counted.
 * SR2. A span holds at most 64 attributes, 64 events and 64 links, texts of at most 1024 characters; what exceeds is left out and counted in
 *      `cut`. An event or a link holds at most 16 attributes.
 * SR3. A child has the trace id and flags of its parent. A span without a parent begins a trace that is sampled and has a random id. A parent
 *      whose ids are malformed counts as none.
 */

import { toHex } from "@glia-os/abi/ids";
import type {
  Clock,
  Random,
  Span,
  SpanAttributes,
  SpanContext,
  SpanLink,
  SpanOptions,
  Tracer,
} from "@glia-os/abi/ports";
import { whole } from "../mailbox.ts";
import { checkOptions } from "../options.ts";

const CAPACITY = 1024;
const CAPACITY_MOST = 1_048_576;
const FACTS = 64;
const INNER_FACTS = 16;
const TEXT = 1024;
const SAMPLED_AND_RANDOM = 3;
const IDS = /^(?!0+-)[0-9a-f]{32}-(?!0+$)[0-9a-f]{16}$/;

type Facts = Record<string, string | number | boolean>;

/** What a recorder is made with. */
export interface SpanRecorderOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Ended spans that are kept: 1 to 1,048,576, default 1024. */
  readonly capacity?: number;
}

/** Something that happened during a span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly attributes: SpanAttributes;
}

/** A span that ended. */
export interface SpanRecord {
  readonly name: string;
  readonly kind: NonNullable<SpanOptions["kind"]>;
  readonly context: SpanContext;
  /** The id of the span it is a part of; undefined for the first of a trace. */
  readonly parentSpanId: string | undefined;
  readonly attributes: SpanAttributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly status: "unset" | "ok" | "error";
  readonly description: string;
  /** Milliseconds since the Unix epoch. */
  readonly startMs: number;
  /** Its length in milliseconds of the monotonic clock. */
  readonly durationMs: number;
  /** Facts left out (SR2). */
  readonly cut: number;
}

/** A tracer whose spans can be read. */
export interface SpanRecorder extends Tracer {
  /** The ended spans that are kept, in the order of their ends. */
  ended(): readonly SpanRecord[];
  /** Ended spans that are not kept any more. */
  readonly dropped: number;
}

interface SpanSetup {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: SpanContext | undefined;
  readonly context: SpanContext;
  readonly clock: Clock;
  readonly done: (record: SpanRecord) => void;
}

class RecordedSpan implements Span {
  readonly context: SpanContext;
  readonly #name: string;
  readonly #options: SpanOptions;
  readonly #parent: SpanContext | undefined;
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #wallMs: number;
  readonly #done: (record: SpanRecord) => void;
  readonly #attributes: Facts = {};
  readonly #events: SpanEvent[] = [];
  readonly #links: SpanLink[] = [];
  #facts = 0;
  #cut = 0;
  #status: SpanRecord["status"] = "unset";
  #description = "";
  #over = false;

  constructor({ name, options, parent, context, clock, done }: SpanSetup) {
    this.context = context;
    this.#name = this.#text(name);
    this.#options = options;
    this.#parent = parent;
    this.#clock = clock;
    this.#done = done;
    this.#startMs = clock.monotonicMs();
    this.#wallMs = clock.wallMs();
    for (const [key, value] of Object.entries(options.attributes ?? {})) this.set(key, value);
    for (const { context: to, attributes } of options.links ?? []) {
      if (this.#links.length >= FACTS) this.#cut++;
      else this.#links.push({ context: to, attributes: this.#inner(attributes) });
    }
  }

  set(name: string, value: string | number | boolean): void {
    if (this.#over) return;
    const key = this.#text(name);
    if (!Object.hasOwn(this.#attributes, key)) {
      if (this.#facts >= FACTS) {
        this.#cut++;
        return;
      }
      this.#facts++;
    }
    define(this.#attributes, key, this.#plain(value));
  }

  event(name: string, attributes?: SpanAttributes): void {
    if (this.#over) return;
    if (this.#events.length >= FACTS) this.#cut++;
    else
      this.#events.push({
        name: this.#text(name),
        atMs: this.#clock.wallMs(),
        attributes: this.#inner(attributes),
      });
  }

  status(code: "ok" | "error", description = ""): void {
    if (this.#over) return;
    this.#status = code;
    this.#description = code === "error" ? this.#text(description) : "";
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done({
      name: this.#name,
      kind: this.#options.kind ?? "internal",
      context: this.context,
      parentSpanId: this.#parent?.spanId,
      attributes: this.#attributes,
      events: this.#events,
      links: this.#links,
      status: this.#status,
      description: this.#description,
      startMs: this.#wallMs,
      durationMs: this.#clock.monotonicMs() - this.#startMs,
      cut: this.#cut,
    });
  }

  #inner(attributes: SpanAttributes = {}): SpanAttributes {
    const entries = Object.entries(attributes);
    this.#cut += Math.max(0, entries.length - INNER_FACTS);
    const kept: Facts = {};
    for (const [key, value] of entries.slice(0, INNER_FACTS))
      define(kept, this.#text(key), this.#plain(value));
    return kept;
  }

  #plain(value: unknown): string | number | boolean {
    return typeof value === "number" || typeof value === "boolean" ? value : this.#text(value);
  }

  #text(value: unknown): string {
    const text = typeof value === "string" ? value : typeof value;
    if (text.length <= TEXT) return text;
    this.#cut++;
    return text.slice(0, TEXT);
  }
}

/** Set a fact, also one of the name `__proto__`. */
function define(target: Facts, key: string, value: string | number | boolean): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

class Recorder implements SpanRecorder {
  dropped = 0;
  readonly #options: SpanRecorderOptions;
  readonly #capacity: number;
  readonly #ended: SpanRecord[] = [];
  #oldest = 0;

  constructor(options: SpanRecorderOptions) {
    checkOptions("the span recorder's options", options);
    this.#capacity = options.capacity ?? CAPACITY;
    whole("span capacity", this.#capacity, 1, CAPACITY_MOST);
    this.#options = options;
  }

  start(name: string, options: SpanOptions = {}): Span {
    const { parent } = options;
    const above = parent !== undefined && IDS.test(`${parent.traceId}-${parent.spanId}`) ? parent : undefined;
    const context: SpanContext = {
      traceId: above?.traceId ?? this.#id(16),
      spanId: this.#id(8),
      traceFlags: above?.traceFlags ?? SAMPLED_AND_RANDOM,
    };
    const { clock } = this.#options;
    const done = (record: SpanRecord): void => this.#keep(record);
    return new RecordedSpan({ name, options, parent: above, context, clock, done });
  }

  ended(): readonly SpanRecord[] {
    return [...this.#ended.slice(this.#oldest), ...this.#ended.slice(0, this.#oldest)];
  }

  #keep(record: SpanRecord): void {
    if (this.#ended.length < this.#capacity) {
      this.#ended.push(record);
      return;
    }
    this.#ended[this.#oldest] = record;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    this.dropped++;
  }

  /** Random and not zero. */
  #id(bytes: number): string {
    const drawn = this.#options.random.bytes(new Uint8Array(bytes));
    if (drawn.every((byte) => byte === 0)) drawn[bytes - 1] = 1;
    return toHex(drawn);
  }
}

/** A tracer that keeps the newest spans in memory. @throws {BadOptionError} */
export function createSpanRecorder(options: SpanRecorderOptions): SpanRecorder {
  return new Recorder(options);
}
