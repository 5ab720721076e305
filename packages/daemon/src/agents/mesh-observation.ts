/** Looking at the agents of a mesh: each is asked for itself. */
import {
  type AgentEnd,
  type AgentObservation,
  type AgentRef,
  type AgentReport,
  BadArgumentError,
  type MessageRecord,
} from "@glia-os/cells/agent";
import { type EndsWatch, watchEnds } from "../ends/watch-ends.ts";
import type { NodeApi } from "../node-api.ts";
import { saysGone } from "./agent-words.ts";
import { askAgent } from "./ask-agent.ts";

const AGENTS_SHOWN = 1000;
const ENTRIES_MAX = 65_536;

/** What is known of agents on nodes. */
export class MeshObservation implements AgentObservation {
  readonly #node: NodeApi;
  readonly #watches = new Set<EndsWatch>();

  constructor(node: NodeApi) {
    this.#node = node;
  }

  async agent(ref: AgentRef): Promise<AgentReport | undefined> {
    const view = (await this.#node.listAgents()).find(({ agent }) => agent === ref.id);
    if (view === undefined) return undefined;
    const { name, ownerName = view.owner } = view;
    try {
      const said = (await askAgent(this.#node, ref, { host: "report" })) as Omit<
        AgentReport,
        "ref" | "place"
      > | null;
      return said === null ? undefined : { ...said, ref: { id: ref.id, name }, place: ownerName };
    } catch (error) {
      if (saysGone(error)) return undefined;
      throw error;
    }
  }

  async agents(limit: number = AGENTS_SHOWN): Promise<readonly AgentReport[]> {
    const views = (await this.#node.listAgents()).slice(0, limit);
    const reports = await Promise.all(
      views.map(({ agent, name }) => this.agent({ id: agent, name }).catch(() => undefined)),
    );
    return reports.filter((report) => report !== undefined);
  }

  async log(ref: AgentRef, entries = 256): Promise<void> {
    if (!Number.isInteger(entries) || entries < 0 || entries > ENTRIES_MAX)
      throw new BadArgumentError("entries", `it must be a whole number from 0 to ${ENTRIES_MAX}`);
    await askAgent(this.#node, ref, { host: "log", entries });
  }

  async messages(ref: AgentRef): Promise<readonly MessageRecord[]> {
    return (await askAgent(this.#node, ref, { host: "messages" })) as readonly MessageRecord[];
  }

  /** Agents of every member that answers when the watch begins, or within 15 s of joining; not those whose node is killed. */
  ends(listener: (end: AgentEnd) => void): () => void {
    const watch = watchEnds(this.#node, listener);
    this.#watches.add(watch);
    return () => {
      watch.stop();
      this.#watches.delete(watch);
    };
  }

  /** Resolves when every listener hears of what ends from then on. */
  async begun(): Promise<void> {
    await Promise.all([...this.#watches].map(({ begun }) => begun));
  }

  /** End every watch. */
  close(): void {
    for (const watch of this.#watches) watch.stop();
    this.#watches.clear();
  }
}
