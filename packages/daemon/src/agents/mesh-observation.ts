/** Looking at the agents of a mesh: each is asked for itself. */
import {
  type AgentEnd,
  type AgentObservation,
  type AgentRef,
  type AgentReport,
  BadArgumentError,
  type MessageRecord,
} from "@glia-os/cells/agent";
import type { NodeApi } from "../node-api.ts";
import { agentError, saysGone } from "./agent-words.ts";
import { NotOnNodesError } from "./errors.ts";
import { type HostMessage, hostMessage } from "./host-message.ts";

const ANSWER_MS = 5000;
const AGENTS_SHOWN = 1000;
const ENTRIES_MAX = 65_536;

/** What is known of agents on nodes. */
export class MeshObservation implements AgentObservation {
  readonly #node: NodeApi;

  constructor(node: NodeApi) {
    this.#node = node;
  }

  async agent(ref: AgentRef): Promise<AgentReport | undefined> {
    const view = (await this.#node.listAgents()).find(({ agent }) => agent === ref.id);
    if (view === undefined) return undefined;
    const { name, ownerName = view.owner } = view;
    try {
      const said = (await this.#ask(ref, { host: "report" })) as Omit<AgentReport, "ref" | "place"> | null;
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
    await this.#ask(ref, { host: "log", entries });
  }

  async messages(ref: AgentRef): Promise<readonly MessageRecord[]> {
    return (await this.#ask(ref, { host: "messages" })) as readonly MessageRecord[];
  }

  ends(_listener: (end: AgentEnd) => void): () => void {
    throw new NotOnNodesError("list of those that ended: a node tells its own by `onEvent`");
  }

  async #ask(ref: AgentRef, message: HostMessage): Promise<unknown> {
    try {
      const reply = await this.#node.ask(ref.id, hostMessage(message), ANSWER_MS);
      return JSON.parse(new TextDecoder().decode(reply)) as unknown;
    } catch (error) {
      throw agentError(error);
    }
  }
}
