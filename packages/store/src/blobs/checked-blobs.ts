/**
 * `Blobs` in front of anything that answers requests: checks arguments, then asks.
 *
 * Q1. A request that is asked has the right form; a bad argument rejects the returned promise, nothing throws synchronously.
 * Q2. The bytes of a put are copied before `put` returns: what the caller does with them later changes no blob.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { BlobInfo, Blobs } from "@glia-os/abi/ports";
import { checkWhole } from "../limit-range.ts";
import { BlobTooLargeError } from "./errors.ts";
import type { BlobReplies, BlobReply, BlobRequest } from "./request.ts";

/** Who answers requests. */
export interface BlobAnswerer {
  /** Answer one checked request; a change is durable when the promise resolves. */
  ask(request: BlobRequest): Promise<BlobReply>;
  /** Finish the requests under way and release everything. Idempotent. */
  end(): Promise<void>;
}

/** The most blobs that one listing returns. */
const BLOBS_AT_ONCE = 10_000;
const HASH = /^[0-9a-f]{64}$/;

/** The port's methods over a {@link BlobAnswerer}. */
export class CheckedBlobs implements Blobs {
  readonly #answerer: BlobAnswerer;
  readonly #blobBytes: number;

  constructor(answerer: BlobAnswerer, blobBytes: number) {
    this.#answerer = answerer;
    this.#blobBytes = blobBytes;
  }

  async put(bytes: Uint8Array): Promise<string> {
    if (!(bytes instanceof Uint8Array)) throw new MalformedError("blob", "it is no Uint8Array");
    if (bytes.length > this.#blobBytes) throw new BlobTooLargeError(bytes.length, this.#blobBytes);
    return this.#ask({ op: "put", bytes: new Uint8Array(bytes) });
  }

  async get(hash: string): Promise<Uint8Array | undefined> {
    return this.#ask({ op: "get", hash: checkHash(hash) });
  }

  async has(hash: string): Promise<boolean> {
    return this.#ask({ op: "has", hash: checkHash(hash) });
  }

  async list(after: string, limit: number): Promise<readonly BlobInfo[]> {
    return this.#ask({
      op: "list",
      after: after === "" ? after : checkHash(after),
      limit: checkWhole("limit", limit, 1, BLOBS_AT_ONCE),
    });
  }

  async delete(hash: string, stamp: number): Promise<boolean> {
    checkWhole("stamp", stamp, 1, Number.MAX_SAFE_INTEGER);
    return this.#ask({ op: "delete", hash: checkHash(hash), stamp });
  }

  close(): Promise<void> {
    return this.#answerer.end();
  }

  #ask<Op extends BlobRequest["op"]>(request: BlobRequest & { op: Op }): Promise<BlobReplies[Op]> {
    return this.#answerer.ask(request) as Promise<BlobReplies[Op]>;
  }
}

function checkHash(hash: unknown): string {
  if (typeof hash === "string" && HASH.test(hash)) return hash;
  throw new MalformedError("hash", "it is not 64 hexadecimal digits in lower case");
}
