/**
 * A mailbox that knows when each of its messages came.
 *
 * TM1. Made only by a kernel that measures (`KernelOptions.measure`): others pay nothing for times.
 * TM2. A message that is handed to a waiting receiver directly never stands in the mailbox and is not measured. Every other one is, once, when
 *      it leaves: received, dropped to make room, or lost because the mailbox closed. A sender that is held back has not sent yet.
 */
import { Mailbox, type MailboxOptions } from "../mailbox.ts";
import type { TaskTimes } from "./task-times.ts";

const INITIAL_ROOM = 8;

/** The mailbox. */
export class TimedMailbox extends Mailbox {
  readonly #times: TaskTimes;
  #came: Float64Array = new Float64Array(INITIAL_ROOM);
  #first = 0;
  #held = 0;

  constructor(options: MailboxOptions | undefined, times: TaskTimes) {
    super(options);
    this.#times = times;
  }

  override push(message: unknown): void {
    super.push(message);
    if (this.#held === this.#came.length) this.#grow();
    this.#came[(this.#first + this.#held++) & (this.#came.length - 1)] = this.#times.stamp();
  }

  override shift(): unknown {
    const since = this.#came[this.#first]!;
    this.#first = (this.#first + 1) & (this.#came.length - 1);
    this.#held--;
    this.#times.messageLeft(since);
    return super.shift();
  }

  #grow(): void {
    const old = this.#came;
    const came = new Float64Array(old.length * 2);
    for (let i = 0; i < this.#held; i++) came[i] = old[(this.#first + i) & (old.length - 1)]!;
    this.#came = came;
    this.#first = 0;
  }
}

/** A mailbox for a kernel that measures or does not (TM1). */
export function mailboxOf(kernel: { readonly times: TaskTimes | null }, options?: MailboxOptions): Mailbox {
  return kernel.times === null ? new Mailbox(options) : new TimedMailbox(options, kernel.times);
}
