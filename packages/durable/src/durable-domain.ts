/** A durable domain as its starter sees it. */
import type { DomainState } from "./domain-setup.ts";
import type { AsideMessage } from "./mailbox-state.ts";

/** A domain as its starter sees it. */
export interface DurableDomain {
  readonly name: string;
  readonly state: DomainState;
  /** What the root task returned, once that is durable. Rejects with what it failed with, and when the domain cannot go on here. */
  readonly result: Promise<unknown>;
  /** Put a message into its inbox; resolves when that is durable. @throws {DomainEndedError} {DomainLostError} {MailboxFullError} {NotRecordableError} */
  tell(payload: unknown): Promise<void>;
  /** Whether senders should hold back: from 800 messages in its inbox until 200 are left. At 1,000 a `tell` is refused. */
  readonly pressured: boolean;
  /** Messages that could not be handled and were set aside, the newest last (`DurableProgram.attempts`); and how many older ones are gone. */
  readonly mailbox: { readonly aside: readonly AsideMessage[]; readonly dropped: number };
  /** Ask its root task to end; resolves when that is durable. @throws {DomainEndedError} {DomainLostError} */
  cancel(reason?: unknown): Promise<void>;
}
