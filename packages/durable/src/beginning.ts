/** How a domain begins, and how it begins anew. */
import type { ServiceKind } from "@glia-os/kernel/services";
import type { MailboxForm } from "./mailbox-state.ts";

/** Costs in the order calls, tokens, money, milliseconds, fuel (`Amounts` of the kernel). */
export type Spent = readonly [calls: number, tokens: number, money: number, ms: number, fuel: number];

/** How a domain began: what its root task is and gets. */
export interface Beginning {
  readonly program: string;
  readonly input: unknown;
  /** Names and kinds of the services whose handles the root task gets, in order. */
  readonly uses: readonly (readonly [name: string, kind: ServiceKind])[];
  /** Sixteen bytes, from which all randomness of the domain comes. */
  readonly seed: Uint8Array;
  /** How many checkpoints the domain had. Default 0. */
  readonly generation?: number;
  /** What its calls of services cost before the last checkpoint; see {@link Spent}. Default: nothing. */
  readonly spent?: Spent;
  /** The version of the program; none for a program that has none. */
  readonly version?: string | undefined;
  /** What whoever gave it other code calls that code; none for the code it began with. */
  readonly edition?: string | undefined;
}

/** How a domain begins anew: its journal before may be gone. */
export interface Renewal {
  /** As the domain would begin, with the state as input. */
  readonly beginning: Beginning;
  /** The time of the domain, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Messages in its inbox that nobody had taken. */
  readonly inbox: readonly unknown[];
  /** What it knows of those who sent it messages, and of those it could not handle; none for a domain that has to do with no mail. */
  readonly mailbox?: MailboxForm | undefined;
  /** The facts of its ledger, where it has one (LG2). */
  readonly ledger?: unknown;
}
