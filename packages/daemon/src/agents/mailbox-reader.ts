/**
 * A mailbox as a program reads it: each message is handed over once, in order, until it is closed or gone.
 *
 * MR1. Nothing is read after `close`; a mailbox that is gone, or a node that is, ends the reading with the reason.
 * MR2. A message that cannot be taken is refused by itself: those behind it are taken.
 */
import type { AgentsApi } from "./agents-api.ts";

/** How long one call waits for messages. */
const WAIT_MS = 20_000;

/** What reads one. */
export interface MailboxReader {
  readonly id: string;
  /** Resolves when no more is read. */
  readonly done: Promise<void>;
  /** Stop reading and close it, also when it is gone. Idempotent. */
  close(): Promise<void>;
}

/** Who hears what is read. */
export interface MailboxEvents {
  take(payload: Uint8Array): void;
  /** A message that `take` threw for (MR2). */
  refused(error: unknown): void;
  /** Why it cannot be read any more, unless it was closed. */
  gone(error: unknown): void;
}

/** Open a mailbox and read it. */
export async function readMailbox(
  node: AgentsApi,
  { take, refused, gone }: MailboxEvents,
): Promise<MailboxReader> {
  const id = await node.openMailbox();
  let open = true;
  let closed = false;
  const takeOne = (payload: Uint8Array): void => {
    try {
      take(payload);
    } catch (error) {
      refused(error);
    }
  };
  const read = async (): Promise<void> => {
    while (open) {
      try {
        for (const payload of await node.takeMail(id, WAIT_MS)) if (open) takeOne(payload);
      } catch (error) {
        if (open) gone(error);
        open = false;
      }
    }
  };
  const done = read();
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    open = false;
    await node.closeMailbox(id).catch(() => undefined); // A node that is gone has no mailboxes.
  };
  return { id, done, close };
}
