/** Codes of the `kernel` namespace. */
export const KERNEL_CODES = {
  "kernel.account-closed": {
    retryable: false,
    changed: "Nothing: no call was made and nothing was booked.",
    fix: "Call services while the task that the account was made for, or one that shares it, lives.",
  },
  "kernel.account-exhausted": {
    retryable: false,
    changed: "Nothing: no call was made and nothing was booked.",
    fix: "Ask for less (`max_tokens` of a model, a smaller request), wait until calls that are out are settled, or give the task an account with more.",
  },
  "kernel.already-badged": {
    retryable: false,
    changed: "Nothing: no capability was made.",
    fix: "Badge the capability that `endpoint` returned; a badge cannot be changed.",
  },
  "kernel.bad-child-spec": {
    retryable: false,
    changed: "Nothing: no child was made.",
    fix: "Correct what the message names; docs/supervision.md lists what goes together.",
  },
  "kernel.bad-restart-choice": {
    retryable: false,
    changed: "Nothing: the child was not started again, and its failure went on to the next level.",
    fix: 'Let `onFailure` return `resume`, `fresh`, `escalate` or `{ choice: "replace", result }`; only children with a journal can be resumed.',
  },
  "kernel.bad-crossing": {
    retryable: false,
    changed: "Nothing was opened; what arrived is lost.",
    fix: "Open with `arrive` only what `crossThread` of the same release sent.",
  },
  "kernel.bad-duration": {
    retryable: false,
    changed: "Nothing: the call was refused before it started to wait.",
    fix: "Pass a finite number of milliseconds, 0 or more.",
  },
  "kernel.bad-option": {
    retryable: false,
    changed: "Nothing: the option was refused before use.",
    fix: "Pass a value in the range the message names.",
  },
  "kernel.bad-select": {
    retryable: false,
    changed: "Nothing: the call was refused before it started to wait.",
    fix: "Pass 1 to 64 waits made with receiveFrom, signalOf, endOf, keyOf or after.",
  },
  "kernel.bad-server-result": {
    retryable: false,
    changed: "The server ends with this error.",
    fix: "Return reply, noReply, stop or stopWith from the callback.",
  },
  "kernel.bad-transition": {
    retryable: false,
    changed: "The task kept its state.",
    fix: "This is a defect of the kernel: report it with the stack trace.",
  },
  "kernel.bad-yield": {
    retryable: false,
    changed: "The task goes on with this error at the yield.",
    fix: "Yield only through `yield* sys.something()`; a bare yield is no syscall.",
  },
  "kernel.call-timeout": {
    retryable: true,
    changed: "The request may have been handled; its reply will be refused.",
    fix: "Call again with a longer time limit, or find out why the receiver is slow.",
  },
  "kernel.cancelled": {
    retryable: false,
    changed: "The syscall the task waited in was given up.",
    fix: "Let the error leave the task after cleaning up.",
  },
  "kernel.capability-space-full": {
    retryable: false,
    changed: "Nothing: no capability was made.",
    fix: "Drop handles that are no longer needed, or make the kernel with a higher limit.",
  },
  "kernel.channel-closed": {
    retryable: false,
    changed: "Nothing: no message was taken or given.",
    fix: "Stop using the channel: it was closed, or no task can receive from it.",
  },
  "kernel.child-state": {
    retryable: false,
    changed: "Nothing: the child stays as it is.",
    fix: "Ask for what fits the state the message names; whichChildren shows it.",
  },
  "kernel.dead-handle": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Use a handle this task was given and that was neither dropped nor revoked.",
  },
  "kernel.deadline-exceeded": {
    retryable: true,
    changed: "The work was cancelled; what it did before stands.",
    fix: "Give it more time, or find out why it is slow.",
  },
  "kernel.deadlock": {
    retryable: false,
    changed: "Nothing: the call was not made.",
    fix: "Break the cycle the message shows: cast instead of calling, or reply before calling.",
  },
  "kernel.double-reply": {
    retryable: false,
    changed: "Nothing: the first reply stands.",
    fix: "Reply once to each call.",
  },
  "kernel.draining": {
    retryable: false,
    changed: "Nothing: the job was not taken.",
    fix: "Submit to another scheduler: this one lets its jobs end.",
  },
  "kernel.duplicate-node": {
    retryable: false,
    changed: "Nothing: no graph was made.",
    fix: "Give every node of a graph an id of its own.",
  },
  "kernel.endpoint-closed": {
    retryable: false,
    changed: "Nothing was delivered.",
    fix: "Stop sending: no task can receive from this endpoint any more.",
  },
  "kernel.exit": {
    retryable: false,
    changed: "The task ends with the reason it chose.",
    fix: "Let the error leave the task.",
  },
  "kernel.graph-cycle": {
    retryable: false,
    changed: "Nothing: no graph was made.",
    fix: "Remove one of the dependencies of the cycle that the message prints.",
  },
  "kernel.foreign-await": {
    retryable: false,
    changed: "The task failed; the function it was goes on without authority when what it awaits settles.",
    fix: "Await only syscalls of the task's own sys; wait for outside work with sys.external, for tasks with sys.wait.",
  },
  "kernel.idempotency-conflict": {
    retryable: false,
    changed: "Nothing: the job of that key stands.",
    fix: "Use another key for other work; a key names one payload on one queue.",
  },
  "kernel.guest-message": {
    retryable: false,
    changed: "Nothing: the guest did not get the message.",
    fix: "Send a guest bytes or text, no longer than its limit `messageBytes`.",
  },
  "kernel.guest-no-reply": {
    retryable: false,
    changed: "The guest got the message, and may have acted on it.",
    fix: "Send what wants no answer with `send`, or have the guest reply before it receives again.",
  },
  "kernel.guest-result-too-long": {
    retryable: false,
    changed: "The call was made; its result was given up.",
    fix: "Have the guest ask for less, or raise its limit `messageBytes`.",
  },
  "kernel.killed": {
    retryable: false,
    changed: "The task is being ended; a killed task cannot wait.",
    fix: "Do only what does not wait in `finally`, or cancel the task instead of killing it.",
  },
  "kernel.late-reply": {
    retryable: false,
    changed: "Nothing: nobody waits for this reply any more.",
    fix: "Look at `open` of the call before replying, or give calls more time.",
  },
  "kernel.lease-ended": {
    retryable: false,
    changed: "Nothing: the message may have been delivered again.",
    fix: "Acknowledge before the deadline, or renew the lease while the work goes on.",
  },
  "kernel.mailbox-closed": {
    retryable: false,
    changed: "Nothing was delivered.",
    fix: "Stop sending: no task can receive from this mailbox any more.",
  },
  "kernel.mailbox-full": {
    retryable: true,
    changed: "Nothing was delivered.",
    fix: "Send again later, or make the mailbox with the `wait` overflow policy.",
  },
  "kernel.message-dropped": {
    retryable: true,
    changed: "The call was dropped from a full mailbox before anybody saw it.",
    fix: "Call again later, or make the mailbox with another overflow policy.",
  },
  "kernel.missing-right": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Ask whoever gave the capability for the right the message names.",
  },
  "kernel.moved": {
    retryable: false,
    changed: "Nothing: the value is where it was moved to.",
    fix: "Use the reference that `claim` gave to the receiver, and move a value once.",
  },
  "kernel.name-taken": {
    retryable: false,
    changed: "Nothing: the name stays with its owner.",
    fix: "Choose another name, or wait until its owner ends.",
  },
  "kernel.needs-microtasks": {
    retryable: false,
    changed: "Nothing ran; the async program still has control.",
    fix: "Let a turn of the event loop pass after every slice that ends with microtasks: runKernel, runWithMicrotasks.",
  },
  "kernel.no-handler": {
    retryable: false,
    changed: "Nothing was done for the message.",
    fix: "Give the server the handler the message names, or send what it handles.",
  },
  "kernel.not-a-call": {
    retryable: false,
    changed: "Nothing: no reply was sent.",
    fix: "Reply to the call object that `receive` returned.",
  },
  "kernel.not-a-lease": {
    retryable: false,
    changed: "Nothing.",
    fix: "Pass the lease that `select` gave for `leaseOf`.",
  },
  "kernel.not-awaited": {
    retryable: false,
    changed: "The syscall goes on; the later call was refused, or the task failed because it ended.",
    fix: "Await each syscall where it is called; spawn a task for what shall go on at the same time.",
  },
  "kernel.not-freezable": {
    retryable: false,
    changed: "Nothing: the value is as it was.",
    fix: "Freeze plain data without maps, sets and functions.",
  },
  "kernel.not-a-program": {
    retryable: false,
    changed: "Nothing: no task was made.",
    fix: "Pass a generator function: `function* (sys) { ... }`.",
  },
  "kernel.not-isolable": {
    retryable: false,
    changed:
      "Nothing, unless the message names memory that cannot be transferred: buffers met before it are detached.",
    fix: "Isolate plain data whose buffers belong to nobody else.",
  },
  "kernel.not-name-owner": {
    retryable: false,
    changed: "Nothing: the name stays.",
    fix: "Take back only names that the task itself registered.",
  },
  "kernel.not-parent": {
    retryable: false,
    changed: "Nothing: the other task goes on.",
    fix: "End only tasks that this task spawned itself.",
  },
  "kernel.not-scope-owner": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Use a scope only in the task that opened it.",
  },
  "kernel.not-sendable": {
    retryable: false,
    changed: "Nothing: the message was not sent.",
    fix: "Move an iso first; send a copy, a val or a tag in place of a ref.",
  },
  "kernel.operation-not-used": {
    retryable: false,
    changed: "The earlier syscall was never performed.",
    fix: "Write `yield*` before every blocking syscall.",
  },
  "kernel.operation-reused": {
    retryable: false,
    changed: "Nothing: the syscall was not performed a second time.",
    fix: "Make a new operation for each `yield*`.",
  },
  "kernel.outside-region": {
    retryable: false,
    changed: "Nothing was read or written.",
    fix: "Pass an offset and a length that lie inside the region.",
  },
  "kernel.outside-task": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Make syscalls only from the running task; from outside use the kernel's own methods.",
  },
  "kernel.queue-full": {
    retryable: true,
    changed: "Nothing: the job was not taken.",
    fix: "Submit again later, or wait for room with submitWhenRoom.",
  },
  "kernel.reactor-blocked": {
    retryable: false,
    changed: "The reactor failed; its handler had run.",
    fix: "Call only what does not wait in a handler: trySend, reply, spawn; use a generator for what waits.",
  },
  "kernel.reentrant": {
    retryable: false,
    changed: "Nothing: the slice that runs goes on.",
    fix: "Run slices from one place, never from inside a task.",
  },
  "kernel.relation-limit": {
    retryable: true,
    changed: "Nothing: no link, monitor or name was made.",
    fix: "Take back links, monitors or names that are no longer needed, and receive the notices that wait.",
  },
  "kernel.repeated-failure": {
    retryable: false,
    changed: "The child is not started again.",
    fix: "Correct the failure the message names; it does not go away by restarting.",
  },
  "kernel.resource-closed": {
    retryable: false,
    changed: "Nothing: what the resource had taken before stands.",
    fix: "Open the resource again; this one stays closed.",
  },
  "kernel.scope-closed": {
    retryable: false,
    changed: "Nothing: no child was made.",
    fix: "Open another scope; this one has ended its children.",
  },
  "kernel.scope-failed": {
    retryable: false,
    changed: "The scope's other children were ended, and have ended.",
    fix: "Read failures: each names a task and its error.",
  },
  "kernel.server-ended": {
    retryable: true,
    changed: "The request may have been handled; no reply will come.",
    fix: "Look the server up again and repeat the call if that is safe.",
  },
  "kernel.shutting-down": {
    retryable: false,
    changed: "Nothing: no task was made.",
    fix: "Stop making work: the kernel is ending.",
  },
  "kernel.start-failed": {
    retryable: false,
    changed: "What was started on the way was ended again.",
    fix: "Correct what the reason says and start again.",
  },
  "kernel.threw-non-error": {
    retryable: false,
    changed: "The task ended; no other task was touched.",
    fix: "Throw an Error, so that the failure has a message and a stack trace.",
  },
  "kernel.too-many-children": {
    retryable: true,
    changed: "Nothing: no child was made.",
    fix: "Wait until children end, or make the supervisor with a higher limit.",
  },
  "kernel.too-many-tasks": {
    retryable: true,
    changed: "Nothing: no task was made.",
    fix: "Wait until tasks end, or make the kernel with a higher limit.",
  },
  "kernel.unknown-child": {
    retryable: false,
    changed: "Nothing: the request was refused.",
    fix: "Use an id, or for simple_one_for_one a task id, that whichChildren shows.",
  },
  "kernel.unknown-dependency": {
    retryable: false,
    changed: "Nothing: no graph was made.",
    fix: "Name only nodes of the same graph in `after`.",
  },
  "kernel.unknown-name": {
    retryable: false,
    changed: "Nothing: the request was refused.",
    fix: "Register the name first, or look later: a name ends with the task that registered it.",
  },
  "kernel.unknown-queue": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Register the queue when the scheduler is built, or name one of those the message lists.",
  },
  "kernel.unknown-task": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Use the id of a task that lives, or ask sooner: ends of old tasks are forgotten.",
  },
  "kernel.value-too-large": {
    retryable: false,
    changed: "Nothing: the value is as it was.",
    fix: "Send or keep large data as bytes, or in several values.",
  },
  "kernel.wait-on-self": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Wait for another task; a task that waits for its own end never ends.",
  },
  "kernel.wrong-object": {
    retryable: false,
    changed: "Nothing: the call was refused.",
    fix: "Use a handle of the kind of object the call works on.",
  },
} as const;
