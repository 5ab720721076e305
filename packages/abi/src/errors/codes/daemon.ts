/** Codes of a node and its control socket. */
export const DAEMON_CODES = {
  "daemon.agent-failed": {
    retryable: false,
    changed: "Nothing: the agent takes no messages, and did not move.",
    fix: "Remove it with `glia agent terminate`, and spawn it again; `glia agent list` shows its error.",
  },
  "daemon.already-running": {
    retryable: false,
    changed: "Nothing: the running node was not touched.",
    fix: "Stop that process first, or use another data folder with --data.",
  },
  "daemon.ambiguous-node": {
    retryable: false,
    changed: "Nothing.",
    fix: "Give more characters of the node id.",
  },
  "daemon.anchor-lost": {
    retryable: true,
    changed: "Running agents go on; nothing can be spawned or moved until the anchor is back.",
    fix: "Start the anchor node again with its data folder.",
  },
  "daemon.bad-options": {
    retryable: false,
    changed: "Nothing: the node did not start.",
    fix: "Correct the option named in the message.",
  },
  "daemon.config-invalid": {
    retryable: false,
    changed: "Nothing: a node that runs goes on with the configuration it has.",
    fix: "Correct what the message names; `glia config validate` looks again.",
  },
  "daemon.control-closed": {
    retryable: true,
    changed: "Unknown: the node may have done what it was asked.",
    fix: "Look at the state with `glia agent list` before asking again.",
  },
  "daemon.control-malformed": {
    retryable: false,
    changed: "Nothing: the line was dropped and the connection closed.",
    fix: "Use a command line of the same version as the node.",
  },
  "daemon.data-folder": {
    retryable: false,
    changed: "Nothing: the node did not start.",
    fix: "Make the folder readable and writable for this user, or name another with --data.",
  },
  "daemon.definition-unknown": {
    retryable: false,
    changed: "Nothing: no agent was made.",
    fix: "Give the module of the definition: connectSystem(node, { modules: [[definition, module]] }).",
  },
  "daemon.guest-stuck": {
    retryable: false,
    changed: "The node cannot go on: its agent thread is held by the guest.",
    fix: "Stop the node, mend the program so that it makes a blocking call, and start again.",
  },
  "daemon.http-listen": {
    retryable: false,
    changed: "Nothing: the node did not start.",
    fix: "Name a free port with --metrics-port, or 0 for any.",
  },
  "daemon.job-cancelled": {
    retryable: false,
    changed: "The job has no result; what it had done before stands.",
    fix: "Submit it again with another key, if it is to be done after all.",
  },
  "daemon.job-expired": {
    retryable: false,
    changed: "The job has no result; what it had done before stands.",
    fix: "Submit it again with another key and a later deadline.",
  },
  "daemon.job-face": {
    retryable: true,
    changed:
      "Unknown: a job may have been accepted; submitting it again under the same key does not double it.",
    fix: "Check the address and the token: `glia up --http ADDRESS`, and the file http-token in the node's data folder.",
  },
  "daemon.job-failed": {
    retryable: false,
    changed: "What the job had done before it failed stands.",
    fix: "See the message for what the job threw.",
  },
  "daemon.job-key-reused": {
    retryable: false,
    changed: "Nothing: the job that has the key goes on, or stays as it ended.",
    fix: "Give each piece of work a key of its own, and repeat a submission with what it had at first.",
  },
  "daemon.job-malformed": {
    retryable: false,
    changed: "Nothing: no job was accepted.",
    fix: "Correct the field that the message names.",
  },
  "daemon.job-unknown": {
    retryable: false,
    changed: "Nothing.",
    fix: "Ask the node that accepted the job; ended jobs are kept for a day, and a thousand at most.",
  },
  "daemon.jobs-full": {
    retryable: true,
    changed: "Nothing: no job was accepted.",
    fix: "Wait until some of the node's jobs have ended.",
  },
  "daemon.mailbox-gone": {
    retryable: false,
    changed: "Nothing was sent. What waited in the mailbox is lost.",
    fix: "Open another; a mailbox that nobody takes from for a minute is closed.",
  },
  "daemon.move-unconfirmed": {
    retryable: false,
    changed: "The agent's ownership changed; see the message.",
    fix: "Look where the agent is with `glia agent list` before moving it again.",
  },
  "daemon.no-agents": {
    retryable: false,
    changed: "Nothing.",
    fix: "Connect to a node with the role edge, relay or core.",
  },
  "daemon.no-cluster-key": {
    retryable: false,
    changed: "Nothing.",
    fix: "Ask the node that was started with `glia mesh start`.",
  },
  "daemon.no-jobs": {
    retryable: false,
    changed: "Nothing.",
    fix: "Start the node with --jobs FILE, or ask a node that was.",
  },
  "daemon.not-exportable": {
    retryable: false,
    changed: "Nothing: the agent goes on.",
    fix: "Move the agent to another node; its journal moves with it.",
  },
  "daemon.not-running": {
    retryable: true,
    changed: "Nothing.",
    fix: "Start a node with `glia mesh start` or `glia mesh join`, or name its data folder with --data.",
  },
  "daemon.outbox-full": {
    retryable: true,
    changed: "Nothing of this call was sent.",
    fix: "Send more slowly: receivers take less than is sent to them.",
  },
  "daemon.bad-queue-file": {
    retryable: false,
    changed: "The file was set aside; what is queued from now on goes into a new one.",
    fix: "Look into the file that was set aside: its readable lines are messages that were not sent.",
  },
  "daemon.queue-full": {
    retryable: true,
    changed: "Nothing: the message was not queued, and none that was is dropped for it.",
    fix: "Wait until agents are back and have theirs, or give messages up with `glia agent queue --drop`.",
  },
  "daemon.payload-too-large": {
    retryable: false,
    changed: "Nothing was sent.",
    fix: "Send it in smaller parts.",
  },
  "daemon.removed": {
    retryable: false,
    changed: "The node stops; agents that lived here have ended. Its data folder stays.",
    fix: "Join with a new line of `glia mesh token create` and an empty data folder.",
  },
  "daemon.thread-busy": {
    retryable: true,
    changed: "Nothing: the call was not made.",
    fix: "Wait for earlier calls before making more.",
  },
  "daemon.thread-gone": {
    retryable: false,
    changed: "Unknown: the thread may have done what it was asked.",
    fix: "Start the node again; the log says why the thread ended.",
  },
  "daemon.token-file": {
    retryable: false,
    changed: "Nothing: HTTP is not served.",
    fix: "Remove the file, so that a new one is made, or give it mode 0600.",
  },
  "daemon.too-many-mailboxes": {
    retryable: true,
    changed: "Nothing was opened.",
    fix: "Close those that are not needed, or use another node.",
  },
  "daemon.too-many-transfers": {
    retryable: true,
    changed: "Nothing.",
    fix: "Wait until one of them is done; one that nobody goes on with is given up after five minutes.",
  },
  "daemon.transfer-busy": {
    retryable: true,
    changed: "Nothing: the import goes on with the piece before.",
    fix: "Send a piece when the one before was answered.",
  },
  "daemon.unknown-agent": {
    retryable: false,
    changed: "Nothing.",
    fix: "Look up names and ids with `glia agent list`.",
  },
  "daemon.unknown-node": {
    retryable: true,
    changed: "Nothing.",
    fix: "Look up names and ids with `glia mesh members`.",
  },
  "daemon.unknown-transfer": {
    retryable: false,
    changed: "Nothing: an export that was given up left its agent where it was, an import left no agent.",
    fix: "Begin the export or import again.",
  },
} as const;
