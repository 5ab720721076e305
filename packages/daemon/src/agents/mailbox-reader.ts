/**
 * A mailbox as a program reads it: each message is handed over once, in order, until it is closed or gone.
 *
 * MR1. Nothing is read after `close`; a mailbox that is gone, or a node that is, ends the reading with the reason.
 */
import type { AgentsApi } from "./agents-api.ts";

/** How long one call waits for messages. */
const WAIT_MS = 20_000;

/** What reads one. */
export interface MailboxReader {
  readonly id: string;
  /** Resolves when no more is read. */
  readonly done: Promise<void>;
  /** Stop reading and close it. Idempotent. */
  close(): Promise<void>;
}

/** Open a mailbox and read it. `gone` hears why it cannot be read any more, unless it was closed. */
export async function readMailbox(
  node: AgentsApi,
  take: (payload: Uint8Array) => void,
  gone: (error: unknown) => void,
): Promise<MailboxReader> {
  const id = await node.openMailbox();
  let open = true;
  const read = async (): Promise<void> => {
    while (open) {
      try {
        for (const payload of await node.takeMail(id, WAIT_MS)) if (open) take(payload);
      } catch (error) {
        if (open) gone(error);
        open = false;
      }
    }
  };
  const done = read();
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await node.closeMailbox(id).catch(() => undefined); // A node that is gone has no mailboxes.
  };
  return { id, done, close };
}
