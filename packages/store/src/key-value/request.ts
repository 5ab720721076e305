/** Requests to a store of keys and their replies, as they cross to the worker. */
import type { KeyInfo } from "@glia-os/abi/ports";

/** A value with its version. */
export interface VersionedValue {
  readonly value: Uint8Array;
  readonly version: number;
}

/** A request whose form was checked already. The value of a put is the store's. */
export type KeyRequest =
  | { readonly op: "get"; readonly key: string }
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly expected: number }
  | { readonly op: "delete"; readonly key: string; readonly expected: number }
  | { readonly op: "list"; readonly prefix: string; readonly after: string; readonly limit: number };

/** The reply to each request. */
export interface KeyReplies {
  readonly get: VersionedValue | undefined;
  readonly put: number | undefined;
  readonly delete: boolean;
  readonly list: readonly KeyInfo[];
}

/** Any reply. */
export type KeyReply = KeyReplies[keyof KeyReplies];
