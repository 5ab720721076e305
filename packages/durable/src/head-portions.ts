/** Which journals are read together during a recovery. */
import type { DomainHead } from "@glia-os/abi/ports";

/** Domains of one portion and bytes of their journals; one domain may have more. Two portions are under way at a time. */
const RECOVERED_AT_ONCE = 250;
const RECOVERED_BYTES = 33_554_432;

/** Heads in their order, as many together as may be read at a time. */
export function* portionsOf(heads: readonly DomainHead[]): Generator<readonly DomainHead[], void> {
  let portion: DomainHead[] = [];
  let bytes = 0;
  for (const head of heads) {
    if (
      portion.length === RECOVERED_AT_ONCE ||
      (portion.length > 0 && bytes + head.bytes > RECOVERED_BYTES)
    ) {
      yield portion;
      portion = [];
      bytes = 0;
    }
    portion.push(head);
    bytes += head.bytes;
  }
  if (portion.length > 0) yield portion;
}
