/** The entry of the worker of blobs; started by `openFileBlobs`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "../../serve.ts";
import { type FileBlobsSettings, FolderBlobStore } from "./file-store.ts";

if (parentPort !== null) serveStore(parentPort, () => FolderBlobStore.open(workerData as FileBlobsSettings));
