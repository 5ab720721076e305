/** The checksum of a batch in a database: over its numbers and its body, because databases have none of their own that is always on. */
import { crc32 } from "node:zlib";

/** CRC-32 of `<domain> <epoch> <first record> <records> ` and the body. `domain` is the domain's number in its store. */
export function batchSum(
  domain: number,
  { epoch, firstSeq, count }: { readonly epoch: number; readonly firstSeq: number; readonly count: number },
  body: Uint8Array,
): number {
  return crc32(body, crc32(`${domain} ${epoch} ${firstSeq} ${count} `));
}
