/**
 * A folder with folders in it, as a blob store needs them: what is written is durable only after a flush of its bytes and of the
 * folder that names it. The tests put a disk behind this port that forgets everything else. A path is `name` or `folder/name`.
 */

/** The files of one blob store. */
export interface BlobDisk {
  /** Names of the folders in the root. */
  folders(): readonly string[];
  /** Make a folder in the root; none is made where it exists. Its name is durable after `syncFolder("")`. */
  makeFolder(folder: string): void;
  /** The files of a folder with their sizes. */
  files(folder: string): readonly { readonly name: string; readonly bytes: number }[];
  /** Make a new file, empty. */
  create(path: string): BlobFile;
  /** `length` bytes of a file, or its other size; `undefined` when there is no file. The bytes are the caller's to keep. */
  read(path: string, length: number): Uint8Array | number | undefined;
  /** Give a file another path, in place of what was there. Durable after `syncFolder` of the new folder. */
  rename(from: string, to: string): void;
  /** Remove a file; nothing happens where there is none. Durable after `syncFolder`. */
  remove(path: string): void;
  /** Flush the names in a folder, "" for the root. */
  syncFolder(folder: string): Promise<void>;
  /** The same for all folders, before this returns: at the opening. */
  syncFolders(folders: readonly string[]): void;
}

/** A file being written. */
export interface BlobFile {
  /** Append all bytes. */
  write(bytes: Uint8Array): void;
  /** Flush what was written. */
  sync(): Promise<void>;
  close(): void;
}
