/**
 * The blobs of a node: files of its data folder, opened when the first is asked for, since a store costs a thread.
 *
 * NB1. Opened once; a store that could not be opened refuses every call the same way.
 */
import type { Blobs } from "@glia-os/abi/ports";

/** Blobs in this folder (NB1). */
export function openNodeBlobs(folder: string): Blobs {
  let opening: Promise<Blobs> | undefined;
  const opened = (): Promise<Blobs> => {
    opening ??= import("@glia-os/store/blobs").then(({ openFileBlobs }) => openFileBlobs({ folder }));
    return opening;
  };
  return {
    put: async (bytes) => (await opened()).put(bytes),
    get: async (hash) => (await opened()).get(hash),
    has: async (hash) => (await opened()).has(hash),
    list: async (after, limit) => (await opened()).list(after, limit),
    delete: async (hash, stamp) => (await opened()).delete(hash, stamp),
    close: async () => (await opening?.catch(() => undefined))?.close(),
  };
}
