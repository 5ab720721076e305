/**
 * A buffer for messages that grows to the longest one seen.
 *
 * B1. A message that does not fit stays first in line; the buffer doubles and asks again, so no message is lost.
 * B2. The buffer never grows past `limit`; a longer message is reported as E_TOO_BIG and still stays first in line.
 */
import { E_TOO_BIG } from "./errors";
import * as host from "./host";

export class Inbox {
  private at: usize;
  private room: usize;

  constructor(capacity: i32 = 4096, private limit: i32 = 1048576) {
    this.room = <usize>capacity;
    this.at = heap.alloc(this.room);
  }

  /** Wait for the next message. Its length, or a negative error. The content is at `pointer` until the next call. */
  receive(): i32 {
    while (true) {
      const length = host.receive(this.at, this.room);
      if (length != E_TOO_BIG || this.room >= <usize>this.limit) return length;
      this.grow();
    }
  }

  /** As receive, for at most so many milliseconds; E_TIMEOUT when no message came. */
  receiveWithin(durationMs: i64): i32 {
    while (true) {
      const length = host.receiveWithin(this.at, this.room, durationMs);
      if (length != E_TOO_BIG || this.room >= <usize>this.limit) return length;
      this.grow();
    }
  }

  /** Where the message received last begins. */
  get pointer(): usize {
    return this.at;
  }

  private grow(): void {
    heap.free(this.at);
    this.room = min(this.room * 2, <usize>this.limit);
    this.at = heap.alloc(this.room);
  }
}
