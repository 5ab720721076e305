/**
 * docs/cli.md, made of the help of every command.
 *
 * Run: node --conditions=@glia-os/source apps/cli/scripts/print-cli-doc.ts > docs/cli.md
 */
import { PassThrough } from "node:stream";
import { createProgram } from "../src/program.ts";
import { Terminal } from "../src/terminal/terminal.ts";
import { helpPages } from "./help-pages.ts";

const INTRODUCTION = `# The command line

\`glia\` is the command of the npm package \`glia\`. This page shows the help of every command as the program prints it
(\`glia COMMAND --help\`); \`apps/cli/scripts/print-cli-doc.ts\` writes the page and a test compares the two.

## What all commands share

Results go to standard output, everything else to standard error. An error is one line: what was wrong and what to do.
\`-v\` adds the stack trace.

With \`--json\`, standard output carries JSON lines and nothing else. A command that ends prints one final line with
\`"ok":true\`, or \`{"ok":false,"error":{"code","message","changed","fix","retryable","details"}}\`. Codes are listed in
[spec/errors.md](spec/errors.md). \`mesh start\` and \`mesh join\` print lines with an \`event\`: \`ready\` (node, name, role,
cluster, address, transport, pid, data, http and httpToken with \`--metrics-port\`, and joinLine for \`mesh start\`), \`node-event\` for what happens in the mesh, and
\`stopped\` (why, peakRssBytes), which is the last line in the place of one with \`ok\` when a signal stops the node. \`mesh ping\` prints a line with the event \`answer\` (seq, node, name, roundTripMs, carrier) or \`unanswered\`
(seq, error) for each ping before its last one. What each command of \`glia mesh\` is for: [mesh.md](mesh.md).

Colour is used on a terminal only, and never when \`NO_COLOR\` is set. Progress is repainted on a terminal and printed as plain
lines elsewhere.

| Exit code | Meaning |
|---|---|
| 0 | Done. For \`mesh start\` and \`mesh join\`: stopped by Ctrl-C, SIGTERM or \`mesh leave\` once they were running. For \`top\`: left, or the program ended. |
| 1 | Refused or failed; also when standard output could not be written, or its reader went away before the end. |
| 2 | The command line makes no sense. |
| 130 | Interrupted (Ctrl-C, SIGTERM, SIGHUP) before the work was done. |

## Programs for \`glia run\`

A program is a file with a default export, in JavaScript or in TypeScript. TypeScript is run by removing the types, so syntax that needs
translation (\`enum\`, parameter properties, namespaces with values) is refused with its place. The default export is one of:

| Default export | Runs as |
|---|---|
| \`function* (sys, ...args)\` | a task: a generator over the syscalls of [faces.md](faces.md) |
| \`async function (sys, ...args)\` | an async task: awaits syscalls only |
| \`{ init(sys, inbox, ...args), handle(sys, state, line), close?(sys, state) }\` | a reactor: its messages are the lines of standard input, and it ends with them |
| a function that returns a generator | a task |

The arguments are the texts after the file, those that begin with \`-\` after \`--\`. Imports of \`glia\` and \`@glia-os/...\` get the
copies that \`glia\` itself uses, so that a program needs no installation of them.

\`\`\`js
export default function* (sys, name = "world") {
  const box = sys.mailbox();
  sys.spawn(
    function* (sys, out) {
      yield* sys.sleep(100);
      yield* sys.send(out, \`hello, \${name}\`);
    },
    { name: "greeter", give: [box] },
  );
  console.log(yield* sys.receive(box));
}
\`\`\`

**The end.** The run ends when the main task and all tasks it made have ended; timers, sockets and promises that no task waits for do not keep
it. When the main task fails, is killed, or the person interrupts, the other tasks are cancelled: their \`finally\` blocks run, they have 5 s to
clean up, then they are killed. A second Ctrl-C ends the process at once, unless a task holds the loop. Another task that fails is
reported when it does, with its place in the source; the rest goes on, and the exit code is 1. A failure that a task waits for
(\`sys.wait\`, a link, a supervisor) is that task's matter and is not reported. An error thrown outside of tasks, in a timer or a promise
of the program's own, ends the process as Node ends it, without cleaning up.

**Deadlock.** When tasks live and nothing in the process can ever wake one (no timer, socket, file, thread or standard input), the tasks are
printed with what each waits for, they are cancelled, and the run ends with \`cli.deadlock\` and exit code 1. A timer or socket of the
program that no task waits for hides a deadlock.

**\`--dump-state\`** prints the state of the kernel at the end: what is left, and counts. When the run ends early (failure, Ctrl-C,
deadlock) it is the state before the tasks are cancelled. Ctrl-\\ (SIGQUIT) prints it at any time and the program goes on. With
\`--json\` it is a line \`{"event":"state","state":{...}}\` with the data of \`Kernel.dumpState\`.

**\`--quantum MS\`** gives every task MS milliseconds of the processor in each 2·MS; a task that has used them is \`throttled\` until the
period ends, so the others and the program's sockets get their turn. Time is measured per turn of at most 8 syscalls: a task
that computes long between two syscalls is throttled afterwards for as long as it owes, not in the middle. A task that holds the loop
for more than 1 s is named on standard error by another thread; until it makes a syscall, neither Ctrl-C nor \`glia top\` reach it, and
\`kill -9\` is what ends the process.

**\`--concurrency N\`** is the number of worker threads for jobs of the program: the other functions that its file exports. The service
\`threads\` runs them; no thread starts before the first call. The file is loaded in each thread, so what it does when it is loaded happens there
too; there, imports are looked for from the file alone.

\`\`\`js
export function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

export default function* (sys) {
  const threads = sys.lookup("threads");
  console.log(yield* sys.call(threads, { run: "fibonacci", payload: 30 }, 60_000));
}
\`\`\`

**Job queues.** The export \`queues\` names queues with the options of [scheduling.md](scheduling.md); the service \`queues\` gives what
submits to them. Their jobs are tasks of the run, and \`glia top\` and \`--dump-state\` show a line per queue.

\`\`\`js
export const queues = { mail: { concurrency: 2, capacity: 100 } };

export default function* (sys) {
  const { submit } = yield* sys.call(sys.lookup("queues"), "open");
  const job = submit("mail", {
    retry: { attempts: 3 },
    *run(sys) {
      yield* sys.sleep(10);
      return "sent";
    },
  });
  console.log(yield* job.wait(sys));
}
\`\`\`

**\`--listen HOST:PORT\`** opens a socket; the address is yours to give, a program cannot choose one. The service \`listener\` gives each task that
asks a handle to it. The address is printed on standard error, with \`--json\` as \`{"event":"listening","host","port"}\`. Without
the option there is no service of that name.

\`\`\`js
import { accept, recv, send } from "@glia-os/host";

export default function* (sys) {
  const listener = yield* sys.call(sys.lookup("listener"), "open");
  for (;;) {
    const connection = yield* accept(sys, listener);
    sys.spawn(echo, { give: [connection] });
    sys.drop(connection);
  }
}

function* echo(sys, connection) {
  for (;;) {
    const bytes = yield* recv(sys, connection, 65_536);
    if (bytes.length === 0) return;
    yield* send(sys, connection, bytes);
  }
}
\`\`\`

**\`-v\`** says on standard error when a task starts, is throttled and ends, and shows all log lines; **\`-vv\`** adds a line per syscall. A log
line of a task (\`sys.log\`) goes to standard error, from level \`info\`.

**\`--json\`**: what the program prints with \`console\` goes to standard error (what it writes to \`process.stdout\` itself does not), and the
last line is \`{"ok":true,"result","tasks":{spawned,finished,failed,cancelled,killed},"switches","throttled","elapsedMs"}\`. A
task's failure is a line \`{"event":"task-failed","error"}\`.

## Durable programs

With \`--journal FOLDER\`, \`glia run\` runs a program that survives its process: what comes into it is in the folder before anything
leaves it, and the same command goes on with it after Ctrl-C, \`kill -9\` or a loss of power
([\`@glia-os/durable\`](../packages/durable/README.md)). Its default export has a \`name\`, a function \`run(input)\` that
returns the task, and the names of the services it \`uses\`; the task gets the handles of its inbox and of those services.

\`\`\`js
import { appendFileSync } from "node:fs";

export default {
  name: "order",
  uses: ["charge", "ship"],
  run: ({ item }) =>
    function* (sys, inbox, charge, ship) {
      const payment = yield* sys.exec(charge, { item }); // once, whatever happens
      yield* sys.sleep(3 * 86_400_000); // three days, over as many restarts as there are
      return { payment, parcel: yield* sys.exec(ship, { item }) };
    },
};

export const services = {
  charge: async ({ item }, { key }) => {
    appendFileSync("ledger.txt", \`\${key} \${item}\\n\`);
    return \`paid under \${key}\`;
  },
  ship: { repeatable: true, run: async ({ item }) => \`sent \${item}\` },
};
\`\`\`

\`\`\`
glia run order.mjs --journal ./journal --name order/17 --input '{"item":"lamp"}'
\`\`\`

A service is an async function of \`(input, { key, signal })\`. When a process ended between the start of a call and its recorded answer,
nobody knows whether it happened: the call fails with \`durable.outcome-unknown\`, unless the service is \`repeatable\`, because it
changes nothing or takes the \`key\` for what it is. \`--http ORIGIN\` and \`--files FOLDER\` offer the services \`http\`
(\`sys.fetch\`) and \`files\` (\`sys.file\`).

When such a program fails, its run ends with the failure, unless the program has a \`recovery\` or the command says \`--on-failure\`: \`resume\` makes the
failing call again where its service is \`repeatable\`, with nothing before it repeated; \`fresh\` begins anew; \`replace=JSON\` goes on as if the
failing call had come to that; \`escalate\` ends. The choice is also applied to a run that failed before. What keeps failing the same way is
given up with \`durable.same-failure\` ([durability.md](durability.md#failures-and-restarts)). Each failure is a line on standard error, with
\`--json\` a line with the event \`failed\` (domain, choice, seq, key, times, error).

\`glia journal list\` and \`glia journal show\` look at a journal, also while a program writes it; values are shown with \`--values\`
only. \`glia replay\` runs a program file against a journal without any effect: before a changed program goes on with a run, it says whether
it would, and if not where it parts from what was recorded.

With \`--json\`, \`glia run --journal\` prints a line with the \`event\` \`started\`, \`resumed\` or \`ended-before\` (domain) and at the end
\`ok\`, domain and \`result\`; \`glia journal list\` a line with the event \`domain\` (program, state, waiting, records, bytes, lastMs) for
each and at the end \`domains\`, their number; \`glia journal show\` a line with the event \`record\` (seq, what, task, bytes, with
\`--values\` the value) for each and at the end \`records\`; \`glia replay\` one line: domain, records, state, calls, result.

## What \`glia top\` looks at

A program that \`glia run\` runs offers its state on a Unix socket, \`$XDG_RUNTIME_DIR/glia/run-PID.sock\` or \`glia-UID/run-PID.sock\` in the
folder for temporary files. Folder and socket are open to the same user only; the socket answers with the state and takes no orders, and is removed at
the end of the program. One that a killed process left is removed by the next \`glia top\`. On Windows nothing is offered. A kernel that is
embedded in a program of yours opens nothing.

Of a mesh it shows what every node says of itself, asked through a node of this machine: uptime, processor time as a share of one core,
memory, agents, jobs, the round trip to it from the node asked; the agents with the messages they received per second; and moves, those
under way with their last phase and those that ended lately. Rates are differences of two looks, so the first has none. A node that does not answer
within a second is shown as \`silent\`.

With one program or node running \`glia top\` attaches to it; with several it lists them and wants \`--pid\` or \`--name\`. Where standard output is no terminal
it prints the view again and again; with \`--json\` each is one line. For a program: \`ok\`, \`pid\`, \`file\`, \`args\`, \`uptimeMs\`, \`rssBytes\`, \`state\` (at
most 1000 tasks, 64 handles each; \`omitted\` counts the others). For a mesh: \`ok\`, \`atMs\`, \`nodes\` (each a member with its \`session\` and its
\`report\`: uptimeMs, rssBytes, cpuMs, hosting, healthScore, jobs, moves) and \`agents\`, as in \`glia agent list\`; counters are totals.

## What \`glia logs\` shows

A node keeps its newest 2,000 log lines and events in memory; \`glia logs\` shows them, also of other nodes of the mesh with \`--on\`, and goes on with
\`--follow\`. With \`--json\` each is a line with the event \`entry\` (seq, atMs, level, message, fields, and for an event its \`detail\`), and the last line has
\`ok\` and \`next\`, the number after which nothing was shown. Log lines of agents: \`glia agent logs\`.

## In \`glia shell\`

Each line is a command without the word \`glia\`, run as a process of its own. Quotes and backslashes are those of sh; nothing is expanded. Tab completes
commands, options and values; the history (\`shell-history\` beside the folders of nodes, mode 0600, 1,000 lines) leaves out lines that begin with a blank.
\`history\` shows it, \`exit\` and Ctrl-D leave. Where standard input is no terminal its lines are run to the first that fails, whose exit code is the shell's.

## What Tab completes

The scripts of \`glia completion\` know the commands, their options and the words these are limited to; for agents, nodes and jobs they ask the nodes that
run on this machine, or the one that \`--name\` or \`--data\` names. \`glia complete -- WORDS\` is what they call: it prints what may stand in the place of the
last word, one word on each line, and nothing where no node answers within 5 s. An id is offered where two characters of it were typed.

## Where nodes keep their data

\`--data DIR\`, or else a folder of the node's name under \`$GLIA_HOME\`, or under \`$XDG_STATE_HOME/glia\`, or under
\`~/.local/state/glia\`. The name is \`--name\`, or the machine's name and the role. Commands that ask a node (\`mesh status\` and the other commands of \`mesh\`, \`agent ...\`) find it by \`--data\` or \`--name\`; without either they take the only node that runs and refuse to
guess among several.

## What \`glia demo\` prints with \`--json\`

One line. Its keys, in this order: \`ok\`, \`transport\`, \`nodes\`, \`files\`, \`lines\`, \`words\`, \`bytes\`, \`top\`,
\`topApproximate\`, \`expected\` (the independent count: files, lines, words, bytes, top), \`sent\`, \`applied\`, \`lost\`,
\`duplicated\`, \`migrations\` (each: from, to, strategy, bytes, downtimeMs, epoch, phases, messagesDuring), \`owner\`,
\`duplicatesRefused\`, \`peakRssBytes\` (by node, and cli), \`elapsedMs\`, \`differences\`, \`catalogue\` (the second agent: applied, lost, duplicated, files, bytes, kinds, sent), \`failover\` (agent,
killed, pid, to, epoch, ms from the kill to the first answer), \`replay\` (lines that the journal of the third agent gave again, and its records).

Three agents work. \`word-count\`, in AssemblyScript, counts and moves twice by pre-copy while messages flow. \`catalogue\`, in TypeScript, is sent one message
for each file, and has a warm replica: when its node is killed (\`kill -9\`, the data folder removed) it goes on elsewhere, and must have applied every message
once. \`logbook\`, a durable agent, is told what happens; at the end its journal is replayed without it, and must give the same lines. Most of the time of a
run is the lease of the killed node, 5 s.

What is counted: every regular file below the folder, symbolic links not followed. Bytes and lines as \`wc -c\` and \`wc -l\`
count them. A word is a maximal run of code points of Unicode 16.0 category L* or Nd after decoding UTF-8 with invalid bytes
replaced; words are compared after simple lower-case mapping. A word of more than 64 bytes is shown as
\`[prefix, count, bytes]\`: its first 40 bytes and its length. Up to 1,000,000 distinct words everything is exact. Beyond, the
agent's counts of frequent words are upper bounds (Space-Saving) and \`topApproximate\` is true; the independent count then
reads the files a second time and checks each bound. Files are read up to the length they had when they were opened.
`;

/** The whole page. */
export function cliDoc(): string {
  const sink = new PassThrough();
  const terminal = new Terminal({ out: sink, err: sink, json: false, verbose: false });
  const interrupt = new AbortController().signal;
  const program = createProgram({ terminal, interrupt, stdin: process.stdin }, { code: 0 }, () => "");
  const pages = helpPages(program).map(({ name, text }) => `## ${name}\n\n\`\`\`text\n${text}\n\`\`\`\n`);
  return `${INTRODUCTION}\n${pages.join("\n")}`;
}
