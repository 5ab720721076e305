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
import type { ReadyRecord } from "../node/node-records.ts";
import { peakRss } from "../node/peak-rss.ts";
import { CATALOGUE, Catalogue, type CatalogueFindings } from "./catalogue/catalogue.ts";
import { catalogueModule } from "./catalogue/module.ts";
import type { Corpus } from "./corpus.ts";
import { type Fed, type FeedResult, feed } from "./feed.ts";
import { LEGS, type Leg } from "./itinerary.ts";
import { LocalMesh } from "./local-mesh.ts";
import { LOGBOOK, Logbook, logbookModule } from "./logbook/logbook.ts";
import { NODE_NAMES, type NodeName } from "./node-names.ts";
import {
  type AgentCount,
  type DemoFindings,
  type DemoRecord,
  type ExpectedCount,
  type Failover,
  type Move,
  recordOf,
} from "./outcome.ts";
import type { DemoView } from "./view.ts";

const MODULE = "@glia-os/guest-as/guests/word-count.wasm";
const AGENT = "word-count";
const FIRST_NODE: NodeName = "edge";
/** Killed when the counting agent has left it: what is still there goes on from its replica. */
const KILLED_NODE: NodeName = "edge";
/** It lives as long as the demo. */
const LOGBOOK_NODE: NodeName = "core";
/** A lease of the profile `fast` is 5 s; a busy machine takes longer for the rest. */
const FAILOVER_WAIT_MS = 60_000;
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
  const watcher = {
    ready: (record: ReadyRecord) => view.ready(record),
    line: (line: string) => view.nodeLine(line),
  };
  const program = await logbookModule();
  const mesh = new LocalMesh(watcher, { "logbook.mjs": program });
  const count = new IndependentCount();
  let failed = true;
  let findings: Findings;
  try {
    const work = new DemoRun(mesh, count, corpus, view).perform(module, program);
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
  #nodes = 0;
  #logbook: Logbook | undefined;
  #failover: Promise<Failover> | undefined;

  constructor(mesh: LocalMesh, count: IndependentCount, corpus: Corpus, view: DemoView) {
    this.#mesh = mesh;
    this.#count = count;
    this.#corpus = corpus;
    this.#view = view;
  }

  async perform(module: Uint8Array, program: Uint8Array): Promise<Findings> {
    const [node, typescript] = await Promise.all([this.#mesh.open(), catalogueModule()]);
    this.#view.say("starting three agents");
    const { agent: id } = await node.spawn({
      module: program,
      kind: "domain",
      name: LOGBOOK,
      on: LOGBOOK_NODE,
    });
    this.#logbook = new Logbook(node, id, program);
    await node.spawn({ module, name: AGENT, on: FIRST_NODE });
    await node.spawn({
      module: typescript.bytes,
      grants: typescript.grants,
      name: CATALOGUE,
      on: KILLED_NODE,
      durability: "replica",
    });
    await this.#logbook.write(`${AGENT} and ${CATALOGUE} work on ${FIRST_NODE}`);
    const catalogue = new Catalogue(node);
    await catalogue.ready();
    const fed = await this.#feed(node, catalogue);
    this.#view.say("waiting until everything is applied");
    await node.flush(AGENT, FLUSH_WAIT_MS);
    const agent = decodeReport(await node.ask(AGENT, encodeReportRequest(), REPORT_WAIT_MS));
    const expected = await this.#expected(agent, fed);
    const second = await this.#second(catalogue);
    const logbook = await this.#logbook.finish(this.#mesh.dataDir(LOGBOOK_NODE));
    const found = { ...(await this.#look(node)), nodes: this.#nodes, ...second, logbook };
    return { ...found, agent, expected, sent: fed.messages, moves: this.#moves };
  }

  async #second(
    catalogue: Catalogue,
  ): Promise<{ readonly failover: Failover | undefined; readonly catalogue: CatalogueFindings }> {
    this.#view.say(`waiting until ${CATALOGUE} goes on elsewhere`);
    const failover = await this.#failover;
    if (failover !== undefined) {
      this.#view.failedOver(failover);
      await this.#logbook?.write(`${CATALOGUE} goes on at ${failover.to} under epoch ${failover.epoch}`);
    }
    return { failover, catalogue: await catalogue.finish() };
  }

  /** Kill a node, and see its agent go on (RN2: a replica that does not is a failure of the run). */
  async #kill(node: NodeApi, catalogue: Catalogue): Promise<void> {
    const { members } = await node.status();
    this.#nodes = members.filter(({ name, state }) => state === "alive" && isNode(name)).length;
    const startedAt = performance.now();
    const pid = await this.#mesh.kill(KILLED_NODE);
    this.#view.killed(KILLED_NODE, pid);
    await this.#logbook?.write(`${KILLED_NODE} was killed`);
    await catalogue.pad();
    const wentOn = catalogue.report(FAILOVER_WAIT_MS).then(async (): Promise<Failover> => {
      const ms = performance.now() - startedAt;
      const now = (await node.listAgents()).find(({ name }) => name === CATALOGUE);
      return { agent: CATALOGUE, killed: KILLED_NODE, pid, to: now?.ownerName, epoch: now?.epoch, ms };
    });
    wentOn.catch(() => undefined);
    this.#failover = wentOn;
  }

  #feed(node: NodeApi, catalogue: Catalogue): Promise<FeedResult> {
    this.#view.feeding(performance.now());
    let sequence = 0;
    return feed({
      corpus: this.#corpus,
      send: (bytes, place) => node.send(AGENT, encodeChunk({ ...place, bytes, sequence: ++sequence })),
      count: this.#count,
      file: (path, bytes) => catalogue.file(path, bytes),
      move: (leg) => this.#move(node, leg),
      arrived: () => this.#kill(node, catalogue),
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
    await this.#logbook?.write(`${AGENT} moved from ${from} to ${to} under epoch ${epoch}`);
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
  ): Promise<Pick<Findings, "transport" | "owner" | "expectedOwner" | "duplicatesRefused">> {
    const [{ transport }, agents] = await Promise.all([node.status(), node.listAgents()]);
    const agent = agents.find(({ name }) => name === AGENT);
    return {
      transport,
      owner: agent?.ownerName,
      expectedOwner: LEGS.at(-1)?.to ?? FIRST_NODE,
      duplicatesRefused: agent?.live?.duplicatesRefused,
    };
  }
}

function isNode(name: string): boolean {
  return (NODE_NAMES as readonly string[]).includes(name);
}

function withCount([word, , bytes]: WordCount, count: number): WordCount {
  return bytes === undefined ? [word, count] : [word, count, bytes];
}
