/** Freezing a value: a frozen copy, however deep, with its bytes sealed. */
import { SealedBytes } from "./bytes.ts";
import { NotFreezableError } from "./errors.ts";
import { type Rebuilding, rebuild } from "./rebuild.ts";

const freezing: Rebuilding = {
  bytes(source, path) {
    const buffer = ArrayBuffer.isView(source) ? source.buffer : source;
    if (buffer instanceof ArrayBuffer && buffer.detached) return refuse(path, "its buffer is detached");
    if (!ArrayBuffer.isView(source)) return new SealedBytes(new Uint8Array(source));
    return new SealedBytes(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  },
  collections: false,
  finish: (container) => Object.freeze(container),
  refuse,
};

function refuse(path: string, why: string): never {
  throw new NotFreezableError(path, why);
}

/** A frozen copy. Maps and sets are refused, because JavaScript cannot freeze them. @throws {NotFreezableError} {ValueTooLargeError} */
export function freeze(value: unknown): unknown {
  return rebuild(value, freezing);
}
