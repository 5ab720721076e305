/**
 * What a store of keys accepts, whatever it is stored on (KV1-KV3 of the port).
 *
 * R1. Every check precedes every write: a refused request has written nothing.
 */
import { StoreFullError } from "../errors.ts";
import { TooManyKeysError } from "./errors.ts";
import type { KeyValueLimits } from "./limits.ts";
import type { KeyReply, KeyRequest } from "./request.ts";
import type { KeyTable } from "./table.ts";

/** Judges and performs requests on one table. */
export class KeyRules {
  readonly #table: KeyTable;
  readonly #limits: KeyValueLimits;
  #keys = 0;
  #bytes = 0;

  constructor(table: KeyTable, limits: KeyValueLimits) {
    this.#table = table;
    this.#limits = limits;
    this.reconcile();
  }

  /** Count again what the table holds: after opening it, and after a rollback. */
  reconcile(): void {
    ({ keys: this.#keys, bytes: this.#bytes } = this.#table.totals());
  }

  /** Perform one request. @throws the refusals of the port. */
  perform(request: KeyRequest): KeyReply {
    switch (request.op) {
      case "get":
        return this.#table.value(request.key);
      case "put":
        return this.#put(request.key, request.value, request.expected);
      case "delete":
        return this.#delete(request.key, request.expected);
      case "list":
        return this.#table.list(request.prefix, request.after, request.limit);
    }
  }

  /** KV1, KV2. */
  #put(key: string, value: Uint8Array, expected: number): number | undefined {
    const stored = this.#table.info(key);
    if ((stored?.version ?? 0) !== expected) return undefined;
    const { maxKeys, maxBytes } = this.#limits;
    if (stored === undefined && this.#keys >= maxKeys) throw new TooManyKeysError(maxKeys);
    const bytes = this.#bytes + value.length - (stored?.bytes ?? 0);
    if (bytes > maxBytes && value.length > (stored?.bytes ?? 0))
      throw new StoreFullError(`its values may take ${maxBytes} bytes in all`);
    const version = this.#table.nextVersion();
    this.#table.put(key, value, version);
    this.#keys += stored === undefined ? 1 : 0;
    this.#bytes = bytes;
    return version;
  }

  /** KV1. */
  #delete(key: string, expected: number): boolean {
    const stored = this.#table.info(key);
    if (stored?.version !== expected) return false;
    this.#table.delete(key);
    this.#keys -= 1;
    this.#bytes -= stored.bytes;
    return true;
  }
}
