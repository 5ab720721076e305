/**
 * One run of the main job.
 *
 * RN1. Everything the run starts is gone when it returns or throws: processes, folders, the counting thread.
 * RN2. The first failure anywhere ends the run with that failure: a node that ends, the mesh that can not go on, an interrupt,
 *      a file that cannot be read.
 * RN3. The result is judged by `outcome.ts`, from the agent's own report and a count the mesh had no part in.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { MigrationPhase, NodeApi } from "@glia-os/daemon";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import { IndependentCount } from "../count/independent-count.ts";
import type { WordCount } from "../count/words.ts";
import { ModuleUnreadableError, reasonOf } from "../errors.ts";
import { aborted } from "../interrupt.ts";
import { peakRss } from "../node/peak-rss.ts";
import type { Corpus } from "./corpus.ts";
import { type Fed, type FeedResult, feed } from "./feed.ts";
import { LEGS, type Leg } from "./itinerary.ts";
import { LocalMesh } from "./local-mesh.ts";
import { NODE_NAMES, type NodeName } from "./node-names.ts";
import {
  type AgentCount,
  type DemoFindings,
  type DemoRecord,
  type ExpectedCount,
  type Move,
  recordOf,
} from "./outcome.ts";
import type { DemoView } from "./view.ts";

const MODULE = "@glia-os/guest-as/guests/word-count.wasm";
const AGENT = "word-count";
const FIRST_NODE: NodeName = "edge";
/** The agent applies 64 KiB in well under a millisecond; minutes mean that it is stuck. */
const FLUSH_WAIT_MS = 10 * 60_000;
const REPORT_WAIT_MS = 60_000;

/** What a run needs from outside. */
export interface DemoOptions {
  readonly corpus: Corpus;
  readonly interrupt: AbortSignal;
}

/** Run the main job (RN1 to RN3). @throws a `GliaError` for whatever ended it early. */
export async function runDemo(options: DemoOptions, view: DemoView): Promise<DemoRecord> {
  const startedAt = performance.now();
  const { corpus, interrupt } = options;
  const module = await readGuest();
  const mesh = new LocalMesh({ ready: (record) => view.ready(record), line: (line) => view.nodeLine(line) });
  const count = new IndependentCount();
  let failed = true;
  let findings: Findings;
  try {
    const work = new DemoRun(mesh, count, corpus, view).perform(module);
    work.catch(() => {});
    findings = await Promise.race([work, mesh.trouble, aborted(interrupt)]);
    failed = false;
  } finally {
    view.say(failed ? "" : "stopping the nodes");
    await Promise.all([mesh.close(failed), count.close()]);
  }
  const peakRssBytes = { ...mesh.peakRss(), cli: peakRss() };
  return recordOf({ ...findings, peakRssBytes, elapsedMs: performance.now() - startedAt });
}

/** The counting agent, as its package ships it. */
async function readGuest(): Promise<Uint8Array> {
  const path = fileURLToPath(import.meta.resolve(MODULE));
  return readFile(path).catch((cause: unknown) => {
    throw new ModuleUnreadableError(path, reasonOf(cause), cause);
  });
}

type Findings = Omit<DemoFindings, "peakRssBytes" | "elapsedMs">;

class DemoRun {
  readonly #mesh: LocalMesh;
  readonly #count: IndependentCount;
  readonly #corpus: Corpus;
  readonly #view: DemoView;
  readonly #moves: Move[] = [];
  #where: string = FIRST_NODE;
  #fed: Fed = { messages: 0, bytes: 0 };

  constructor(mesh: LocalMesh, count: IndependentCount, corpus: Corpus, view: DemoView) {
    this.#mesh = mesh;
    this.#count = count;
    this.#corpus = corpus;
    this.#view = view;
  }

  async perform(module: Uint8Array): Promise<Findings> {
    const node = await this.#mesh.open();
    this.#view.say("starting the agent on edge");
    await node.spawn({ module, name: AGENT, on: FIRST_NODE });
    const fed = await this.#feed(node);
    this.#view.say("waiting until everything is applied");
    await node.flush(AGENT, FLUSH_WAIT_MS);
    const agent = decodeReport(await node.ask(AGENT, encodeReportRequest(), REPORT_WAIT_MS));
    const expected = await this.#expected(agent, fed);
    return { ...(await this.#look(node)), agent, expected, sent: fed.messages, moves: this.#moves };
  }

  #feed(node: NodeApi): Promise<FeedResult> {
    this.#view.feeding(performance.now());
    let sequence = 0;
    return feed({
      corpus: this.#corpus,
      send: (bytes, place) => node.send(AGENT, encodeChunk({ ...place, bytes, sequence: ++sequence })),
      count: this.#count,
      move: (leg) => this.#move(node, leg),
      onProgress: (fed) => this.#progress(fed),
    });
  }

  async #move(node: NodeApi, { to }: Leg): Promise<void> {
    const from = this.#where;
    const before = this.#fed.messages;
    const phases: MigrationPhase[] = [];
    this.#where = `${from} -> ${to}`;
    const report = await node.migrate(AGENT, to, { onPhase: (phase) => phases.push(phase) });
    this.#where = to;
    const { strategy, bytes, downtimeMs, epoch } = report;
    const messagesDuring = this.#fed.messages - before;
    const move = { from, to, strategy, bytes, downtimeMs, epoch, phases: report.phases, messagesDuring };
    this.#moves.push(move);
    this.#view.moved(move);
  }

  #progress(fed: Fed): void {
    this.#fed = fed;
    const progress = {
      sentBytes: fed.bytes,
      totalBytes: this.#corpus.bytes,
      messages: fed.messages,
      where: this.#where,
    };
    this.#view.progress(progress, performance.now());
  }

  /** The independent count; with more distinct words than fit, the exact counts of the agent's words (a second pass). */
  async #expected(agent: AgentCount, fed: FeedResult): Promise<ExpectedCount> {
    const count = await this.#count.finish();
    if (!count.distinctExceeded) return count;
    this.#view.say("counting the most frequent words again");
    const exact = await this.#count.recount(fed.files, agent.top);
    return { ...count, top: agent.top.map((word, i) => withCount(word, exact[i] ?? 0)) };
  }

  async #look(
    node: NodeApi,
  ): Promise<Pick<Findings, "transport" | "nodes" | "owner" | "expectedOwner" | "duplicatesRefused">> {
    const [{ transport, members }, agents] = await Promise.all([node.status(), node.listAgents()]);
    const agent = agents.find(({ name }) => name === AGENT);
    const alive = members.filter(
      ({ name, state }) => state === "alive" && (NODE_NAMES as readonly string[]).includes(name),
    );
    return {
      transport,
      nodes: alive.length,
      owner: agent?.ownerName,
      expectedOwner: LEGS.at(-1)?.to ?? FIRST_NODE,
      duplicatesRefused: agent?.live?.duplicatesRefused,
    };
  }
}

function withCount([word, , bytes]: WordCount, count: number): WordCount {
  return bytes === undefined ? [word, count] : [word, count, bytes];
}
