/** What a person sees of a run: the nodes, a progress bar, each move with its phases, and the result. */
import type { MigrationPhase } from "@glia-os/daemon";
import type { ReadyRecord } from "../node/node-records.ts";
import { formatBytes, formatCount, formatMs } from "../terminal/amount.ts";
import { StatusLine } from "../terminal/status-line.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Corpus } from "./corpus.ts";
import { NODE_NAMES } from "./node-names.ts";
import type { DemoRecord, Failover, Move } from "./outcome.ts";

const BAR_CELLS = 24;
const SHORT_ID = 12;
/** Without a terminal, progress is a line at each of these shares. */
const PLAIN_SHARES = [0.25, 0.5, 0.75, 1];

/** How far a run is. */
export interface Progress {
  readonly sentBytes: number;
  readonly totalBytes: number;
  readonly messages: number;
  /** Where the agent is, or is going. */
  readonly where: string;
}

/** The bar: `[=====>    ]  41 %`. */
export function formatBar(share: number, cells: number = BAR_CELLS): string {
  const bounded = Math.min(1, Math.max(0, share));
  const done = Math.floor(bounded * cells);
  const tip = done < cells ? ">" : "";
  const bar = `${"=".repeat(done)}${tip}`.slice(0, cells).padEnd(cells);
  return `[${bar}] ${String(Math.floor(bounded * 100)).padStart(3)} %`;
}

/** The renderer of one run. */
export class DemoView {
  readonly #terminal: Terminal;
  readonly #lines: StatusLine;
  readonly #nodes: ReadyRecord[] = [];
  #startedAt = 0;
  #plainShown = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#lines = new StatusLine(terminal);
  }

  /** The input is known. */
  corpus({ root, files, bytes }: Corpus): void {
    const amount = `${formatCount(files.length)} ${files.length === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
    this.#lines.print(`${this.#bold("input")}  ${amount} under ${root}`);
    this.say("starting three nodes");
  }

  /** What is being done now, until something else is. */
  say(text: string): void {
    this.#lines.update(() => text);
  }

  /** A node is ready; the table is shown when all are. */
  ready(record: ReadyRecord): void {
    this.#nodes.push(record);
    if (this.#nodes.length < NODE_NAMES.length) return;
    const rows = NODE_NAMES.flatMap((name) => this.#nodes.filter((node) => node.name === name)).map(nodeRow);
    this.#lines.print();
    for (const [i, line] of formatTable(["node", "role", "id", "address", "pid"], rows).entries()) {
      this.#lines.print(i === 0 ? this.#terminal.style("dim", line) : line);
    }
    this.#lines.print();
  }

  /** Feeding begins. */
  feeding(now: number): void {
    this.#startedAt = now;
  }

  /** Messages were sent. */
  progress({ sentBytes, totalBytes, messages, where }: Progress, now: number): void {
    const share = totalBytes === 0 ? 1 : sentBytes / totalBytes;
    const text = (): string => {
      const rate = `${formatBytes((sentBytes / Math.max(1, now - this.#startedAt)) * 1000)}/s`;
      const done = `${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}`;
      return `${formatBar(share)}  ${done}  ${formatCount(messages)} messages  ${rate}  agent: ${where}`;
    };
    this.#lines.update(text);
    if (this.#terminal.repaints) return;
    const next = PLAIN_SHARES[this.#plainShown];
    if (next === undefined || share < next) return;
    while ((PLAIN_SHARES[this.#plainShown] ?? 2) <= share) this.#plainShown++;
    this.#lines.print(text());
  }

  /** A move was committed. */
  moved(move: Move): void {
    const facts = `${move.strategy}, ${formatBytes(move.bytes)}, down ${formatMs(move.downtimeMs)}`;
    const during = `${formatCount(move.messagesDuring)} messages sent meanwhile`;
    this.#lines.print(`${this.#bold(`${move.from} -> ${move.to}`)}  ${facts}, ${during}`);
    for (const phase of move.phases) this.#lines.print(`  ${phaseLine(phase)}`);
  }

  /** A node was killed. */
  killed(node: string, pid: number | undefined): void {
    this.#lines.print(`${this.#bold(`kill -9 ${node}`)}  process ${pid}, its data folder removed`);
  }

  /** An agent went on elsewhere. */
  failedOver({ agent, to, epoch, ms }: Failover): void {
    const where = `${agent} goes on at ${to ?? "no node"}`;
    this.#lines.print(
      `${this.#bold(where)}  from its replica, under epoch ${epoch}, ${formatMs(ms)} after the kill`,
    );
  }

  /** A line of a node; with `-v` only. */
  nodeLine(line: string): void {
    if (this.#terminal.verbose) this.#lines.print(this.#terminal.style("dim", line));
  }

  /** The end of the run. */
  result(record: DemoRecord): void {
    this.#lines.end();
    this.#lines.print();
    for (const line of resultLines(record)) this.#lines.print(line);
    this.#lines.print();
    const { lines, records } = record.replay;
    this.#lines.print(
      `${this.#bold("replay")}  ${records} records of the logbook's journal, without the agent, give again:`,
    );
    for (const line of lines) this.#lines.print(`  ${line}`);
    this.#lines.print();
    if (this.#terminal.verbose) for (const line of memoryLines(record)) this.#lines.print(line);
    const verdict = record.ok
      ? this.#terminal.style("green", verdictOf(record))
      : this.#terminal.style("red", verdictOf(record));
    this.#lines.print(verdict);
    for (const difference of record.differences) this.#lines.print(`  ${difference}`);
  }

  /** Leave a clean line for an error. */
  abandon(): void {
    this.#lines.end();
  }

  #bold(text: string): string {
    return this.#terminal.style("bold", text);
  }
}

function nodeRow({ name, role, node, address, pid }: ReadyRecord): string[] {
  return [name, role === "core" ? "core (anchor)" : role, node.slice(0, SHORT_ID), address, String(pid)];
}

function phaseLine({ phase, ms, bytes }: MigrationPhase): string {
  return `${phase.padEnd(10)} ${formatMs(ms).padStart(8)}${bytes > 0 ? `  ${formatBytes(bytes)}` : ""}`;
}

/** The table of totals and the frequent words. */
export function resultLines(record: DemoRecord): string[] {
  const { expected } = record;
  const totals = (["files", "lines", "words", "bytes"] as const).map((name) => [
    name,
    formatCount(record[name]),
    formatCount(expected[name]),
  ]);
  const words = record.top.map(([word, count]) => `${shorten(word)} ${formatCount(count)}`).join(", ");
  return [
    ...formatTable(["", "agent", "expected"], totals, ["left", "right", "right"]),
    "",
    `most frequent${record.topApproximate ? " (upper bounds)" : ""}: ${words === "" ? "no words" : words}`,
    `messages: ${formatCount(record.sent)} sent, ${formatCount(record.applied)} applied, ` +
      `${record.lost} lost, ${record.duplicated} duplicated`,
    catalogueLine(record),
  ];
}

/** How many kinds are named. */
const KINDS_SHOWN = 5;

function catalogueLine({ catalogue }: DemoRecord): string {
  const largest = catalogue.kinds.toSorted(([, a], [, b]) => b.bytes - a.bytes).slice(0, KINDS_SHOWN);
  const kinds = largest.map(([kind, { files }]) => `${kind} ${formatCount(files)}`).join(", ");
  const { sent, applied, lost, duplicated } = catalogue;
  const messages = `${formatCount(sent)} sent, ${formatCount(applied)} applied, ${lost} lost, ${duplicated} duplicated`;
  return `catalogue: ${kinds}; ${messages}`;
}

function memoryLines({ peakRssBytes }: DemoRecord): string[] {
  const rows = Object.entries(peakRssBytes).map(([name, bytes]) => [name, formatBytes(bytes)]);
  return [...formatTable(["memory", "at most"], rows, ["left", "right"]), ""];
}

/** The last line. */
export function verdictOf(record: DemoRecord): string {
  if (!record.ok) return "counts do not agree";
  const moves = `after ${record.migrations.length} moves and a killed node`;
  return `counts agree ${moves}: nothing lost, nothing duplicated (${formatMs(record.elapsedMs)})`;
}

/** Enough of a word to know it. */
function shorten(word: string): string {
  const points = [...word];
  return points.length <= 32 ? word : `${points.slice(0, 31).join("")}…`;
}
