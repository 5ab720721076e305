/** Codes of agents that are defined by `@glia-os/cells/agent`. */
export const AGENT_CODES = {
  "agent.ask-self": {
    retryable: false,
    changed: "Nothing was sent.",
    fix: "An agent handles one message at a time and cannot wait for itself: call the code, or tell and go on.",
  },
  "agent.ask-timeout": {
    retryable: true,
    changed:
      "Unknown: the message may have been handled, or be handled later. A late reply is dropped and counted.",
    fix: "Ask again if the message may be handled twice, or allow more time.",
  },
  "agent.async-schema": {
    retryable: false,
    changed: "Nothing: the value was not accepted.",
    fix: "Use a schema that answers at once; do what needs waiting in the handler.",
  },
  "agent.bad-argument": {
    retryable: false,
    changed: "Nothing.",
    fix: "Correct the argument named in the message.",
  },
  "agent.bad-chunk": {
    retryable: false,
    changed: "The chunk was not sent; the handler may go on.",
    fix: "Emit what the message's chunk schema allows; the issues are in the details.",
  },
  "agent.bad-definition": {
    retryable: false,
    changed: "Nothing: no definition was made.",
    fix: "Correct the field named in the message.",
  },
  "agent.bad-envelope": {
    retryable: false,
    changed: "Nothing: the message was dropped.",
    fix: "Use an implementation of docs/spec/agent-message.md of the same version on both sides.",
  },
  "agent.bad-message": {
    retryable: false,
    changed: "Nothing: the handler did not see the message.",
    fix: "Send what the message's input schema allows; the issues are in the details.",
  },
  "agent.bad-reply": {
    retryable: false,
    changed: "The handler ran, and what it changed is changed; its reply was not sent.",
    fix: "Return what the message's reply schema allows; the issues are in the details.",
  },
  "agent.bad-state": {
    retryable: false,
    changed: "Nothing: the agent was not made, or keeps the state it had.",
    fix: "Make the state fit its schema; the issues are in the details.",
  },
  "agent.closed": {
    retryable: false,
    changed: "Nothing.",
    fix: "The system was closed; make another.",
  },
  "agent.ended": {
    retryable: false,
    changed: "Unknown: the agent ended before it replied.",
    fix: "Look in the agent's log for why it ended; find or spawn another.",
  },
  "agent.handler-failed": {
    retryable: false,
    changed: "The handler ran until it failed; what it changed before is changed.",
    fix: "Read the message of the cause, and mend the handler or what it was sent.",
  },
  "agent.invariant": {
    retryable: false,
    changed: "The agent failed; its state is again what it was before the message.",
    fix: "Mend the handler of the message that is named.",
  },
  "agent.mailbox-full": {
    retryable: true,
    changed: "Nothing was sent.",
    fix: "Send more slowly: hold back when a tell answers `pressured`.",
  },
  "agent.name-taken": {
    retryable: false,
    changed: "Nothing: no agent was made.",
    fix: "Use another name, or find the agent that has it.",
  },
  "agent.not-a-stream": {
    retryable: false,
    changed: "Nothing.",
    fix: "Give the message a `chunk` schema and open it as a stream; ask or tell others.",
  },
  "agent.not-parent": {
    retryable: false,
    changed: "Nothing: the agent goes on.",
    fix: "An agent ends itself and its children; ask the agent to end itself.",
  },
  "agent.paused-too-long": {
    retryable: true,
    changed: "Nothing: the agent goes on as before.",
    fix: "The handler under way did not end in time; let it end, then try again.",
  },
  "agent.place-unknown": {
    retryable: false,
    changed: "Nothing: no agent was made.",
    fix: "Use a place the system has, or leave it out.",
  },
  "agent.stream-closed": {
    retryable: false,
    changed: "The chunk was not sent.",
    fix: "The reader wants no more, or is gone: end the handler.",
  },
  "agent.too-many": {
    retryable: true,
    changed: "Nothing.",
    fix: "Let some of what is counted end first; the limit is in the message.",
  },
  "agent.unknown-agent": {
    retryable: false,
    changed: "Nothing was handled.",
    fix: "Check the address; the agent may have ended.",
  },
  "agent.unknown-message": {
    retryable: false,
    changed: "Nothing: no handler ran.",
    fix: "Send a message that the agent's definition has.",
  },
  "agent.upgrade-failed": {
    retryable: false,
    changed: "Nothing: the agent goes on with its old definition and state, and no message was lost.",
    fix: "Read the cause; mend the new definition's codeChange.",
  },
  "agent.value-not-plain": {
    retryable: false,
    changed: "Nothing was sent.",
    fix: "Send plain data: null, booleans, finite numbers, text, lists, objects and bytes, at most 64 levels deep.",
  },
  "agent.waits-in-plain-handler": {
    retryable: false,
    changed: "The handler failed at the operation; nothing was waited for.",
    fix: "Make the handler a generator function and perform the operation with `yield*`, once, at once.",
  },
  "agent.wrong-kind": {
    retryable: false,
    changed: "Nothing.",
    fix: "Use the definition that the agent was made from.",
  },
} as const;
