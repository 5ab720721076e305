/**
 * `KeyValue` in front of anything that answers requests: checks arguments, then asks.
 *
 * Q1. A request that is asked has the right form; a bad argument rejects the returned promise, nothing throws synchronously.
 * Q2. The bytes of a put are copied before `put` returns.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { KeyInfo, KeyValue } from "@glia-os/abi/ports";
import { checkWhole } from "../limit-range.ts";
import { faultOfText } from "../plain-text.ts";
import { ValueTooLargeError } from "./errors.ts";
import { KEY_BYTES, KEYS_AT_ONCE } from "./limits.ts";
import type { KeyReplies, KeyReply, KeyRequest, VersionedValue } from "./request.ts";

/** Who answers requests. */
export interface KeyAnswerer {
  /** Answer one checked request; a change is durable when the promise resolves. */
  ask(request: KeyRequest): Promise<KeyReply>;
  /** Finish the requests under way and release everything. Idempotent. */
  end(): Promise<void>;
}

/** The port's methods over a {@link KeyAnswerer}. */
export class CheckedKeyValue implements KeyValue {
  readonly #answerer: KeyAnswerer;
  readonly #valueBytes: number;

  constructor(answerer: KeyAnswerer, valueBytes: number) {
    this.#answerer = answerer;
    this.#valueBytes = valueBytes;
  }

  async get(key: string): Promise<VersionedValue | undefined> {
    return this.#ask({ op: "get", key: checkKey(key) });
  }

  async put(key: string, value: Uint8Array, expected: number): Promise<number | undefined> {
    checkKey(key);
    checkWhole("expected version", expected, 0, Number.MAX_SAFE_INTEGER);
    if (!(value instanceof Uint8Array)) throw new MalformedError("value", "it is no Uint8Array");
    if (value.length > this.#valueBytes) throw new ValueTooLargeError(value.length, this.#valueBytes);
    return this.#ask({ op: "put", key, value: new Uint8Array(value), expected });
  }

  async delete(key: string, expected: number): Promise<boolean> {
    checkWhole("expected version", expected, 1, Number.MAX_SAFE_INTEGER);
    return this.#ask({ op: "delete", key: checkKey(key), expected });
  }

  async list(prefix: string, after: string, limit: number): Promise<readonly KeyInfo[]> {
    checkText("prefix", prefix);
    checkText("after", after);
    return this.#ask({ op: "list", prefix, after, limit: checkWhole("limit", limit, 1, KEYS_AT_ONCE) });
  }

  close(): Promise<void> {
    return this.#answerer.end();
  }

  #ask<Op extends KeyRequest["op"]>(request: KeyRequest & { op: Op }): Promise<KeyReplies[Op]> {
    return this.#answerer.ask(request) as Promise<KeyReplies[Op]>;
  }
}

function checkKey(key: string): string {
  if (key === "") throw new MalformedError("key", "it is empty");
  return checkText("key", key);
}

function checkText(what: string, text: string): string {
  const fault = faultOfText(text, KEY_BYTES);
  if (fault !== undefined) throw new MalformedError(what, fault);
  return text;
}
