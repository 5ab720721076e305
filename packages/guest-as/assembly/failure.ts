/** What the last call that can fail came to. */
import { E_FAILED } from "./errors";
import * as sys from "./sys";

let last: i32 = 0;

/** Remember a result; the same. */
export function note(result: i32): i32 {
  last = result;
  return result;
}

/** The result of the last call that can fail: 0 or more, or a negative error. */
export function failure(): i32 {
  return last;
}

/** What a call of a capability that failed says, as JSON `{"code", "message"}`; empty when it said nothing. Can be read once. */
export function failureText(): string {
  if (last != E_FAILED) return "";
  const bytes = takeResult(256);
  return bytes === null ? "" : String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** The result of the last call of a capability, of about `length` bytes: the room doubles until it is enough. */
export function takeResult(length: i32): Uint8Array | null {
  for (let room = max(length, 1); room > 0; room *= 2) {
    const bytes = new Uint8Array(room);
    const copied = sys.result(bytes.dataStart, room);
    if (copied >= 0) return copied == room ? bytes : bytes.subarray(0, copied);
    if (copied != -2) return null;
  }
  return null;
}
