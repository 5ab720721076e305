/**
 * Reads an agent file piece by piece (docs/spec/agent-file.md, AF1, AF2).
 *
 * FR1. A header is given out only if the node it names signed it. A key is refused before anything is opened with it.
 * FR2. Content is given out chunk by chunk, each after its tag matched. It is worth something only once `finish` came back.
 */
import type { Digests } from "@glia-os/abi/ports";
import { FileCorruptError, FileVersionError, FileWrongKeyError, NotAgentFileError } from "./errors.ts";
import { type AgentFileHeader, decodeFileHeader, FILE_HEADER_MAX } from "./file-header.ts";
import {
  CHECK_BYTES,
  END_DOMAIN,
  FILE_CHUNK_MAX,
  FILE_MAGIC,
  FILE_VERSION,
  type FileCrypto,
  fileKeys,
  HEADER_DOMAIN,
  joined,
  nonceOf,
  type RunningHash,
  readU32,
  SIGNATURE_BYTES,
  TAG_BYTES,
} from "./file-keys.ts";

const FRONT_BYTES = 9;
const CHUNK_HEAD_BYTES = 5;
/** Enough of a file's start to read its header. */
export const FILE_START_MAX: number = FRONT_BYTES + FILE_HEADER_MAX + SIGNATURE_BYTES + CHECK_BYTES;

/** The start of a file: its header and where its chunks begin. */
export interface AgentFileStart {
  readonly header: AgentFileHeader;
  /** The bytes up to the chunks. */
  readonly bytes: Uint8Array;
}

/**
 * Read the start of a file (FR1) from its first bytes, at least {@link FILE_START_MAX} or all there are.
 * @throws {NotAgentFileError}, {FileVersionError}, {FileCorruptError}
 */
export function readFileStart(bytes: Uint8Array, digests: Digests): AgentFileStart {
  if (bytes.length < FRONT_BYTES || FILE_MAGIC.some((byte, at) => bytes[at] !== byte))
    throw new NotAgentFileError();
  const version = bytes[FILE_MAGIC.length] as number;
  if (version !== FILE_VERSION) throw new FileVersionError(version, FILE_VERSION);
  const length = readU32(bytes, FILE_MAGIC.length + 1);
  if (length === 0 || length > FILE_HEADER_MAX)
    throw new FileCorruptError(`its header says it has ${length} bytes`);
  const end = FRONT_BYTES + length + CHECK_BYTES;
  if (bytes.length < end + SIGNATURE_BYTES) throw new FileCorruptError("it ends in its header");
  const header = decodeFileHeader(bytes.subarray(FRONT_BYTES, FRONT_BYTES + length));
  const signature = bytes.slice(end, end + SIGNATURE_BYTES);
  const statement = joined(HEADER_DOMAIN, digests.sha256(bytes.slice(0, end)));
  if (!digests.verify(header.nodeKey, statement, signature))
    throw new FileCorruptError("the node it names did not sign its header");
  return { header, bytes: bytes.slice(0, end + SIGNATURE_BYTES) };
}

/** One file on its way in. */
export class AgentFileReader {
  readonly #crypto: FileCrypto;
  readonly #header: AgentFileHeader;
  readonly #hash: RunningHash;
  readonly #key: Uint8Array;
  #held: Uint8Array = new Uint8Array();
  #chunks = 0;
  #ended = false;

  /** @throws {FileWrongKeyError} when the secret is another than the file's */
  constructor({ header, bytes }: AgentFileStart, secret: Uint8Array, crypto: FileCrypto) {
    const { digests } = crypto;
    const checkAt = bytes.length - SIGNATURE_BYTES - CHECK_BYTES;
    const { key, check } = fileKeys(digests, secret, digests.sha256(bytes.slice(0, checkAt)));
    if (!digests.equalConstantTime(check, bytes.slice(checkAt, checkAt + CHECK_BYTES)))
      throw new FileWrongKeyError(header.seal.kind === "passphrase" ? "passphrase" : "cluster's key");
    this.#crypto = crypto;
    this.#header = header;
    this.#key = key;
    this.#hash = crypto.sha256();
    this.#hash.update(bytes);
  }

  /** The content of the chunks that `bytes`, which follow the start, complete (FR2). @throws {FileCorruptError} */
  push(bytes: Uint8Array): readonly Uint8Array[] {
    const content: Uint8Array[] = [];
    this.#held = this.#held.length === 0 ? bytes : joined(this.#held, bytes);
    while (!this.#ended && this.#held.length >= CHUNK_HEAD_BYTES) {
      const plain = this.#chunk();
      if (plain === undefined) break;
      content.push(plain);
    }
    if (this.#ended && this.#held.length > SIGNATURE_BYTES)
      throw new FileCorruptError("it goes on after its end");
    this.#held = this.#held.slice();
    return content;
  }

  /** The file ended here. @throws {FileCorruptError} unless all of it came and its node signed it */
  finish(): void {
    if (!this.#ended || this.#held.length !== SIGNATURE_BYTES) throw new FileCorruptError("it is cut off");
    const statement = joined(END_DOMAIN, this.#hash.digest());
    if (!this.#crypto.digests.verify(this.#header.nodeKey, statement, this.#held))
      throw new FileCorruptError("its node did not sign it");
  }

  #chunk(): Uint8Array | undefined {
    const [last] = this.#held;
    const length = readU32(this.#held, 1);
    if ((last !== 0 && last !== 1) || length <= TAG_BYTES || length > FILE_CHUNK_MAX + TAG_BYTES)
      throw new FileCorruptError(`chunk ${this.#chunks} says it has ${length} bytes`);
    const end = CHUNK_HEAD_BYTES + length;
    if (this.#held.length < end) return undefined;
    const sealed = this.#held.subarray(CHUNK_HEAD_BYTES, end);
    const plain = this.#crypto.cipher.open(this.#key, nonceOf(this.#chunks), Uint8Array.of(last), sealed);
    if (plain === undefined) throw new FileCorruptError(`chunk ${this.#chunks} does not match its tag`);
    this.#hash.update(this.#held.subarray(0, end));
    this.#held = this.#held.subarray(end);
    this.#chunks++;
    this.#ended = last === 1;
    return plain;
  }
}
