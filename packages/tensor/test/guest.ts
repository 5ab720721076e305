/** A guest of the tensor module without an engine: its memory, its handles, and calls by name. */
import type { GuestAccess, HandleTable, HostModule, OpenHostModule } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { expect } from "vitest";
import {
  type GuestTensor,
  type TENSOR_FUNCTIONS,
  type TensorHostOptions,
  tensorHostModule,
} from "../src/guests/index.ts";
import { scalarBackend } from "../src/index.ts";

const { E_LIMIT } = GUEST_ERRORS;
const F32 = 0;

/** Handles in order, as many as the quota: the engine's own table is tested with the engine. */
export class Handles implements HandleTable<GuestTensor> {
  readonly things: Map<number, GuestTensor> = new Map();
  readonly #quota: number;
  #last = 0;
  constructor(quota: number) {
    this.#quota = quota;
  }
  get size(): number {
    return this.things.size;
  }
  add(thing: GuestTensor): number {
    if (this.size >= this.#quota) return E_LIMIT;
    this.things.set(++this.#last, thing);
    return this.#last;
  }
  get(handle: number): GuestTensor | undefined {
    return this.things.get(handle);
  }
  remove(handle: number): GuestTensor | undefined {
    const thing = this.things.get(handle);
    this.things.delete(handle);
    return thing;
  }
  entries(): IterableIterator<[number, GuestTensor]> {
    return this.things.entries();
  }
}

/** A guest's side: its memory, and the calls it makes by name. */
export class Guest {
  readonly memory: Uint8Array<ArrayBuffer> = new Uint8Array(65_536);
  readonly handles: Handles;
  readonly module: HostModule<GuestTensor>;
  fuel = 0;
  at: OpenHostModule;

  constructor(options: TensorHostOptions = {}) {
    this.module = tensorHostModule({ makeBackend: scalarBackend, ...options });
    this.handles = new Handles(options.quotaTensors ?? 1024);
    this.at = this.module.open(this.access());
  }

  access(): GuestAccess<GuestTensor> {
    const view = (pointer: number, length: number) => {
      if (pointer < 0 || length < 0 || pointer + length > this.memory.length) return undefined;
      this.fuel += Math.floor(length / 64);
      return this.memory.subarray(pointer, pointer + length);
    };
    return {
      memory: { size: this.memory.length, reads: view, writes: view },
      handles: this.handles,
      charge: (fuel: number) => {
        this.fuel += fuel;
      },
    } as unknown as GuestAccess<GuestTensor>;
  }

  call(name: keyof typeof TENSOR_FUNCTIONS, ...args: readonly number[]): number {
    const call = this.at.calls[name] as unknown as (...args: readonly number[]) => number;
    return call(...args);
  }

  shape(...lengths: readonly number[]): [at: number, rank: number] {
    this.memory.set(new Uint8Array(Uint32Array.from(lengths).buffer), 1024);
    return [1024, lengths.length];
  }

  make(shape: readonly number[], values: readonly number[]): number {
    const [at, rank] = this.shape(...shape);
    this.memory.set(new Uint8Array(Float32Array.from(values).buffer), 4096);
    return this.call("tensor_from", F32, at, rank, 4096, 4 * values.length);
  }

  read(handle: number): number[] {
    const length = this.call("tensor_read", handle, 8192, 16_384);
    expect(length, this.error()).toBeGreaterThanOrEqual(0);
    return Array.from(new Float32Array(this.memory.slice(8192, 8192 + length).buffer));
  }

  error(): string {
    return new TextDecoder().decode(this.memory.slice(0, this.call("tensor_error", 0, 1024)));
  }

  /** Through a snapshot: records and state into a module of another host. */
  moved(options: TensorHostOptions = {}): Guest {
    const next = new Guest(options);
    const codec = this.module.handles as NonNullable<typeof this.module.handles>;
    for (const [handle, thing] of this.handles.entries())
      next.handles.things.set(handle, codec.decode(codec.encode(thing)));
    next.at = next.module.open(next.access(), this.at.save());
    next.memory.set(this.memory);
    return next;
  }
}
