/** The message received last, in a buffer that grows to fit it and shrinks again. */
import * as glia from "./glia";
import * as qjs from "./qjs";

const SMALL: usize = 4096;
const MOST: usize = 16 * 1024 * 1024;

let buffer: usize = 0;
let capacity: usize = 0;
let length: usize = 0;

function resize(bytes: usize): bool {
  const made = qjs.malloc(bytes);
  if (made == 0) return false;
  if (buffer != 0) qjs.release(buffer);
  buffer = made;
  capacity = bytes;
  return true;
}

/** Wait for a message, at most so many milliseconds (Infinity: for ever). Its length, or a negative error; E_LIMIT: no memory for it. */
export function receive(withinMs: f64): i32 {
  length = 0;
  if (capacity != SMALL && !resize(SMALL)) return glia.E_LIMIT;
  while (true) {
    const got =
      withinMs == Infinity
        ? glia.receive(buffer, capacity)
        : glia.receiveWithin(buffer, capacity, i64(ceil(withinMs)));
    if (got >= 0) length = got as usize;
    if (got != glia.E_TOO_BIG || capacity >= MOST) return got;
    if (!resize(capacity * 4)) return glia.E_LIMIT;
  }
}

/** A box of the message as text; bytes that are not UTF-8 become U+FFFD. */
export function text(): usize {
  return qjs.newString(buffer, length);
}

/** A box of the message as a Uint8Array of its own. */
export function bytes(): usize {
  return qjs.newUint8Array(buffer, length);
}
