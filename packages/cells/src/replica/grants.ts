/**
 * How an agent asks for a replica: by a grant, which travels with its manifest wherever it goes (docs/spec/replica.md).
 *
 * RG1. An agent with a replica holds nothing but what gives and takes values, and capabilities, whose calls are recorded.
 */
import { SYS_MODULE, TENSOR_MODULE } from "@glia-os/abi/wire";
import type { AgentManifest } from "../agent-manifest.ts";
import { type CellService, SERVICE_PREFIX } from "../cell-services.ts";
import { NotReplicableError } from "./errors.ts";

/** What an agent does while it has no replica: it waits, or it goes on as a `local` one. */
export type WithoutReplica = "hold" | "continue";

/** The grants that ask for a replica. */
export const REPLICA_GRANTS: Readonly<Record<WithoutReplica, string>> = {
  hold: "replica/hold",
  continue: "replica/continue",
};

/** Import modules that give and take nothing but values, or are recorded (RG1). */
const RECORDED: readonly string[] = ["glia.v1", "wasi_snapshot_preview1", TENSOR_MODULE, SYS_MODULE];

/** Whether an agent may ask others for something. */
export function holdsCapabilities({ grants }: Pick<AgentManifest, "grants">): boolean {
  return grants.some((grant) => grant.startsWith(SERVICE_PREFIX));
}

/** What an agent asks for; undefined for one without a replica. */
export function replicaOf({
  grants,
  kind,
}: Pick<AgentManifest, "grants" | "kind">): WithoutReplica | undefined {
  if (kind === "domain") return undefined;
  if (grants.includes(REPLICA_GRANTS.hold)) return "hold";
  return grants.includes(REPLICA_GRANTS.continue) ? "continue" : undefined;
}

/** Refuse a replica for what cannot have one (RG1). @throws {NotReplicableError} */
export function checkReplicable({ name, grants, kind }: AgentManifest): void {
  const asked = Object.values(REPLICA_GRANTS).filter((grant) => grants.includes(grant));
  if (asked.length === 0) return;
  if (kind === "domain") throw new NotReplicableError(name, "it is a durable domain, which has a journal");
  if (asked.length > 1) throw new NotReplicableError(name, "it asks both to wait and to go on without one");
  const other = grants.find((grant) => !asked.includes(grant) && !isRecorded(grant));
  if (other !== undefined) throw new NotReplicableError(name, `it is granted ${other}`);
}

/** Refuse a replica for what holds something that stays with its node. @throws {NotReplicableError} */
export function checkMovable(manifest: AgentManifest, services: readonly CellService[]): void {
  if (replicaOf(manifest) === undefined) return;
  const bound = services.find(({ kind }) => kind === "immovable");
  if (bound !== undefined)
    throw new NotReplicableError(manifest.name, `the service ${bound.name} stays with its node`);
}

function isRecorded(grant: string): boolean {
  return grant.startsWith(SERVICE_PREFIX) || RECORDED.some((one) => isOf(grant, one));
}

/** Whether a grant is of a module, whole or an import of it. */
function isOf(grant: string, module: string): boolean {
  return grant === module || grant.startsWith(`${module}/`);
}
