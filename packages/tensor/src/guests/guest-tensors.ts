/**
 * The tensors of one guest: handles of its own over a space of its own.
 *
 * GT1. The quota counts each tensor as its elements rounded up to a block; it depends on the guest's calls alone. The space's
 *      memory is bounded by twice the quota: where it is used up by gaps, the tensors are packed into a new one, and the call goes on.
 * GT2. A call that is refused leaves every tensor and handle as it was.
 */
import type { GuestAccess } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import type { Backend } from "../backend.ts";
import { QuotaExceededError } from "../errors.ts";
import { Space } from "../memory/space.ts";
import type { Tensor } from "../tensor.ts";
import { bytesOf, encodeTensor, materialise, type TensorRecord } from "./record.ts";

/** What a handle of a guest means: a tensor, or the record it came in until it is first used. */
export class GuestTensor {
  #tensor: Tensor | undefined;
  #record: TensorRecord | undefined;

  constructor(from: Tensor | TensorRecord) {
    if ("elements" in from) this.#record = from;
    else this.#tensor = from;
  }

  /** The tensor, in the space of its guest. @throws QuotaExceededError */
  in(space: Space): Tensor {
    this.#tensor ??= materialise(this.#record as TensorRecord, space);
    this.#record = undefined;
    return this.#tensor;
  }

  /** Take the elements out of the space, to be put into another. */
  lift(): void {
    if (this.#tensor === undefined) return;
    this.#record = { ...recordOf(this.#tensor), elements: bytesOf(this.#tensor).slice() };
    this.#tensor.free();
    this.#tensor = undefined;
  }

  /** The record for a snapshot. */
  encode(): Uint8Array {
    return encodeTensor(this.#tensor === undefined ? (this.#record as TensorRecord) : recordOf(this.#tensor));
  }
}

/** A view of a tensor as a record, good until its space's memory grows. */
function recordOf(tensor: Tensor): TensorRecord {
  return { dtype: tensor.dtype, shape: tensor.shape, elements: bytesOf(tensor) };
}

/** What bounds one guest. */
export interface GuestTensorLimits {
  readonly quotaBytes: number;
  readonly makeBackend: (limitBytes: number) => Backend;
}

/** See the top of this file. */
export class GuestTensors {
  readonly #access: GuestAccess<GuestTensor>;
  readonly #limits: GuestTensorLimits;
  #space: Space | undefined;

  /** @throws QuotaExceededError when a snapshot holds more than the quota */
  constructor(access: GuestAccess<GuestTensor>, limits: GuestTensorLimits) {
    this.#access = access;
    this.#limits = limits;
    for (const [, thing] of access.handles.entries()) thing.in(this.space);
  }

  /** The space, made when the first tensor needs it. */
  get space(): Space {
    if (this.#space !== undefined) return this.#space;
    const { quotaBytes, makeBackend } = this.#limits;
    const backend = makeBackend(2 * quotaBytes + 128);
    this.#space = new Space({ backend, limitBytes: quotaBytes, reclaim: false });
    return this.#space;
  }

  /** The tensor of a handle, or undefined. */
  get(handle: number): Tensor | undefined {
    return this.#access.handles.get(handle)?.in(this.space);
  }

  /** A handle for a tensor; or E_LIMIT, and the tensor is freed. */
  give(tensor: Tensor): number {
    const handle = this.#access.handles.add(new GuestTensor(tensor));
    if (handle === GUEST_ERRORS.E_LIMIT) tensor.free();
    return handle;
  }

  /** Forget a handle; false when it is none. */
  free(handle: number): boolean {
    const thing = this.#access.handles.remove(handle);
    thing?.in(this.space).free();
    return thing !== undefined;
  }

  /** Do something that may run out of memory for gaps: if it does, pack, and do it once more (GT1). */
  withRoom<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof QuotaExceededError) || !this.#hasGaps()) throw error;
      this.#pack();
      return act();
    }
  }

  /** Give all memory back. */
  close(): void {
    this.#space?.close();
    this.#space = undefined;
  }

  #hasGaps(): boolean {
    const { usedBytes, reachBytes } = this.space.use();
    return reachBytes > usedBytes;
  }

  #pack(): void {
    const things = [...this.#access.handles.entries()].map(([, thing]) => thing);
    for (const thing of things) thing.lift();
    this.close();
    for (const thing of things) thing.in(this.space);
  }
}
