/** Codes of the `cli` namespace. */
export const CLI_CODES = {
  "cli.agent-ambiguous": {
    retryable: false,
    changed: "Nothing: no agent was chosen.",
    fix: "Give the whole agent id; `glia agent list` prints it.",
  },
  "cli.agent-away": {
    retryable: true,
    changed: "Nothing: the message was not sent.",
    fix: "Wait until its node is back or its replica goes on with it. What was only in a node's memory does not come back: `glia agent terminate` frees its name.",
  },
  "cli.agent-unknown": {
    retryable: false,
    changed: "Nothing: no agent was chosen.",
    fix: "`glia agent list` prints the agents that live.",
  },
  "cli.agent-waits": {
    retryable: true,
    changed: "The message may be handled when the agent has a replica; its reply is not waited for any more.",
    fix: "Let another member that takes agents join (`glia agent list` shows `missing` until the copy is there), or ask again with a longer --timeout. An agent started with `--replica continue` does not wait.",
  },
  "cli.agents-hosted": {
    retryable: false,
    changed: "Nothing: the node goes on.",
    fix: "Move them with `glia agent migrate` or end them first, or leave with --force: they end with the node.",
  },
  "cli.agents-stuck": {
    retryable: true,
    changed: "The other agents moved; these go on where they are. The node takes no new ones.",
    fix: "See why each stays (with --json in details.stuck); move or terminate it and drain again, or `glia node undrain` the node.",
  },
  "cli.child-ended": {
    retryable: true,
    changed: "The run was given up; its other processes were ended and its temporary folders removed.",
    fix: "Run it again; -v shows what the process last wrote.",
  },
  "cli.child-silent": {
    retryable: true,
    changed: "The run was given up; its processes were ended and its temporary folders removed.",
    fix: "Run it again when the machine is less busy; -v shows what the process last wrote.",
  },
  "cli.config-ambiguous": {
    retryable: false,
    changed: "Nothing: no configuration was read.",
    fix: "Keep one of the files, or name one with --config.",
  },
  "cli.config-exists": {
    retryable: false,
    changed: "Nothing: the file is as it was.",
    fix: "Name another file, or replace it with --force.",
  },
  "cli.config-unreadable": {
    retryable: false,
    changed: "Nothing: a node that runs goes on with the configuration it has.",
    fix: "Correct the file; `glia config init` writes one to begin with.",
  },
  "cli.counting-thread": {
    retryable: true,
    changed: "The run was given up; nothing was compared.",
    fix: "Run it again with -v and report the stack trace as a defect.",
  },
  "cli.deadlock": {
    retryable: false,
    changed: "The tasks that waited were cancelled; what they had done before stands.",
    fix: "Let a task send, wake or end what the listed tasks wait for, or give their waits a time limit.",
  },
  "cli.domain-missing": {
    retryable: false,
    changed: "Nothing: the journal was only read.",
    fix: "List the domains with `glia journal list FOLDER`.",
  },
  "cli.file-exists": {
    retryable: false,
    changed: "Nothing: the file is as it was.",
    fix: "Name another file, or replace it with --force.",
  },
  "cli.file-unwritable": {
    retryable: false,
    changed: "Nothing: the agent goes on where it was.",
    fix: "Name a file in a folder that this user may write to and that has room.",
  },
  "cli.folder-in-use": {
    retryable: false,
    changed: "Nothing was written.",
    fix: "Name a folder that is empty or does not exist.",
  },
  "cli.folder-unwritable": {
    retryable: false,
    changed: "Files that were written before stay.",
    fix: "Name a path you may write to.",
  },
  "cli.guest-ended": {
    retryable: false,
    changed: "The guest ran to its end; what it printed stands, and no snapshot was written.",
    fix: "Stop it earlier: give a smaller --after, or see with `glia wasm run -v` how much fuel it uses.",
  },
  "cli.guest-input": {
    retryable: false,
    changed: "Nothing: no guest was started.",
    fix: "Give a file that can be read, within the limits that docs/guests.md lists for WASI guests.",
  },
  "cli.guest-status": {
    retryable: false,
    changed: "The guest ran to its end; what it printed stands.",
    fix: "The status is the guest's own: its output says what it means.",
  },
  "cli.guest-thread": {
    retryable: true,
    changed: "The guest was lost; what it printed stands.",
    fix: "Run it again with -v and report the stack trace as a defect.",
  },
  "cli.input-changed": {
    retryable: true,
    changed: "The mesh's result stands but could not be compared.",
    fix: "Run it on a folder that nothing else writes to.",
  },
  "cli.input-empty": {
    retryable: false,
    changed: "Nothing: no process was started.",
    fix: "Name a folder that holds at least one regular file.",
  },
  "cli.input-malformed": {
    retryable: false,
    changed: "Nothing: no program was started.",
    fix: 'Give the input as JSON, in quotes of the shell: --input \'{"item":"lamp"}\'.',
  },
  "cli.input-missing": {
    retryable: false,
    changed: "Nothing: no process was started.",
    fix: "Check the path given with --input.",
  },
  "cli.input-not-directory": {
    retryable: false,
    changed: "Nothing: no process was started.",
    fix: "Give --input the folder the file lies in.",
  },
  "cli.input-too-many": {
    retryable: false,
    changed: "Nothing: no process was started.",
    fix: "Name a folder with fewer files.",
  },
  "cli.input-unreadable": {
    retryable: false,
    changed: "Nothing outside the run; its processes were ended and its temporary folders removed.",
    fix: "Make the file readable, or leave it out of the folder.",
  },
  "cli.interrupted": {
    retryable: true,
    changed: "The run was given up; its processes were ended and its temporary folders removed.",
    fix: "Run it again and let it finish.",
  },
  "cli.journal-missing": {
    retryable: false,
    changed: "Nothing: nothing was written.",
    fix: "Give the folder that the program was run with: `glia run PROGRAM --journal FOLDER`.",
  },
  "cli.journal-unreadable": {
    retryable: false,
    changed: "Nothing: the journal was only read.",
    fix: "Read it with the version of Glia that wrote it.",
  },
  "cli.line-too-long": {
    retryable: false,
    changed: "The program was cancelled; the lines before had been handed to it.",
    fix: "Give the program shorter lines.",
  },
  "cli.join-line-missing": {
    retryable: false,
    changed: "Nothing: no node was started.",
    fix: "Give the join line that `glia mesh start` or `glia mesh token create` printed: as argument, as a file, or on standard input with `-`.",
  },
  "cli.message-too-long": {
    retryable: false,
    changed: "Nothing: the message was not sent.",
    fix: "Send it in parts.",
  },
  "cli.module-unreadable": {
    retryable: false,
    changed: "Nothing: no agent was started.",
    fix: "Give the path of a WebAssembly module.",
  },
  "cli.no-program": {
    retryable: false,
    changed: "Nothing: no task was started.",
    fix: "Write `export default function* (sys, ...args) { ... }`, an async function, or an object with init and handle.",
  },
  "cli.node-ambiguous": {
    retryable: false,
    changed: "Nothing: no node was asked.",
    fix: "Name one with --data DIR or --name NAME.",
  },
  "cli.node-not-running": {
    retryable: false,
    changed: "Nothing: no node was asked.",
    fix: "Start one with `glia mesh start` or `glia mesh join`, or name its folder with --data.",
  },
  "cli.node-too-old": {
    retryable: false,
    changed: "Nothing.",
    fix: "Install a newer Node, https://nodejs.org, and run the command again.",
  },
  "cli.node-unknown": {
    retryable: false,
    changed: "Nothing.",
    fix: "See `glia node list` for the members.",
  },
  "cli.output-closed": {
    retryable: false,
    changed: "The run was given up; its processes were ended and its temporary folders removed.",
    fix: "Let the reader of the output read to its end.",
  },
  "cli.passphrase-missing": {
    retryable: false,
    changed: "Nothing.",
    fix: "Give a passphrase by --passphrase-file FILE (- is standard input) or GLIA_PASSPHRASE, or seal it for the cluster: --to-cluster.",
  },
  "cli.ping-unanswered": {
    retryable: true,
    changed: "Nothing.",
    fix: "`glia mesh members` shows what the node that was asked thinks of it; `glia mesh route` how messages go there.",
  },
  "cli.program-failed-to-load": {
    retryable: false,
    changed: "Nothing: no task was started; what the file did while it was loaded stands.",
    fix: "Correct the file, or install what it imports; -v shows the stack trace.",
  },
  "cli.program-syntax": {
    retryable: false,
    changed: "Nothing: the file was not run.",
    fix: "Correct the place that is named. TypeScript is run by removing types: enum, namespace with values, parameter properties and import aliases cannot be.",
  },
  "cli.program-unreadable": {
    retryable: false,
    changed: "Nothing: the file was not run.",
    fix: "Give the path of a .ts, .mts, .js or .mjs file.",
  },
  "cli.project-name": {
    retryable: false,
    changed: "Nothing was written.",
    fix: "Begin with a small letter or a digit, then small letters, digits, dots, dashes and underscores, at most 64.",
  },
  "cli.run-ambiguous": {
    retryable: false,
    changed: "Nothing: no program or node was asked.",
    fix: "Name one with --pid PID, or a node with --name NAME.",
  },
  "cli.run-not-found": {
    retryable: false,
    changed: "Nothing: no program or node was asked.",
    fix: "Start one with `glia run FILE` or `glia mesh start`; glia top sees programs and nodes of the same user on the same machine.",
  },
  "cli.run-silent": {
    retryable: true,
    changed: "Nothing.",
    fix: "Ask again: a task holds the program's loop; the program's standard error names it.",
  },
  "cli.snapshot-unreadable": {
    retryable: false,
    changed: "Nothing: no guest was started.",
    fix: "Give the file that `glia wasm snapshot --out` wrote.",
  },
  "cli.snapshot-unwritable": {
    retryable: false,
    changed: "The guest ran and was stopped; its state is lost.",
    fix: "Give --out a path in a folder that can be written to, and run it again.",
  },
  "cli.source-unreadable": {
    retryable: false,
    changed: "Nothing: no agent was built or started.",
    fix: "Give the path of a .ts, .js or .wasm file, from this folder; `glia new FOLDER` makes an agent to begin with.",
  },
  "cli.task-failed": {
    retryable: false,
    changed: "What the task had done before it failed stands.",
    fix: "Correct the program; -v shows the stack trace.",
  },
  "cli.unfit-machine": {
    retryable: false,
    changed: "Nothing.",
    fix: "Each line that starts with `no` says what to change.",
  },
  "cli.simulation-thread": {
    retryable: true,
    changed: "Nothing outside the command: the simulation was given up.",
    fix: "Run it again with -v and report the stack trace as a defect.",
  },
  "cli.upgrade-stopped": {
    retryable: false,
    changed:
      "What the message says: agents that were upgraded went back, unless it was asked for that they stay; the others were not touched.",
    fix: "Mend the new code for the agent that the message names, and run the command again; `glia agent list` shows what each runs.",
  },
  "cli.usage": {
    retryable: false,
    changed: "Nothing: no command was run.",
    fix: "Run the command with --help.",
  },
} as const;
