/**
 * `glia logs`: what a node said and what happened on it, of a node of this machine or, through it, of any member.
 *
 * LG1. With `--follow` it goes on until Ctrl-C, until nobody reads the output any more, or until the node asked has ended (exit 0).
 * LG2. Entries that the node did not keep until they were asked for are counted, not passed over.
 */
import type { ControlConnection, LogEntry, LogPage, LogQuestion } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { isNodeEnd, type NodeChoice, withNode } from "../node/choose-node.ts";
import { eventLine } from "../node/event-line.ts";
import { escaped, linesOf } from "../terminal/log-text.ts";
import type { Style, Terminal } from "../terminal/terminal.ts";

/** Its options, as texts. */
export interface LogsOptions extends NodeChoice {
  readonly on?: string;
  readonly lines: string;
  readonly level: NonNullable<LogQuestion["level"]>;
  readonly follow?: boolean;
}

/** How long one question waits for something new. */
const WAIT_MS = 5000;
const COLORS: Readonly<Partial<Record<LogEntry["level"], Style>>> = { warn: "yellow", error: "red" };

/** Run it. */
export async function logs(options: LogsOptions, context: Context): Promise<ExitCode> {
  const { on, level } = options;
  const newest = linesOf(options.lines);
  const asked = { level, ...(on === undefined ? {} : { node: on }) };
  await withNode(options, async (node) => {
    const shown = await unlessInterrupted(context, showKept(node, { ...asked, newest }, context.terminal));
    const next = options.follow === true ? await follow(node, { ...asked, after: shown }, context) : shown;
    context.terminal.record({ ok: true, next });
  });
  return EXIT.ok;
}

type Question = LogQuestion & { readonly node?: string };

/** What is kept, page by page; what to go on after. */
async function showKept(node: ControlConnection, question: Question, terminal: Terminal): Promise<number> {
  let page = await node.logs(question);
  show(page, terminal);
  const { newest: _, ...rest } = question;
  while (page.more) {
    page = await node.logs({ ...rest, after: page.next });
    show(page, terminal);
  }
  return page.next;
}

/** (LG1) What to go on after. */
async function follow(
  node: ControlConnection,
  from: Question,
  { terminal, interrupt }: Context,
): Promise<number> {
  terminal.letReaderLeave();
  const left = new Promise<undefined>((resolve) => {
    interrupt.addEventListener("abort", () => resolve(undefined), { once: true });
    if (interrupt.aborted) resolve(undefined);
  });
  let question = from;
  for (;;) {
    const page = await Promise.race([node.logs({ ...question, waitMs: WAIT_MS }).catch(endOfNode), left]);
    if (page === undefined) break;
    show(page, terminal);
    question = { ...question, after: page.next };
  }
  if (!interrupt.aborted) terminal.note("glia: the node has ended");
  return question.after ?? 0;
}

/** A node that ends while it is followed is no failure. */
function endOfNode(error: unknown): undefined {
  if (isNodeEnd(error)) return undefined;
  throw error;
}

function show({ entries, missed }: LogPage, terminal: Terminal): void {
  if (missed > 0) terminal.note(`glia: ${missed} entries were not kept until they were asked for`);
  for (const entry of entries) {
    const { event: detail, ...line } = entry;
    terminal.record({ event: "entry", ...line, ...(detail === undefined ? {} : { detail }) });
    terminal.line(lineOf(entry, terminal));
  }
}

/** The line people see. */
function lineOf({ atMs, level, message, fields, event }: LogEntry, terminal: Terminal): string {
  const time = new Date(atMs).toISOString();
  const said = event === undefined ? escaped(message) : eventLine(event);
  const color = COLORS[level];
  const told = Object.entries(fields).map(([name, value]) => `${name}=${escaped(String(value))}`);
  const head = `${time} ${level.padEnd(5)} ${[said, ...told].join(" ")}`;
  return color === undefined ? head : terminal.style(color, head);
}
