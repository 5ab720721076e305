/** Limits both halves of a cell keep. */

/** Most messages waiting in one mailbox (the seeds' capacity). */
export const MAILBOX_MESSAGES_MAX = 1000;
