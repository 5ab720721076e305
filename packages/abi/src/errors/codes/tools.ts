/** Codes of the `tools` namespace: checked tools and tools of MCP servers. */
export const TOOLS_CODES = {
  "tools.bad-definition": {
    retryable: false,
    changed: "Nothing: no tool was made.",
    fix: "Correct the name, the limits or the schema that the message names.",
  },
  "tools.changed": {
    retryable: false,
    changed: "Nothing: the tool was not called.",
    fix: "Look at what the server now says of the tool, and take it again with `tool()` if it is still to be trusted.",
  },
  "tools.closed": {
    retryable: false,
    changed: "Unknown for a call that was out; nothing for one that was not.",
    fix: "Connect to the server again.",
  },
  "tools.connect-failed": {
    retryable: true,
    changed: "Nothing: what was started was ended.",
    fix: "Run the command by hand, or open the address: it must speak MCP. `details.stderr` has the last words of the server.",
  },
  "tools.failed": {
    retryable: false,
    changed: "Unknown: the tool ran and reports that it failed.",
    fix: "Read the message of the tool; correct the input or what it works on.",
  },
  "tools.invalid-input": {
    retryable: false,
    changed: "Nothing: the tool was not called.",
    fix: "Give an input that the schema allows; `details.where` says where it does not.",
  },
  "tools.invalid-output": {
    retryable: false,
    changed: "The tool ran; its answer was not used.",
    fix: "Correct the tool, or its output schema: the answer must be plain data that the schema allows.",
  },
  "tools.remote": {
    retryable: false,
    changed: "Unknown: the server refused the call, or broke while it was out.",
    fix: "Read the message of the server; `details.remote` has its code.",
  },
  "tools.timeout": {
    retryable: false,
    changed: "Unknown: the tool was told to stop.",
    fix: "Raise `timeoutMs` of the tool, or ask it for less.",
  },
  "tools.too-large": {
    retryable: false,
    changed:
      "Unknown for an answer: the tool ran; it was not used. Nothing for an input: the tool was not called.",
    fix: "Ask for less, or raise the limit that the message names.",
  },
  "tools.unknown": {
    retryable: false,
    changed: "Nothing: no tool was called.",
    fix: "Use a name that `list()` shows.",
  },
} as const;
