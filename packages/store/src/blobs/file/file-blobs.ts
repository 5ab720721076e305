/** `Blobs` as files of one folder, served by a worker thread so that no flush stops the caller's loop. */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { MalformedError } from "@glia-os/abi/errors";
import type { Blobs } from "@glia-os/abi/ports";
import { checkWhole } from "../../limit-range.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "../../worker-link.ts";
import { CheckedBlobs } from "../checked-blobs.ts";
import { type BlobLimits, blobLimits } from "../limits.ts";
import type { BlobReply, BlobRequest } from "../request.ts";
import type { FileBlobsSettings } from "./file-store.ts";

/** What to open. */
export interface FileBlobsOptions {
  /** The folder; made when it is missing. It holds nothing else. On a local disk. */
  readonly folder: string;
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<BlobLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/blobs-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or begin a folder of blobs. One process has a folder at a time. Opening looks at every file's name and size, not at its
 * bytes; those are verified when a blob is fetched.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.full`, and `abi.malformed` for a bad option.
 */
export async function openFileBlobs(options: FileBlobsOptions): Promise<Blobs> {
  const { folder } = options;
  if (typeof folder !== "string" || folder === "" || folder.includes("\0"))
    throw new MalformedError("folder", "it does not name a folder");
  const settings: FileBlobsSettings = { folder: resolve(folder), limits: blobLimits(options.limits) };
  const queueLimit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), {
    workerData: settings,
    name: "glia-blobs",
  });
  const link = new WorkerLink<BlobRequest, BlobReply>(worker, queueLimit, {
    bytesOf: (request) => (request.op === "put" ? request.bytes : undefined),
    given: true,
  });
  await link.ready();
  return new CheckedBlobs(link, settings.limits.blobBytes);
}

function ownWorkerUrl(): URL {
  return new URL(
    import.meta.url.endsWith(".ts") ? "./blobs-worker.ts" : "./blobs-worker.js",
    import.meta.url,
  );
}
