/**
 * Writes an agent file piece by piece (docs/spec/agent-file.md).
 *
 * FW1. Every chunk is full but the last, and the last is told apart before it is sealed: at most two chunks are held.
 */
import type { Signer } from "@glia-os/abi/ports";
import { type AgentFileHeader, encodeFileHeader } from "./file-header.ts";
import {
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
  u32,
} from "./file-keys.ts";

/** One file on its way out. */
export class AgentFileWriter {
  readonly #crypto: FileCrypto;
  readonly #signer: Signer;
  readonly #hash: RunningHash;
  readonly #start: Uint8Array;
  readonly #key: Uint8Array;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #chunks = 0;

  /** `secret`: what the header's seal stands for, 32 bytes. */
  constructor(header: AgentFileHeader, secret: Uint8Array, crypto: FileCrypto, signer: Signer) {
    const { digests } = crypto;
    this.#crypto = crypto;
    this.#signer = signer;
    this.#hash = crypto.sha256();
    const encoded = encodeFileHeader(header);
    const front = joined(FILE_MAGIC, Uint8Array.of(FILE_VERSION), u32(encoded.length), encoded);
    const { key, check } = fileKeys(digests, secret, digests.sha256(front));
    const signed = joined(front, check);
    this.#key = key;
    this.#start = joined(signed, signer.sign(joined(HEADER_DOMAIN, digests.sha256(signed))));
  }

  /** The first bytes. Called once, before anything else. */
  start(manifest: Uint8Array): readonly Uint8Array[] {
    return [this.#out(this.#start), ...this.push(u32(manifest.length)), ...this.push(manifest)];
  }

  /** What `plain` makes: whole chunks, none that is the last (FW1). */
  push(plain: Uint8Array): readonly Uint8Array[] {
    const made: Uint8Array[] = [];
    this.#held.push(plain);
    this.#heldBytes += plain.length;
    while (this.#heldBytes > FILE_CHUNK_MAX) made.push(this.#chunk(this.#take(FILE_CHUNK_MAX), 0));
    return made;
  }

  /** The last chunk and the signature. */
  finish(): Uint8Array {
    const last = this.#chunk(this.#take(this.#heldBytes), 1);
    const signature = this.#signer.sign(joined(END_DOMAIN, this.#hash.digest()));
    return joined(last, signature);
  }

  #take(length: number): Uint8Array {
    const all = joined(...this.#held);
    this.#held = all.length > length ? [all.subarray(length)] : [];
    this.#heldBytes = all.length - length;
    return all.subarray(0, length);
  }

  #chunk(plain: Uint8Array, last: 0 | 1): Uint8Array {
    const flag = Uint8Array.of(last);
    const sealed = this.#crypto.cipher.seal(this.#key, nonceOf(this.#chunks++), flag, plain);
    return this.#out(joined(flag, u32(sealed.length), sealed));
  }

  #out(bytes: Uint8Array): Uint8Array {
    this.#hash.update(bytes);
    return bytes;
  }
}
