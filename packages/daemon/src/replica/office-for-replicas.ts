/** The desks of agents with replicas beside the office of a node, and who packs what of a cell that moves. */
import type { AgentId } from "@glia-os/abi/ids";
import type { CellBaggage } from "@glia-os/cells";
import type { AgentsOffice, AgentsOfficeParts } from "../agents/agents-office.ts";
import { RecordedOffice } from "./recorded-office.ts";

/** The desks of agents with replicas, which work through the office. */
export function officeForReplicas(
  office: AgentsOffice,
  { timers, random, logger, released, held }: AgentsOfficeParts,
): RecordedOffice {
  const recorded = new RecordedOffice({
    timers,
    random,
    logger,
    released,
    held,
    open: (agent, events, carried) => office.openLink(agent, events, carried),
    findName: (name) => office.findName(name),
    find: (name) => office.found(name),
    spawn: (parent, request, identity) => office.spawnChild(parent, request, identity),
    subscribers: (topic) => office.hearers(topic),
    tell: (agent, payload) => office.tell(agent, payload),
    returned: (sender, receiver, payload) => office.returned(sender, receiver, payload),
    familyOf: (agent) => office.familyOf(agent),
    tellFamily: (agent, family, left) => office.tellFamily(agent, family, left),
    remember: (agent, topics) => office.remember(agent, topics),
  });
  office.alsoHear((topic) => recorded.subscribers(topic));
  return recorded;
}

/** The baggage of each cell with whoever keeps its desk. */
export function baggageOf(office: CellBaggage, recorded: RecordedOffice): CellBaggage {
  const keeper = (agent: AgentId): CellBaggage => (recorded.keeps(agent) ? recorded : office);
  return {
    pack: (agent) => keeper(agent).pack(agent),
    stays: (agent) => keeper(agent).stays(agent),
    stage: (agent, bytes) => (recorded.takes(agent, bytes) ? recorded : office).stage(agent, bytes),
    runs: (agent) => keeper(agent).runs(agent),
    gone: (agent, left) => keeper(agent).gone(agent, left),
  };
}
