/** Codes of the `inference` namespace: models behind HTTP, cassettes, scripts. */
export const INFERENCE_CODES = {
  "inference.auth": {
    retryable: false,
    changed: "Nothing: the provider refused the request and bills nothing.",
    fix: "Give the key that this provider issued, with access to the model.",
  },
  "inference.bad-answer": {
    retryable: false,
    changed: "The provider may bill the request; its answer was not used.",
    fix: "Point `baseUrl` at an endpoint that speaks chat completions, and read `details.why`.",
  },
  "inference.bad-cassette": {
    retryable: false,
    changed: "Nothing: no model was asked and the cassette was not written.",
    fix: "Restore the cassette from version control, or record it again under another name.",
  },
  "inference.bad-option": {
    retryable: false,
    changed: "Nothing: no model was made and nothing was sent.",
    fix: "Correct the option that the message names.",
  },
  "inference.cassette-miss": {
    retryable: false,
    changed: "Nothing: no model was asked.",
    fix: "Record the cassette again with the changed program, or undo the change; `details.nearest` names what differs.",
  },
  "inference.network": {
    retryable: true,
    changed: "Unknown: the request may have reached the provider.",
    fix: "Check the address and the network; the cause has the failure of the HTTP client.",
  },
  "inference.out-of-funds": {
    retryable: false,
    changed: "Nothing: the provider refused the request.",
    fix: "Add funds or raise the limit of the account at the provider.",
  },
  "inference.overloaded": {
    retryable: true,
    changed: "Nothing that is billed, as far as the provider says.",
    fix: "Try later; every allowed attempt was made.",
  },
  "inference.refused": {
    retryable: false,
    changed: "Nothing: the provider refused the request as it stands.",
    fix: "Correct the request; `details.said` has the words of the provider.",
  },
  "inference.script-ended": {
    retryable: false,
    changed: "Nothing.",
    fix: "Give the scripted model an answer for every request of the program.",
  },
  "inference.throttled": {
    retryable: true,
    changed: "Nothing: the provider took no more requests.",
    fix: "Try after `details.retryAfterMs`, or ask less often; every allowed attempt was made.",
  },
  "inference.too-large": {
    retryable: false,
    changed: "Nothing was sent, or the answer was not used; an answer may be billed.",
    fix: "Shorten the conversation, limit the answer, or raise the limit that the message names.",
  },
} as const;
