/** What a node offers programs that talk with agents as agents do: the part of `NodeApi` that `connectSystem` uses. */
import type { AgentAct } from "./act.ts";

/** Mailboxes of a node (docs/spec/agents-service.md). */
export interface AgentsApi {
  /**
   * Open a mailbox: an address that agents can answer to. Its id is 32 hexadecimal characters. @throws `daemon.no-agents` on a client,
   * `daemon.too-many-mailboxes`
   */
  openMailbox(): Promise<string>;
  /** Close it. Idempotent. */
  closeMailbox(mailbox: string): Promise<void>;
  /**
   * Take out what waits; when nothing does, what comes within `waitMs` (0 to 30,000). Each message is in one answer. @throws
   * `daemon.mailbox-gone`
   */
  takeMail(mailbox: string, waitMs: number): Promise<readonly Uint8Array[]>;
  /** Send, publish, subscribe, find and spawn as an agent does. Resolves when there is room for more. @throws `daemon.mailbox-gone` */
  actAs(mailbox: string, acts: readonly AgentAct[]): Promise<void>;
}
