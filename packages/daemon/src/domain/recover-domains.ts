/** Begins to bring the durable agents of a node back, beside its start. */
import type { Mesh } from "@glia-os/mesh-core";
import type { AgentGate } from "../agent-gate.ts";
import { DomainRecovery, type DomainRecoveryParts } from "./domain-recovery.ts";

/** What it needs. */
export interface RecoverDomainsParts
  extends Pick<DomainRecoveryParts, "clock" | "timers" | "random" | "logger" | "sessionId"> {
  readonly mesh: Mesh;
  readonly gate: AgentGate;
}

/** Begin; gives what ends it. */
export function recoverDomains({ mesh, gate: { gate, kept }, ...ports }: RecoverDomainsParts): () => void {
  const recovery = new DomainRecovery({
    self: mesh.self,
    coordination: mesh.coordination,
    gate,
    kept,
    ...ports,
  });
  void recovery.start();
  return () => recovery.stop();
}
