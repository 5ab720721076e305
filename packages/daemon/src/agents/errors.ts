/** What agents of a node and programs that talk to them are refused. */
import { DaemonError } from "@glia-os/abi/errors/daemon";

/** A mailbox was closed, or never was. */
export class MailboxGoneError extends DaemonError<"daemon.mailbox-gone"> {
  constructor(id: string) {
    super("daemon.mailbox-gone", `There is no mailbox ${id} on this node`, { details: { id } });
  }
}

/** As many mailboxes are open as may be. */
export class TooManyMailboxesError extends DaemonError<"daemon.too-many-mailboxes"> {
  constructor(limit: number) {
    super("daemon.too-many-mailboxes", `${limit} mailboxes are open on this node, the limit`, {
      details: { limit },
    });
  }
}

/** A node that hosts nothing was asked for what needs agents. */
export class NoAgentsHereError extends DaemonError<"daemon.no-agents"> {
  constructor() {
    super("daemon.no-agents", "This node is a client: it hosts no agents, and nobody could answer to it");
  }
}

/** An agent sends faster than its messages are accepted. */
export class OutboxFullError extends DaemonError<"daemon.outbox-full"> {
  constructor(limit: number) {
    super(
      "daemon.outbox-full",
      `The agent has messages of the weight ${limit} that were not accepted yet, the limit`,
      {
        details: { limit },
      },
    );
  }
}

/** Nobody said which module a definition is in. */
export class DefinitionUnknownError extends DaemonError<"daemon.definition-unknown"> {
  constructor(name: string) {
    super("daemon.definition-unknown", `No module was given for the definition ${name}`, {
      details: { name },
    });
  }
}
