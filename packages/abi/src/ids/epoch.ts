/** Counters that fence writers and name requests (docs/spec/ids.md). */
import { MalformedError } from "../errors/glia-error.ts";
import type { Brand } from "./brand.ts";

/** The fence of one agent's ownership: an integer from 1 to 2^53 - 1 that only grows. */
export type Epoch = Brand<number, "Epoch">;

/** A link sequence number: from 1, per (sender, receiver) pair, no gaps. */
export type LinkSeq = Brand<number, "LinkSeq">;

/** A number checked to be an epoch. @throws {MalformedError} unless it is an integer from 1 to 2^53 - 1. */
export function toEpoch(value: number): Epoch {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new MalformedError("epoch", `${value} is not an integer from 1 to 2^53 - 1`);
  return value as Epoch;
}

/** The next epoch. @throws {MalformedError} at 2^53 - 1, which no real history reaches. */
export function nextEpoch(epoch: Epoch): Epoch {
  return toEpoch(epoch + 1);
}

/** A number checked to be a link sequence number. @throws {MalformedError} unless it is an integer from 1 to 2^53 - 1. */
export function toLinkSeq(value: number): LinkSeq {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new MalformedError("link sequence", `${value} is not an integer from 1 to 2^53 - 1`);
  return value as LinkSeq;
}
