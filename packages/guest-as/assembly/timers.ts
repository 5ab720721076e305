/**
 * Timers beside messages: one place to wait for whichever comes first.
 *
 * TM1. Deadlines are kept in the guest, by the clock of its host, and so move with it. A timer never fires early by that clock.
 */
import { E_TIMEOUT } from "./errors";
import { note } from "./failure";
import * as host from "./host";
import { Inbox } from "./inbox";

/** A message, or a timer that is due. */
export class Happening {
  constructor(
    /** The number of the timer; -1 for a message. */
    public timer: i32,
    public message: Uint8Array,
  ) {}

  /** The message as UTF-8. */
  text(): string {
    return String.UTF8.decodeUnsafe(this.message.dataStart, this.message.length);
  }
}

/** Timers of one guest, by numbers it chooses, 0 or more. Setting, cancelling and waiting take a step per timer. */
export class Timers {
  private numbers: i32[] = [];
  private dueMs: i64[] = [];

  constructor(private inbox: Inbox = new Inbox()) {}

  /** Let a timer be due in so many milliseconds; one of that number that is set already is set anew. */
  after(durationMs: i64, number: i32): void {
    this.cancel(number);
    this.numbers.push(number);
    this.dueMs.push(host.now() + durationMs);
  }

  /** Unset a timer. Whether it was set. */
  cancel(number: i32): bool {
    const at = this.numbers.indexOf(number);
    if (at < 0) return false;
    this.numbers.splice(at, 1);
    this.dueMs.splice(at, 1);
    return true;
  }

  /** Wait for a message or the next timer. Without either a negative `failure()` and an empty message. */
  next(): Happening {
    let first = -1;
    for (let at = 0; at < this.dueMs.length; at++)
      if (first < 0 || this.dueMs[at] < this.dueMs[first]) first = at;
    while (true) {
      const restMs = first < 0 ? 0 : this.dueMs[first] - host.now();
      if (first >= 0 && restMs <= 0) return this.fire(first);
      const length = first < 0 ? this.inbox.receive() : this.inbox.receiveWithin(restMs);
      if (length != E_TIMEOUT) return this.arrived(length);
    }
  }

  private fire(at: i32): Happening {
    const number = this.numbers[at];
    this.cancel(number);
    note(0);
    return new Happening(number, new Uint8Array(0));
  }

  private arrived(length: i32): Happening {
    const message = new Uint8Array(max(note(length), 0));
    memory.copy(message.dataStart, this.inbox.pointer, message.length);
    return new Happening(-1, message);
  }
}
