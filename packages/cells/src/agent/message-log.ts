/** The last messages of one agent, for people: a bounded ring, which exists only while somebody asked for it. */
import { LOG_ENTRIES_MAX } from "./constants.ts";
import type { AgentEnvelope } from "./envelope.ts";
import { BadArgumentError } from "./errors.ts";
import type { MessageRecord } from "./message-record.ts";
import type { AgentRef } from "./reference.ts";

const TEXT_CHARS = 200;

/** A ring of records. */
export class MessageLog {
  readonly #records: MessageRecord[] = [];
  readonly #entries: number;
  #next = 0;

  /** @throws {BadArgumentError} */
  constructor(entries: number) {
    if (!Number.isInteger(entries) || entries < 1 || entries > LOG_ENTRIES_MAX)
      throw new BadArgumentError(
        "number of entries",
        `it must be a whole number from 0 to ${LOG_ENTRIES_MAX}`,
      );
    this.#entries = entries;
  }

  /** Keep one; the oldest goes. */
  add(
    atMs: number,
    agent: AgentRef,
    direction: "in" | "out",
    envelope: AgentEnvelope,
    peer: string | undefined,
  ): void {
    const { kind, message, correlation } = envelope;
    const record = { atMs, agent, direction, kind, message, correlation, peer, text: textOf(envelope.input) };
    if (this.#records.length < this.#entries) this.#records.push(record);
    else this.#records[this.#next] = record;
    this.#next = (this.#next + 1) % this.#entries;
  }

  /** All that are kept, oldest first. */
  records(): MessageRecord[] {
    if (this.#records.length < this.#entries) return [...this.#records];
    return [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
  }
}

function textOf(input: unknown): string {
  if (input === undefined) return "";
  const text = JSON.stringify(input, (_, value: unknown) =>
    value instanceof Uint8Array ? `${value.length} bytes` : value,
  );
  return text.length > TEXT_CHARS ? `${text.slice(0, TEXT_CHARS - 1)}…` : text;
}
