/** What an owner tells of an agent that it has. */
import type { CellReport } from "@glia-os/cells";
import { AGENTS_GRANT } from "./agents/host-message.ts";
import type { AgentVitals } from "./node-views.ts";
import type { ReplicaView } from "./replica/replica-service.ts";

/** The numbers of its cell, and how its replica stands if it has one. */
export function vitalsOf(report: CellReport, replica: ReplicaView | undefined): AgentVitals {
  const { received, waiting, refusedDuplicates, memoryBytes, state, grants, programHash, code } = report;
  return {
    received,
    waiting,
    duplicatesRefused: refusedDuplicates,
    memoryBytes,
    speaks: grants.includes(AGENTS_GRANT),
    state,
    ...(programHash === undefined ? {} : { programHash }),
    ...(code === undefined ? {} : { code }),
    ...(replica === undefined ? {} : { replica }),
  };
}
