/**
 * The host module `glia.tensor.v1`: tensors for WebAssembly guests (docs/spec/tensor.md, G1 to G9).
 *
 * TM1. Every guest has tensors of its own, in the fixed backend, within a quota; they are part of its snapshot, so a guest that moves in the
 *      middle of a computation goes on with the same bits.
 */
import type { GuestAccess, HostModule, OpenHostModule } from "@glia-os/abi/ports";
import { TENSOR_FUNCTIONS, TENSOR_MODULE } from "@glia-os/abi/wire";
import type { Backend } from "../backend.ts";
import { BadOptionError } from "../errors.ts";
import { fixedBackend } from "../wasm/wasm-backend.ts";
import { GUEST_TENSOR_CODEC } from "./codec.ts";
import { type GuestTensor, GuestTensors } from "./guest-tensors.ts";
import { TensorCalls } from "./tensor-calls.ts";

/** Bounds of every guest the module serves. All hosts a guest may move between must have the same. */
export interface TensorHostOptions {
  /** Most bytes of tensors of a guest, 64 to 2^30. Default 64 MiB. */
  readonly quotaBytes?: number;
  /** Most tensors of a guest, 1 to 65,536. Default 1024. */
  readonly quotaTensors?: number;
  /** Most multiply-adds or elements of one call, 1 to 2^40. Default 2^27: the product of two matrices of 512 by 512. */
  readonly mostWork?: number;
  /** Makes the backend of a guest; it must give the bits of N12. Default: `fixed`. */
  readonly makeBackend?: (limitBytes: number) => Backend;
}

/** The host module; offer it to an engine, and grant it to guests by its name. @throws BadOptionError */
export function tensorHostModule({
  quotaBytes = 64 * 2 ** 20,
  quotaTensors = 1024,
  mostWork = 2 ** 27,
  makeBackend = fixedBackend,
}: TensorHostOptions = {}): HostModule<GuestTensor> {
  requireWhole("quotaBytes", quotaBytes, 64, 2 ** 30);
  requireWhole("quotaTensors", quotaTensors, 1, 65_536);
  requireWhole("mostWork", mostWork, 1, 2 ** 40);
  return {
    name: TENSOR_MODULE,
    version: 1,
    functions: TENSOR_FUNCTIONS,
    handles: { quota: quotaTensors, ...GUEST_TENSOR_CODEC },
    open: (access, saved) =>
      open(access, saved, new GuestTensors(access, { quotaBytes, makeBackend }), mostWork),
  };
}

function open(
  access: GuestAccess<GuestTensor>,
  saved: Uint8Array | undefined,
  tensors: GuestTensors,
  mostWork: number,
): OpenHostModule {
  const calls = new TensorCalls(access, tensors, mostWork, failureFrom(saved));
  return {
    calls: calls.functions(),
    save: () => new TextEncoder().encode(calls.failure),
    close: () => tensors.close(),
  };
}

function failureFrom(saved: Uint8Array | undefined): string {
  if (saved === undefined) return "";
  if (saved.length > 4096)
    throw new BadOptionError(
      "tensorHostModule",
      "the saved state",
      `${saved.length} bytes`,
      "at most 4096 bytes",
    );
  return new TextDecoder().decode(saved);
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new BadOptionError("tensorHostModule", name, value, `a whole number from ${least} to ${most}`);
}
