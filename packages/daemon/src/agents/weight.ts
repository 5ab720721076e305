/** How much a message that is not accepted counts against its sender: one for itself, and one for every 4 KiB. */

const BYTES_EACH = 4096;

/** The weight of a message. */
export function weightOf(payload: Uint8Array): number {
  return 1 + Math.floor(payload.length / BYTES_EACH);
}

/** The weight of several. */
export function weightOfAll(payloads: readonly Uint8Array[]): number {
  return payloads.reduce((sum, payload) => sum + weightOf(payload), 0);
}
