/** Requests to a blob store and their replies, as they cross to the worker. */
import type { BlobInfo } from "@glia-os/abi/ports";

/** A request whose form was checked already. The bytes of a put are the store's. */
export type BlobRequest =
  | { readonly op: "put"; readonly bytes: Uint8Array }
  | { readonly op: "get"; readonly hash: string }
  | { readonly op: "has"; readonly hash: string }
  | { readonly op: "list"; readonly after: string; readonly limit: number }
  | { readonly op: "delete"; readonly hash: string; readonly stamp: number };

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
