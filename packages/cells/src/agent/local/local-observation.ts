/** Looking at the agents of a system: those of this thread, and those of its workers. */
import { LOG_ENTRIES } from "../constants.ts";
import { UnknownAgentError } from "../errors.ts";
import type { MessageRecord } from "../message-record.ts";
import type { PlaceHub } from "../places/place-hub.ts";
import type { AgentRef } from "../reference.ts";
import type { AgentEnd, AgentObservation, AgentReport } from "../system.ts";
import type { LocalAgent } from "./local-agent.ts";
import type { LocalOutside } from "./local-outside.ts";
import { reportOf } from "./report.ts";

const AGENTS_SHOWN = 1000;

/** See `AgentObservation`. */
export class LocalObservation implements AgentObservation {
  readonly #outside: LocalOutside;
  readonly #hub: PlaceHub;

  constructor(outside: LocalOutside, hub: PlaceHub) {
    this.#outside = outside;
    this.#hub = hub;
  }

  async agent(ref: AgentRef): Promise<AgentReport | undefined> {
    const place = this.#hub.linkOf(ref);
    if (place !== undefined)
      return reportFrom(place.name, await place.link.call("report", ref).catch(() => undefined));
    const agent = this.#outside.agents.get(ref.id);
    return agent === undefined ? undefined : reportOf(agent);
  }

  async agents(limit: number = AGENTS_SHOWN): Promise<readonly AgentReport[]> {
    const reports: AgentReport[] = [];
    for (const agent of this.#outside.agents.values()) {
      if (reports.length >= limit) break;
      reports.push(reportOf(agent));
    }
    for (const { name, link } of this.#hub.links()) {
      if (reports.length >= limit) break;
      const more = (await link.call("reports", limit - reports.length)) as readonly AgentReport[];
      for (const report of more) reports.push({ ...report, place: name });
    }
    return reports;
  }

  async log(ref: AgentRef, entries: number = LOG_ENTRIES): Promise<void> {
    const place = this.#hub.linkOf(ref);
    if (place === undefined) this.#agent(ref).keepLog(entries);
    else await place.link.call("log", ref, entries);
  }

  async messages(ref: AgentRef): Promise<readonly MessageRecord[]> {
    const place = this.#hub.linkOf(ref);
    if (place === undefined) return this.#agent(ref).messageLog();
    return (await place.link.call("messages", ref)) as readonly MessageRecord[];
  }

  ends(listener: (end: AgentEnd) => void): () => void {
    this.#outside.endListeners.add(listener);
    return () => {
      this.#outside.endListeners.delete(listener);
    };
  }

  #agent(ref: AgentRef): LocalAgent {
    const agent = this.#outside.agents.get(ref.id);
    if (agent === undefined) throw new UnknownAgentError(ref);
    return agent;
  }
}

function reportFrom(place: string, report: unknown): AgentReport | undefined {
  return report === undefined ? undefined : { ...(report as AgentReport), place };
}
