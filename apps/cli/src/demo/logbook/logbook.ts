/** The logbook, seen from the demo: lines go in, and at the end its journal is replayed without the agent. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeApi } from "@glia-os/daemon";
import { Replay, replayLive } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import { openJournalReader } from "@glia-os/store/journal-reader";
import { logbook, REPORT } from "./program.ts";

/** The name of its module in the package. */
export const MODULE_FILE = "demo-logbook.js";
/** Its name. */
export const LOGBOOK = "logbook";
const ASK_MS = 60_000;

/** What the logbook and its journal came to. */
export interface LogbookFindings {
  /** What the agent says it wrote down. */
  readonly lines: readonly string[];
  /** Records of its journal, and the lines that came out of them again. */
  readonly records: number;
  readonly replayed: readonly string[];
  readonly differences: readonly string[];
}

/** The program as one module of JavaScript: what is published was bundled with the package, a source is bundled now. */
export async function logbookModule(): Promise<Uint8Array> {
  if (!import.meta.url.endsWith(".ts")) return readFileSync(new URL(`./${MODULE_FILE}`, import.meta.url));
  const { durableBundle } = await import("../../agent-source/durable-bundle.ts");
  return durableBundle(fileURLToPath(new URL("./program.ts", import.meta.url)));
}

/** Writes into it. */
export class Logbook {
  readonly #node: NodeApi;
  readonly #agent: string;
  readonly #version: string;
  readonly #sent: string[] = [];

  /** `agent`: its id, which is also the name of its domain. `module`: what it runs, whose hash is its version. */
  constructor(node: NodeApi, agent: string, module: Uint8Array) {
    this.#node = node;
    this.#agent = agent;
    this.#version = createHash("sha256").update(module).digest("hex");
  }

  /** Write a line; resolves when the link took it. Lines come in the order they were written. */
  async write(line: string): Promise<void> {
    this.#sent.push(line);
    await this.#node.send(LOGBOOK, new TextEncoder().encode(line));
  }

  /** Ask it for everything, replay its journal in the data folder of its node, and compare. */
  async finish(dataDir: string): Promise<LogbookFindings> {
    const reply = await this.#node.ask(LOGBOOK, new TextEncoder().encode(REPORT), ASK_MS);
    const lines = JSON.parse(new TextDecoder().decode(reply)) as readonly string[];
    const { records, replayed } = await replayJournal(join(dataDir, "journal"), this.#agent, this.#version);
    const differences = [
      ...(same(lines, this.#sent)
        ? []
        : [`the logbook has ${lines.length} lines, written were ${this.#sent.length}`]),
      ...(same(replayed, this.#sent) ? [] : [`the replay of its journal gives ${replayed.length} lines`]),
    ];
    return { lines, records, replayed, differences };
  }
}

/** Run the program on what its journal says, without any effect. */
async function replayJournal(
  folder: string,
  domain: string,
  version: string,
): Promise<{ readonly records: number; readonly replayed: readonly string[] }> {
  const journal = openJournalReader(folder);
  let replayed: string[] = [];
  try {
    const make = (): Replay => {
      replayed = [];
      const program = { ...logbook((line) => replayed.push(line)), version };
      return new Replay({ domain, programOf: () => program, digests: createSystemDigests() });
    };
    const replay = await replayLive(journal, domain, make);
    return { records: replay.nextSeq - 1, replayed };
  } finally {
    await journal.close();
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}
