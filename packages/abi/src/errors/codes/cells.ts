/** Codes of the agent SDK. */
export const CELLS_CODES = {
  "cells.already-here": {
    retryable: false,
    changed: "Nothing: the agent that is here goes on.",
    fix: "Ask coordination who owns the agent; one node cannot run it twice.",
  },
  "cells.bad-bundle": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Bundle the program as one ES module that exports `program`, as docs/durable-agents.md says.",
  },
  "cells.bad-image": {
    retryable: false,
    changed: "Nothing: no agent was built from it.",
    fix: "Freeze the agent again at its source; the stream was damaged or made by another version.",
  },
  "cells.bad-manifest": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Correct the field named in the message.",
  },
  "cells.bad-reply": {
    retryable: false,
    changed: "Nothing: nobody got a reply.",
    fix: "Reply with `yield* sys.exec(cell, { reply: message.id, payload })`, where the payload is bytes, or give acts as docs/spec/domain-cell.md has them.",
  },
  "cells.file-agent-ended": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Import it as a copy with a name of its own: `glia agent import FILE --as NAME`.",
  },
  "cells.file-corrupt": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Use another copy of the file; this one was changed or cut off after it was written.",
  },
  "cells.file-not-one": {
    retryable: false,
    changed: "Nothing.",
    fix: "Name a file that `glia agent export` wrote.",
  },
  "cells.file-other-cluster": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Import it in its own cluster, or as a copy with a name of its own: `--as NAME --signer NODE`.",
  },
  "cells.file-owner-lives": {
    retryable: true,
    changed: "Nothing: the agent goes on where it is.",
    fix: "Terminate or export the agent with --stop first, or import a copy: `--as NAME`.",
  },
  "cells.file-untrusted": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "If you know that this node wrote the file, name it: `--signer NODE`.",
  },
  "cells.file-version": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Use a build of Glia that knows this version.",
  },
  "cells.file-wrong-key": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Give the passphrase the file was written with, or use a node that holds the cluster's key.",
  },
  "cells.guest-failed": {
    retryable: false,
    changed: "The agent ended; messages it had not received are dropped.",
    fix: "Read the agent's log for what it did last, mend the program and spawn it again.",
  },
  "cells.illegal-transition": {
    retryable: true,
    changed: "Nothing: the agent stays in its state.",
    fix: "Wait for the running operation on this agent to end, then ask again.",
  },
  "cells.immovable-capability": {
    retryable: false,
    changed: "Nothing: the agent goes on where it is.",
    fix: "Have the agent drop what the error names before it is moved, or leave it where it is.",
  },
  "cells.no-earlier-code": {
    retryable: false,
    changed: "Nothing: the agent goes on with the code it has.",
    fix: "Upgrade it to the code you want; the code before is kept by the node that exchanged it, until the agent moves.",
  },
  "cells.lost-on-the-way": {
    retryable: false,
    changed:
      "The agent ended here. Nothing was acknowledged or answered for it here that its replica does not have; without a replica what it was sent is lost with it.",
    fix: "With a replica it goes on there by itself; else start it anew. Agents that must survive the loss of either node move by pre-copy.",
  },
  "cells.no-post-copy": {
    retryable: false,
    changed: "Nothing: the agent goes on where it is.",
    fix: "Move it by pre-copy or stop-and-copy, or leave the choice to `auto`.",
  },
  "cells.no-yield": {
    retryable: true,
    changed: "Nothing: the agent goes on where it is.",
    fix: "The program computes without a blocking call; move it when it waits for a message, or end it.",
  },
  "cells.not-in-domain": {
    retryable: false,
    changed: "Nothing: the agent goes on.",
    fix: "Start it with the grant `service/agents`; docs/durable-agents.md says what that gives.",
  },
  "cells.not-here": {
    retryable: true,
    changed: "Nothing.",
    fix: "Ask coordination which node owns the agent.",
  },
  "cells.not-upgradable": {
    retryable: false,
    changed: "Nothing: the agent goes on with the code it has.",
    fix: "Use an agent of @glia-os/cells/agent, or a module that answers as docs/spec/upgrade.md says.",
  },
  "cells.not-replicable": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Start it without a replica, or without the grants that the message names (docs/availability.md).",
  },
  "cells.replica-lost": {
    retryable: true,
    changed: "Unknown to the sender: it sends the message again, and the agent applies it once.",
    fix: "Nothing: links send again by themselves.",
  },
  "cells.outcome-unknown": {
    retryable: false,
    changed: "Unknown: the call was made once or not at all.",
    fix: "Find out at the other side whether it was made, or give the request a key that makes it safe to repeat.",
  },
  "cells.mid-record": {
    retryable: false,
    changed: "Nothing: the agent stays suspended where it is.",
    fix: "Resume the agent, which runs its record; then move or upgrade it. Suspend it again after that if it is to stand still.",
  },
  "cells.replay-diverged": {
    retryable: false,
    changed: "The agent failed: what it had said before is not what it would say now.",
    fix: "Report the module: programs that only import what a replica allows are deterministic.",
  },
  "cells.pages-released": {
    retryable: false,
    changed: "Nothing.",
    fix: "The move is over at its source; see what became of the agent at its destination.",
  },
  "cells.programs-refused": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Start it on a node whose operator allows the program: `--programs`.",
  },
  "cells.service-missing": {
    retryable: false,
    changed: "Nothing: no agent was started or taken.",
    fix: "Use a node that offers the service, or take the grant out of the agent's manifest.",
  },
  "cells.takes-none": {
    retryable: true,
    changed: "Nothing: no agent was started or taken.",
    fix: "Use another node, or let this one take agents again: `glia node undrain`.",
  },
  "cells.too-many": {
    retryable: true,
    changed: "Nothing: no agent was started or taken.",
    fix: "End agents on this node, or use another node.",
  },
  "cells.upgrade-busy": {
    retryable: true,
    changed: "Nothing: the agent goes on with the code it has; its messages waited meanwhile.",
    fix: "Upgrade it when the message it handles is done, or give it more time: `--timeout`.",
  },
  "cells.upgrade-refused": {
    retryable: false,
    changed: "Nothing: the agent goes on with the code and the state it had.",
    fix: "Mend what the message names, for example `codeChange` of the new code, and upgrade again.",
  },
} as const;
