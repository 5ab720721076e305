/** An office with a mesh of one node whose receivers never take anything. */
import type { AgentId } from "@glia-os/abi/ids";
import type { CarriedLink, OutgoingLink } from "@glia-os/mesh-core";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { AgentsOffice, type AgentsOfficeMesh } from "../../src/agents/agents-office.ts";

/** The office and what it told. */
export interface DeafMesh {
  readonly office: AgentsOffice;
  readonly time: VirtualTime;
  /** Weight given back, by sender. */
  readonly released: Map<AgentId, number>;
  /** Lines of the log. */
  readonly lines: string[];
  /** Names that were asked for; nobody has one until `answer` is called. */
  readonly asked: { readonly name: string; answer(agent: AgentId | undefined): void }[];
}

/** Make one. */
export function deafMesh(): DeafMesh {
  const time = new VirtualTime();
  const released = new Map<AgentId, number>();
  const lines: string[] = [];
  const asked: { readonly name: string; answer(agent: AgentId | undefined): void }[] = [];
  let last = 0;
  const openOutgoing = (agent: AgentId): OutgoingLink => ({
    link: "ab".repeat(16),
    offer: () => false,
    unacknowledged: 0,
    carryAway: (): CarriedLink => ({ agent, link: "ab".repeat(16), next: 1, attempts: 0, held: [] }),
    close: () => undefined,
  });
  const findAgent = (name: string): Promise<unknown> =>
    new Promise((resolve) => {
      const answer = (agent: AgentId | undefined): void =>
        resolve(agent === undefined ? undefined : { agent, status: "running" });
      asked.push({ name, answer });
    });
  const mesh = {
    self: "c".repeat(64),
    members: () => [],
    part: () => ({ openOutgoing }),
    coordination: { findAgent },
  };
  const office = new AgentsOffice({
    clock: time,
    timers: time,
    random: { bytes: (into: Uint8Array) => into.fill(++last) } as never,
    logger: { log: (_level, message) => void lines.push(message), child: () => undefined as never },
    released: (agent, weight) => void released.set(agent, (released.get(agent) ?? 0) + weight),
    held: () => undefined,
  });
  const bound = { mesh, gate: { describe: () => undefined }, spawn: () => new Promise(() => undefined) };
  office.bind(bound as unknown as AgentsOfficeMesh);
  return { office, time, released, lines, asked };
}
