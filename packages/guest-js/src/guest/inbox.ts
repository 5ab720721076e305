/** The agent's mailbox as an async sequence. */
import type { Message } from "./message.ts";
import { nextMessage, nextResult } from "./schedule.ts";

/** Messages in the order the host delivers them. */
export interface Inbox extends AsyncIterable<Message> {
  /** The next message. Several waiting at once are served in the order they asked. */
  receive(): Promise<Message>;
}

/** The mailbox of this agent: `for await (const message of inbox)`. It never ends by itself. */
export const inbox: Inbox = {
  receive: nextMessage,
  // Not an async generator: that would take three more promise jobs for each message.
  [Symbol.asyncIterator]: () => ({ next: nextResult }),
};
