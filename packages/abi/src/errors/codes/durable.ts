/** Codes of the `durable` namespace: domains whose tasks survive their process. */
export const DURABLE_CODES = {
  "durable.ambient-use": {
    retryable: false,
    changed: "The domain was stopped where its journal ends; nothing after it was performed.",
    fix: "Ask the syscalls instead: `sys.now()`, `sys.random(bytes)`, `sys.sleep(ms)`, `sys.fetch(grant, request)`.",
  },
  "durable.bad-domain-request": {
    retryable: false,
    changed: "Nothing: no domain was started or restarted.",
    fix: "Ask with `{ domain, program, input }`, and name a program that the service offers; `durableChild` does.",
  },
  "durable.bad-journal": {
    retryable: false,
    changed: "Nothing: the domain was not resumed.",
    fix: "Read the journal with the version that wrote it. Do not append to it: keep a copy and restore the domain from a replica.",
  },
  "durable.bad-mail": {
    retryable: false,
    changed: "Nothing: no message was sent.",
    fix: "Ask the service `mail` for `{ to: NAME, message: DATA }`, from a task of a durable domain.",
  },
  "durable.bad-program": {
    retryable: false,
    changed: "Nothing: no domain was started.",
    fix: "Give a program a name, a `run` function, and as `uses` the names of at most 64 services.",
  },
  "durable.bad-secret": {
    retryable: false,
    changed: "Nothing: no domains were made.",
    fix: "Name a secret with 1 to 64 letters, digits, - or _; give it 8 to 4,096 printable ASCII characters, and the services that may get it.",
  },
  "durable.diverged": {
    retryable: false,
    changed: "Nothing: the domain stands where its journal ends, and nothing was performed.",
    fix: "Run the version of the program that wrote the journal, or make the new one ask for the recorded calls in the recorded order.",
  },
  "durable.domain-ended": {
    retryable: false,
    changed: "Nothing: the domain takes no messages any more.",
    fix: "Read its result; start a domain under another name for more work.",
  },
  "durable.domain-exists": {
    retryable: false,
    changed: "Nothing: the domain that has the name goes on.",
    fix: "Use its result, or start a domain under another name.",
  },
  "durable.domain-failed": {
    retryable: false,
    changed: "What the domain did before stands, and its journal says where it failed.",
    fix: "Restart the domain (`durableChild` lets its supervisor choose), or look at record `details.seq` with `glia journal show`.",
  },
  "durable.domain-lost": {
    retryable: false,
    changed:
      "What was acknowledged stands in the journal; what came after it was dropped, and no further effect starts here.",
    fix: "Recover the domain from its journal where it is owned now.",
  },
  "durable.domain-moved": {
    retryable: false,
    changed: "Nothing: the domain was not resumed here.",
    fix: "Use it where it was given to. Take it back with `adopt` only when you know that it was not taken over there.",
  },
  "durable.domain-unknown": {
    retryable: false,
    changed: "Nothing.",
    fix: "Start the domain, or recover it from its journal first.",
  },
  "durable.exchange-replaced": {
    retryable: false,
    changed: "Nothing: the domain takes the code that was given to it last.",
    fix: "Give a domain other code once; withdraw what waits before another is given.",
  },
  "durable.not-durable": {
    retryable: false,
    changed: "The domain was stopped where its journal ends; nothing after it was performed.",
    fix: "Use services for what is outside; `sys.external`, sockets and async programs cannot be replayed.",
  },
  "durable.not-failed": {
    retryable: false,
    changed: "Nothing: the domain is as it was.",
    fix: "Restart domains that failed; one that ended as it should can only begin afresh.",
  },
  "durable.not-recordable": {
    retryable: false,
    changed: "The effect was performed; its result could not be kept and was not used.",
    fix: "Let services, inputs and messages hold plain data: null, booleans, numbers, strings, bytes, lists, objects; at most 1 MiB, or 16 MiB where there are blobs.",
  },
  "durable.not-replaceable": {
    retryable: false,
    changed: "Nothing: the domain stands where it failed.",
    fix: "Replace the outcome of a call of a service, by a value that is an answer of that service; or choose another restart.",
  },
  "durable.outcome-unknown": {
    retryable: false,
    changed: "Unknown: the effect was about to start when its process ended.",
    fix: "Find out whether it happened, by its key in `details.key`; or offer the service as `repeatable` when it honours keys.",
  },
  "durable.program-changed": {
    retryable: false,
    changed: "Nothing: the domain was not resumed, and its journal was not touched.",
    fix: "Offer the version that began it, or name that version under `continues` of the new one when both do the same so far.",
  },
  "durable.program-unknown": {
    retryable: false,
    changed: "Nothing: the domain was not resumed.",
    fix: "Name its program among `programs`, and every service it uses among `services`.",
  },
  "durable.same-failure": {
    retryable: false,
    changed: "The domain ended there; it is not restarted by itself any more.",
    fix: "Give the failing call another answer (`glia fork --at SEQ --set result=JSON`), go back to before it (`glia rollback`), or mend the program (`glia upgrade --plan` says whether the new one fits the journal) and resume it.",
  },
  "durable.secret-refused": {
    retryable: false,
    changed: "Nothing: the call was not performed.",
    fix: "Name the secret among `secrets`, and the service among the `services` of that secret.",
  },
  "durable.too-many-restarts": {
    retryable: false,
    changed: "The domain ended where it failed; it is not restarted by itself any more.",
    fix: "Find out what keeps failing there; then resume it, or give its program a larger `intensity` or a longer `backoff`.",
  },
  "durable.value-missing": {
    retryable: false,
    changed: "Nothing: the domain was not resumed, and its journal was not touched.",
    fix: "Give the blobs that the journal was written with; restore the blob in `details.blob` from a copy of them.",
  },
} as const;
