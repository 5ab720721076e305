/**
 * Isolating a value: rebuilding its containers and taking over its buffers, so that nothing from before reaches it.
 *
 * IS1. Containers are copied and buffers are transferred, not copied: whoever held a buffer or a view of it has a detached one.
 * IS2. Everything is checked before the first buffer is transferred. Only memory that its owner keeps (WebAssembly) shows at the
 *      transfer itself; buffers before it are detached then.
 */
import { NotIsolableError } from "./errors.ts";
import { type Rebuilding, rebuild } from "./rebuild.ts";

/** The built-in views, whose constructors can be trusted. A subclass, such as one over pooled memory, is none of them. */
const VIEWS: ReadonlySet<object> = new Set<object>(
  [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
    DataView,
  ].map(({ prototype }) => prototype as object),
);

type ViewConstructor = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

function refuse(path: string, why: string): never {
  throw new NotIsolableError(path, why);
}

/** Look without touching: buffers stay as they are (IS2). */
const inspection: Rebuilding = {
  bytes(source, path) {
    if (ArrayBuffer.isView(source) && !VIEWS.has(Object.getPrototypeOf(source) as object))
      return refuse(path, "it is a view of another class, whose memory may not be its own");
    const buffer = ArrayBuffer.isView(source) ? source.buffer : source;
    if (!(buffer instanceof ArrayBuffer)) return refuse(path, "shared memory is not isolated");
    if (buffer.detached) return refuse(path, "its buffer is detached");
    return source;
  },
  collections: true,
  finish: () => {},
  refuse,
};

/** The value rebuilt, reached by nothing else (IS1). @throws {NotIsolableError} {ValueTooLargeError} */
export function isolate(value: unknown): unknown {
  // Where a view lies is read before its buffer is transferred: a detached view has forgotten it.
  const places = new Map<ArrayBufferView, readonly [number, number]>();
  rebuild(value, {
    ...inspection,
    bytes(source, path) {
      if (ArrayBuffer.isView(source)) places.set(source, placeOf(source));
      return inspection.bytes(source, path);
    },
  });
  const transferred = new Map<ArrayBuffer, ArrayBuffer>();
  return rebuild(value, {
    ...inspection,
    bytes(source, path) {
      if (!ArrayBuffer.isView(source)) return transfer(source as ArrayBuffer, path, transferred);
      const View = (Object.getPrototypeOf(source) as { constructor: ViewConstructor }).constructor;
      const buffer = transfer(source.buffer as ArrayBuffer, path, transferred);
      return new View(buffer, ...places.get(source)!);
    },
  });
}

function transfer(buffer: ArrayBuffer, path: string, done: Map<ArrayBuffer, ArrayBuffer>): ArrayBuffer {
  const known = done.get(buffer);
  if (known !== undefined) return known;
  try {
    const fresh = buffer.transfer();
    done.set(buffer, fresh);
    return fresh;
  } catch {
    return refuse(path, "its memory cannot be transferred");
  }
}

function placeOf(view: ArrayBufferView): readonly [number, number] {
  return [view.byteOffset, view instanceof DataView ? view.byteLength : (view as Uint8Array).length];
}
