/**
 * A blob store on files as its worker runs it: requests are performed, then one commit makes their names durable together.
 *
 * S1. No answer of a group leaves before the commit that covers it returned.
 * S2. When the commit fails, every request of the group is refused, and so is every later one.
 * S3. A group ends when it moved {@link GROUP_BYTES}, so that answers do not pile up in memory.
 */
import { isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import { diskFailure } from "../../disk-failure.ts";
import { FolderLock } from "../../folder-lock.ts";
import type { Answer, ServedStore } from "../../serve.ts";
import type { BlobLimits } from "../limits.ts";
import { type BlobReply, type BlobRequest, type NamedPut, type NamedRequest, named } from "../request.ts";
import { BlobRules } from "../rules.ts";
import type { BlobDisk } from "./disk.ts";
import { FileShelf } from "./file-shelf.ts";
import { NodeDisk } from "./node-disk.ts";

/** What a worker is started with. */
export interface FileBlobsSettings {
  /** An absolute path. */
  readonly folder: string;
  readonly limits: BlobLimits;
}

/** Bytes after which a group is committed and answered, whatever waits: 16 MiB. */
export const GROUP_BYTES: number = 16 * 2 ** 20;

/** Blobs on some disk. */
export class FileBlobStore implements ServedStore<BlobRequest, BlobReply> {
  readonly #shelf: FileShelf;
  readonly #rules: BlobRules;

  constructor(disk: BlobDisk, limits: BlobLimits) {
    this.#shelf = new FileShelf(disk);
    this.#rules = new BlobRules(this.#shelf, limits);
  }

  async perform(requests: readonly BlobRequest[]): Promise<readonly Answer<BlobReply>[]> {
    const group = withinBytes(requests).map(named);
    await this.#shelf.prepare(this.#newBlobs(group));
    const answers: Answer<BlobReply>[] = [];
    let moved = 0;
    for (const request of group) {
      const answer = this.#answer(request);
      answers.push(answer);
      moved += request.op === "put" ? request.bytes.length : bytesOf(answer).length;
      if (moved >= GROUP_BYTES) break;
    }
    try {
      await this.#shelf.commit();
    } catch (error) {
      if (!isGliaError(error)) throw error;
      return answers.map(() => ({ refused: error.toRecord() }));
    }
    return answers;
  }

  given(answers: readonly Answer<BlobReply>[]): ArrayBuffer[] {
    return answers.map((answer) => bytesOf(answer).buffer).filter((buffer) => buffer.byteLength > 0);
  }

  close(): void {}

  /** What the group may have to write: also a blob that it deletes, or finds damaged, before it puts it again. */
  #newBlobs(group: readonly NamedRequest[]): readonly NamedPut[] {
    const touched = new Set(
      group.flatMap((one) => (one.op === "get" || one.op === "delete" ? [one.hash] : [])),
    );
    const puts = group.filter((one): one is NamedPut => one.op === "put");
    return puts.filter(({ hash }) => this.#rules.lacks(hash) || touched.has(hash));
  }

  #answer(request: NamedRequest): Answer<BlobReply> {
    try {
      return { reply: this.#rules.perform(request) };
    } catch (error) {
      return { refused: toErrorRecord(diskFailure(error) ?? error) };
    }
  }
}

/** Blobs in a folder of this machine, which no other process has meanwhile. */
export class FolderBlobStore extends FileBlobStore {
  readonly #lock: FolderLock;

  private constructor(lock: FolderLock, { folder, limits }: FileBlobsSettings) {
    super(new NodeDisk(folder), limits);
    this.#lock = lock;
  }

  /** Lock the folder and find the blobs in it. @throws the refusals of `openFileBlobs`. */
  static open(settings: FileBlobsSettings): FolderBlobStore {
    const lock = FolderLock.take(settings.folder, "blobs");
    try {
      const store = new FolderBlobStore(lock, settings);
      lock.markCreated();
      return store;
    } catch (error) {
      lock.release();
      throw diskFailure(error) ?? error;
    }
  }

  override close(): void {
    this.#lock.release();
  }
}

/** The first requests, with at most {@link GROUP_BYTES} to write or one blob that is larger. */
function withinBytes(requests: readonly BlobRequest[]): readonly BlobRequest[] {
  let bytes = 0;
  const past = requests.findIndex((request, i) => {
    bytes += request.op === "put" ? request.bytes.length : 0;
    return i > 0 && bytes > GROUP_BYTES;
  });
  return past < 0 ? requests : requests.slice(0, past);
}

const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array();

function bytesOf(answer: Answer<BlobReply>): Uint8Array<ArrayBuffer> {
  if ("refused" in answer || !(answer.reply instanceof Uint8Array)) return NO_BYTES;
  return answer.reply as Uint8Array<ArrayBuffer>;
}
