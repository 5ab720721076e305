/**
 * The auxiliary vector of a process, `/proc/self/auxv` (getauxval(3)): pairs of machine words, ended by a
 * pair with type 0. It is where the C library itself learns the page size.
 */

/** AT_PAGESZ of the ELF auxiliary vector. */
const PAGE_SIZE_ENTRY = 6n;
/**
 * Pages are powers of two; 4 KiB is the smallest and 1 MiB more than the largest base page of any Linux port.
 */
const PAGE_BYTES_RANGE = [4096n, 1_048_576n] as const;

/** The page size in bytes, or `undefined` when the vector does not hold a plausible one. */
export function parseAuxvPageBytes(
  bytes: Uint8Array,
  wordBytes: 4 | 8,
  littleEndian: boolean,
): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) =>
    wordBytes === 8 ? view.getBigUint64(at, littleEndian) : BigInt(view.getUint32(at, littleEndian));
  for (let at = 0; at + 2 * wordBytes <= bytes.byteLength; at += 2 * wordBytes) {
    const type = word(at);
    if (type === 0n) return undefined;
    if (type === PAGE_SIZE_ENTRY) return plausiblePage(word(at + wordBytes));
  }
  return undefined;
}

function plausiblePage(bytes: bigint): number | undefined {
  const [least, most] = PAGE_BYTES_RANGE;
  const powerOfTwo = (bytes & (bytes - 1n)) === 0n;
  return powerOfTwo && bytes >= least && bytes <= most ? Number(bytes) : undefined;
}
