/** Codes of the `mesh` namespace. */

export const MESH_CODES = {
  "mesh.message-too-large": {
    retryable: false,
    changed: "Nothing: the message was refused before use.",
    fix: "Send less in one message: see the limits in docs/spec/envelope.md.",
  },
  "mesh.unsupported-version": {
    retryable: false,
    changed: "Nothing: the message was refused before use.",
    fix: "Bring both sides to versions that speak the same envelope version.",
  },
  "mesh.unknown-kind": {
    retryable: false,
    changed: "Nothing: the message was refused before use.",
    fix: "Run both sides at the same version; if they are, report the message as a defect.",
  },
  "mesh.malformed-message": {
    retryable: false,
    changed: "Nothing: the message was refused before use.",
    fix: "Run both sides at the same version; if they are, report the message as a defect.",
  },
  "mesh.protocol-violation": {
    retryable: false,
    changed: "The session with this peer was closed.",
    fix: "Run both sides at the same version; if they are, report the message as a defect.",
  },
  "mesh.join-line-malformed": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Copy the whole join line again, from glia-join-v1/ to its last letter.",
  },
  "mesh.join-line-checksum": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Copy the whole join line again: a character is missing or changed.",
  },
  "mesh.join-token-unknown": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Ask the node that founded the mesh for a new join line; tokens end when it restarts.",
  },
  "mesh.join-token-expired": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Ask the node that founded the mesh for a new join line.",
  },
  "mesh.join-token-used-up": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Ask the node that founded the mesh for a new join line, or for one with more uses.",
  },
  "mesh.join-proof-invalid": {
    retryable: false,
    changed: "Nothing: this node is not a member.",
    fix: "Copy the join line again; if it still fails, somebody may be in the middle of the connection.",
  },
  "mesh.join-timeout": {
    retryable: true,
    changed: "Nothing: this node is not a member.",
    fix: "Check that the introducer named in the join line runs, then try again.",
  },
  "mesh.introducer-unreachable": {
    retryable: true,
    changed: "Nothing: this node is not a member.",
    fix: "Check that the introducer named in the join line runs and that its address can be reached from here.",
  },
  "mesh.certificate-invalid": {
    retryable: false,
    changed: "Nothing: the session was refused.",
    fix: "Join the cluster again with a new join line.",
  },
  "mesh.certificate-expired": {
    retryable: false,
    changed: "Nothing: the session was refused.",
    fix: "Check the clock of both machines; then join the cluster again with a new join line.",
  },
  "mesh.node-removed": {
    retryable: false,
    changed: "Nothing: the session was refused.",
    fix: "Join the cluster again with a join line that was made after the removal.",
  },
  "mesh.wrong-cluster": {
    retryable: false,
    changed: "Nothing: the session was refused.",
    fix: "Connect only nodes of one cluster, or join this node with a line of the other cluster.",
  },
  "mesh.not-admitted": {
    retryable: false,
    changed: "Nothing: the message was refused and the session closed.",
    fix: "Join the cluster first.",
  },
  "mesh.no-cluster-key": {
    retryable: false,
    changed: "Nothing: nothing was signed.",
    fix: "Do it on the node that holds the cluster key: the one that founded the cluster.",
  },
  "mesh.invalid-option": {
    retryable: false,
    changed: "Nothing: the mesh was not started or changed.",
    fix: "Use a value in the range the message names.",
  },
  "mesh.stopped": {
    retryable: false,
    changed: "Whatever was still on its way is unknown to this node.",
    fix: "Start the node again.",
  },
  "mesh.part-stopped": {
    retryable: false,
    changed: "Nothing: nothing was done.",
    fix: "Start the node with this part, or start the part.",
  },
  "mesh.unknown-member": {
    retryable: true,
    changed: "Nothing: nothing was sent.",
    fix: "Check the node id against the member list; a node that just joined may take a moment to appear.",
  },
  "mesh.peer-unreachable": {
    retryable: true,
    changed: "Unknown: a message that was already on its way may still be handled.",
    fix: "Check that the node runs and that its address can be reached from here, then try again.",
  },
  "mesh.call-timeout": {
    retryable: true,
    changed: "Unknown: the peer may have handled the call.",
    fix: "Repeat the call if its method is safe to repeat.",
  },
  "mesh.too-many-calls": {
    retryable: true,
    changed: "Nothing: nothing was sent.",
    fix: "Wait for earlier calls to end before making more.",
  },
  "mesh.unknown-method": {
    retryable: false,
    changed: "Nothing: no such method exists there.",
    fix: "Bring both sides to the same version.",
  },
  "mesh.anchor-unreachable": {
    retryable: true,
    changed: "Unknown: a change that was sent may have been made. Running agents go on.",
    fix: "Check that the anchor node runs. Repeating with the same request id is safe.",
  },
  "mesh.anchor-epoch": {
    retryable: false,
    changed: "Nothing: the request was refused.",
    fix: "There are two anchors or an old one: stop the node that has the lower anchor epoch.",
  },
  "mesh.not-anchor": {
    retryable: false,
    changed: "Nothing: the request was refused.",
    fix: "Send the request to the cluster's anchor.",
  },
  "mesh.not-yours": {
    retryable: false,
    changed: "Nothing: the request was refused.",
    fix: "Act only for sessions of this node and for agents it owns.",
  },
  "mesh.agent-unknown": {
    retryable: false,
    changed: "What was acknowledged before stays applied; what was not is not.",
    fix: "Check the agent id: it was never created, or it was terminated.",
  },
  "mesh.link-broken": {
    retryable: false,
    changed: "What was acknowledged before stays applied; what was not may or may not be.",
    fix: "Open a new link after finding out what the agent applied.",
  },
  "mesh.link-timeout": {
    retryable: true,
    changed: "Unknown: the message may still be applied, at most once.",
    fix: "Check that the agent's node runs, then wait again.",
  },
  "mesh.link-limit": {
    retryable: true,
    changed: "Nothing: nothing was sent.",
    fix: "Wait for earlier messages, or send smaller ones: see the limits in docs/spec/links.md.",
  },
  "mesh.not-hosted": {
    retryable: false,
    changed: "Nothing: the agent was not moved.",
    fix: "Ask the node that owns the agent.",
  },
  "mesh.no-migration": {
    retryable: false,
    changed: "Nothing.",
    fix: "See `glia agent list` for where the agent is; a move that was committed is over.",
  },
  "mesh.migration-in-progress": {
    retryable: true,
    changed: "Nothing: the move that runs goes on.",
    fix: "Wait for the move that runs to end.",
  },
  "mesh.replica-refused": {
    retryable: true,
    changed: "Nothing: the node keeps what it had.",
    fix: "Nothing: the agent's node chooses another replica, or seeds this one again.",
  },
  "mesh.migration-refused": {
    retryable: false,
    changed: "Nothing: the agent goes on where it is.",
    fix: "Choose a destination, or a strategy, that the reason does not rule out.",
  },
  "mesh.migration-aborted": {
    retryable: true,
    changed: "The agent goes on where it was; its epoch may have grown.",
    fix: "See the cause; then move it again.",
  },
  "mesh.migration-cancelled": {
    retryable: true,
    changed: "The agent goes on where it was; its epoch may have grown.",
    fix: "Nothing, if that was wanted; move the agent again when it may move.",
  },
  "mesh.migration-fenced": {
    retryable: false,
    changed: "This node's copy is retired: another owner was committed.",
    fix: "Ask the registry for the owner.",
  },
  "mesh.migration-unconfirmed": {
    retryable: false,
    changed: "The move is committed: the destination owns the agent.",
    fix: "Check that the destination runs; the agent is reachable as soon as it does.",
  },
  "mesh.pages-left": {
    retryable: false,
    changed: "The move is committed; the agent ended at the destination unless it had everything after all.",
    fix: "Look at the agent at the destination. One with a replica goes on there; another one is started anew.",
  },
  "mesh.chunk-corrupt": {
    retryable: true,
    changed: "Nothing: the staged copy was dropped.",
    fix: "Move the agent again.",
  },
} as const;
