/** The mailboxes of a node as its `NodeApi` has them, over the mesh thread. */
import type { Remote } from "../thread-call.ts";
import type { AgentsApi } from "./agents-api.ts";
import type { AgentsOffice } from "./agents-office.ts";
import { NoAgentsHereError } from "./errors.ts";

/** Its methods, for the control socket. */
export const AGENTS_METHODS = ["openMailbox", "closeMailbox", "takeMail", "actAs"] as const;

/** The part of a node's face. */
export function agentsFace(mesh: Remote<Pick<AgentsOffice, (typeof AGENTS_METHODS)[number]>>): AgentsApi {
  return {
    openMailbox: () => mesh.openMailbox(),
    closeMailbox: (mailbox) => mesh.closeMailbox(mailbox),
    takeMail: (mailbox, waitMs) => mesh.takeMail(mailbox, waitMs),
    actAs: (mailbox, acts) => mesh.actAs(mailbox, acts),
  };
}

/** The same on a client, which hosts nothing. */
export class NoOffice implements AgentsApi {
  async openMailbox(): Promise<string> {
    throw new NoAgentsHereError();
  }

  async closeMailbox(): Promise<void> {}

  async takeMail(): Promise<readonly Uint8Array[]> {
    throw new NoAgentsHereError();
  }

  async actAs(): Promise<void> {
    throw new NoAgentsHereError();
  }
}
