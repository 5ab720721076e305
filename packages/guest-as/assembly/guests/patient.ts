/** Waits for messages a second at a time, and answers each with how many seconds passed without one. */
import { receiveWithin } from "../host";
import { E_TIMEOUT, replyText } from "../index";

export function glia_main(): i32 {
  const buffer = heap.alloc(64);
  let quiet = 0;
  while (true) {
    const got = receiveWithin(buffer, 64, 1000);
    if (got == E_TIMEOUT) quiet += 1;
    else replyText(quiet.toString());
  }
}
