/**
 * `KeyValue` in the memory of one process: for tests and simulations.
 *
 * M1. Nothing survives the process: a put is acknowledged as if it were durable, which it is not.
 */
import type { KeyInfo, KeyValue } from "@glia-os/abi/ports";
import { compareCodePoints } from "../code-points.ts";
import { StoreClosedError } from "../errors.ts";
import { CheckedKeyValue, type KeyAnswerer } from "./checked-key-value.ts";
import { type KeyValueLimits, keyValueLimits } from "./limits.ts";
import type { VersionedValue } from "./request.ts";
import { KeyRules } from "./rules.ts";
import type { KeyTable } from "./table.ts";

/** What a store of keys in memory is made from. */
export interface MemoryKeyValueOptions {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<KeyValueLimits>;
}

/** A store of keys in memory. @throws `abi.malformed` for a bad limit. */
export function createMemoryKeyValue(options: MemoryKeyValueOptions = {}): KeyValue {
  const limits = keyValueLimits(options.limits);
  const rules = new KeyRules(new MemoryKeyTable(), limits);
  let closed = false;
  const answerer: KeyAnswerer = {
    async ask(request) {
      if (closed) throw new StoreClosedError();
      return rules.perform(request);
    },
    async end() {
      closed = true;
    },
  };
  return new CheckedKeyValue(answerer, limits.valueBytes);
}

class MemoryKeyTable implements KeyTable {
  readonly #values: Map<string, VersionedValue> = new Map();
  #version = 0;

  totals(): { readonly keys: number; readonly bytes: number } {
    const bytes = [...this.#values.values()].reduce((sum, { value }) => sum + value.length, 0);
    return { keys: this.#values.size, bytes };
  }

  nextVersion(): number {
    return ++this.#version;
  }

  info(key: string): KeyInfo | undefined {
    const stored = this.#values.get(key);
    return stored && { key, version: stored.version, bytes: stored.value.length };
  }

  value(key: string): VersionedValue | undefined {
    const stored = this.#values.get(key);
    return stored && { value: stored.value.slice(), version: stored.version };
  }

  put(key: string, value: Uint8Array, version: number): void {
    this.#values.set(key, { value, version });
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  list(prefix: string, after: string, limit: number): readonly KeyInfo[] {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort(compareCodePoints);
    const rest = keys.filter((key) => compareCodePoints(key, after) > 0);
    return rest.slice(0, limit).flatMap((key) => this.info(key) ?? []);
  }
}
