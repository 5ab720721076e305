/** Codes of the `wire` namespace: connections between nodes. */
export const WIRE_CODES = {
  "wire.address-in-use": {
    retryable: true,
    changed: "Nothing: the endpoint does not listen.",
    fix: "Stop the program that holds the address, or listen on another port (0 takes any free one).",
  },
  "wire.address-unavailable": {
    retryable: false,
    changed: "Nothing: the endpoint does not listen.",
    fix: "Use an address of this machine and a port this user may open.",
  },
  "wire.already-listening": {
    retryable: false,
    changed: "Nothing: the endpoint goes on listening where it did.",
    fix: "Listen once per transport; create another transport for another address.",
  },
  "wire.bad-frame": {
    retryable: false,
    changed: "The session with the sender is closed.",
    fix: "Bring both nodes to versions that speak the same frame format (docs/spec/frame.md).",
  },
  "wire.carrier-unavailable": {
    retryable: false,
    changed: "Nothing: no transport was created.",
    fix: "Use transport `auto` or `tls-only`, or install the carrier for this platform.",
  },
  "wire.certificate-request": {
    retryable: false,
    changed: "Nothing: no certificate was made.",
    fix: "Ask for a validity of at least one second and at most 90 days that starts after 1970.",
  },
  "wire.connect-failed": {
    retryable: true,
    changed: "Nothing: there is no session.",
    fix: "Check that a node listens at the address and that the network lets connections through.",
  },
  "wire.connect-timeout": {
    retryable: true,
    changed: "Nothing: there is no session.",
    fix: "Check the address and the network; the peer may also be overloaded.",
  },
  "wire.discovery-unavailable": {
    retryable: true,
    changed: "Nothing: this node is neither announced nor looking for others.",
    fix: "Check that UDP port 5353 may be shared and that an interface takes multicast; a node can also join by an address.",
  },
  "wire.identity-corrupt": {
    retryable: false,
    changed: "Nothing: the file was left as it is.",
    fix: "Restore the file from a backup. Removing it gives the node a new identity, which must be admitted again.",
  },
  "wire.identity-exposed": {
    retryable: false,
    changed: "Nothing: the key was not used.",
    fix: "Let only the owner read the file (chmod 600), and consider whether somebody has copied the key.",
  },
  "wire.identity-file": {
    retryable: false,
    changed: "Nothing: no key was loaded or created.",
    fix: "Check that the folder exists and that this user may read and write it.",
  },
  "wire.message-too-large": {
    retryable: false,
    changed: "Nothing: the message was not accepted.",
    fix: "Split the message; the limits per class are in MESSAGE_LIMIT_BYTES.",
  },
  "wire.option-out-of-range": {
    retryable: false,
    changed: "Nothing: the value was not used.",
    fix: "Use a value in the range the message names.",
  },
  "wire.peer-certificate": {
    retryable: false,
    changed: "Nothing: there is no session.",
    fix: "Check the peer's clock and that it runs a Glia node; `details.reason` says which check failed.",
  },
  "wire.peer-identity": {
    retryable: false,
    changed: "Nothing: there is no session.",
    fix: "Check the address: another node answers there. If the peer was set up anew, use its new node id.",
  },
  "wire.protocol-violation": {
    retryable: false,
    changed: "The session with the peer is closed.",
    fix: "Bring both nodes to versions that speak the same frame format (docs/spec/frame.md).",
  },
  "wire.refused": {
    retryable: true,
    changed: "Nothing: there is no session.",
    fix: "See `details.refusal` for what the peer did not accept.",
  },
  "wire.send-queue-full": {
    retryable: true,
    changed: "Nothing: the message was not accepted.",
    fix: "Await the promise of each send before the next one; that is the back-pressure.",
  },
  "wire.session-closed": {
    retryable: false,
    changed: "Nothing: the message was not accepted.",
    fix: "Connect again and send on the new session.",
  },
  "wire.session-limit": {
    retryable: true,
    changed: "Nothing: there is no session.",
    fix: "Close sessions that are not needed, or raise the limit of sessions of the transport.",
  },
  "wire.transport-closed": {
    retryable: false,
    changed: "Nothing: the transport stays closed.",
    fix: "Create a new transport.",
  },
} as const;
