/** What one task is related to. Names neither tasks nor mailboxes by type, because a task holds it (`relations.ts` gives it its meaning). */
import type { MonitorId } from "./monitor-id.ts";

/** One monitor. */
export interface Monitor<Peer, Inbox> {
  readonly id: MonitorId;
  readonly watcher: Peer;
  readonly target: Peer;
  readonly mailbox: Inbox;
}

/** The relations of one task; made on first use. */
export class Relations<Peer, Inbox> {
  readonly links: Set<Peer> = new Set();
  /** Monitors this task holds. */
  readonly watching: Map<MonitorId, Monitor<Peer, Inbox>> = new Map();
  /** Monitors that watch this task. */
  readonly watched: Set<Monitor<Peer, Inbox>> = new Set();
  readonly names: Set<string> = new Set();
  /** Where exits go that this task traps. */
  trap: Inbox | null = null;
  /** Counts this task's syscalls. */
  counted: { syscalls: number } | null = null;
}
