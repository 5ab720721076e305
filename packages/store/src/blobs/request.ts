/** Requests to a blob store and their replies, as they cross to the worker. */
import { hash as digest } from "node:crypto";
import type { BlobInfo } from "@glia-os/abi/ports";

/** A request whose form was checked already. The bytes of a put are the store's. */
export type BlobRequest =
  | { readonly op: "put"; readonly bytes: Uint8Array }
  | { readonly op: "get"; readonly hash: string }
  | { readonly op: "has"; readonly hash: string }
  | { readonly op: "list"; readonly after: string; readonly limit: number }
  | { readonly op: "delete"; readonly hash: string; readonly stamp: number };

/** A put whose name was computed. */
export interface NamedPut {
  readonly op: "put";
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** A request as it is performed. */
export type NamedRequest = NamedPut | Exclude<BlobRequest, { readonly op: "put" }>;

/** Compute the name of what is put (B1). O(bytes). */
export function named(request: BlobRequest): NamedRequest {
  return request.op === "put" ? { ...request, hash: digest("sha256", request.bytes, "hex") } : request;
}

/** The reply to each request. */
export interface BlobReplies {
  readonly put: string;
  readonly get: Uint8Array | undefined;
  readonly has: boolean;
  readonly list: readonly BlobInfo[];
  readonly delete: boolean;
}

/** Any reply. */
export type BlobReply = BlobReplies[keyof BlobReplies];
