/** Codes of the shared vocabulary. */
export const ABI_CODES = {
  "abi.malformed": {
    retryable: false,
    changed: "Nothing: the value was refused before use.",
    fix: "Send a value that follows the format named in the message.",
  },
  "abi.remote": {
    retryable: false,
    changed: "See the sender's record in `remote`.",
    fix: "See the sender's record in `remote`.",
  },
  "abi.unexpected": {
    retryable: false,
    changed: "Unknown: this failure was not foreseen.",
    fix: "Run again with -v and report the stack trace as a defect.",
  },
  "abi.version-mismatch": {
    retryable: false,
    changed: "Nothing: the two sides did not start to talk.",
    fix: "Bring both sides to versions of @glia-os/abi with the same ABI_VERSION.",
  },
} as const;
