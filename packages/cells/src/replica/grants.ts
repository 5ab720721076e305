/**
 * How an agent asks for replicas: by a grant, which travels with its manifest wherever it goes (docs/spec/replica.md).
 *
 * RG1. An agent with replicas holds nothing but what gives and takes values, and capabilities, whose calls are recorded.
 */
import { REPLICAS_MAX } from "@glia-os/abi/ports";
import { SYS_MODULE, TENSOR_MODULE } from "@glia-os/abi/wire";
import type { AgentManifest } from "../agent-manifest.ts";
import { type CellService, SERVICE_PREFIX } from "../cell-services.ts";
import { NotReplicableError } from "./errors.ts";

/** What an agent does while it has no replica: it waits, or it goes on as a `local` one. */
export type WithoutReplica = "hold" | "continue";

/** What an agent asks for. */
export interface ReplicaWish {
  readonly without: WithoutReplica;
  /** How many: 1 to `REPLICAS_MAX`. */
  readonly count: number;
}

/** The grants that ask for one replica; with `/2` and so on behind them they ask for more. */
export const REPLICA_GRANTS: Readonly<Record<WithoutReplica, string>> = {
  hold: "replica/hold",
  continue: "replica/continue",
};

/** Import modules that give and take nothing but values, or are recorded (RG1). */
const RECORDED: readonly string[] = ["glia.v1", "wasi_snapshot_preview1", TENSOR_MODULE, SYS_MODULE];

/** The grant that asks for so many replicas. */
export function replicaGrant({ without, count }: ReplicaWish): string {
  return count === 1 ? REPLICA_GRANTS[without] : `${REPLICA_GRANTS[without]}/${count}`;
}

/** Whether a grant is a wish for replicas, good or not. */
export function isReplicaGrant(grant: string): boolean {
  return Object.values(REPLICA_GRANTS).some((one) => isOf(grant, one));
}

/** Whether an agent may ask others for something. */
export function holdsCapabilities({ grants }: Pick<AgentManifest, "grants">): boolean {
  return grants.some((grant) => grant.startsWith(SERVICE_PREFIX));
}

/** What an agent asks for; undefined for one without replicas. */
export function replicaOf({ grants, kind }: Pick<AgentManifest, "grants" | "kind">): ReplicaWish | undefined {
  if (kind === "domain") return undefined;
  return grants.filter(isReplicaGrant).map(wishOf)[0];
}

/** Refuse a replica for what cannot have one (RG1). @throws {NotReplicableError} */
export function checkReplicable({ name, grants, kind }: AgentManifest): void {
  const asked = grants.filter(isReplicaGrant);
  const [wish] = asked;
  if (wish === undefined) return;
  if (kind === "domain") throw new NotReplicableError(name, "it is a durable domain, which has a journal");
  if (asked.length > 1) throw new NotReplicableError(name, `it asks for replicas by ${asked.join(" and ")}`);
  if (wishOf(wish) === undefined)
    throw new NotReplicableError(name, `${wish} is none of 1 to ${REPLICAS_MAX} replicas`);
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

function wishOf(grant: string): ReplicaWish | undefined {
  for (const without of ["hold", "continue"] as const)
    for (let count = 1; count <= REPLICAS_MAX; count++)
      if (grant === replicaGrant({ without, count })) return { without, count };
  return undefined;
}

function isRecorded(grant: string): boolean {
  return grant.startsWith(SERVICE_PREFIX) || RECORDED.some((one) => isOf(grant, one));
}

/** Whether a grant is of a module, whole or an import of it. */
function isOf(grant: string, module: string): boolean {
  return grant === module || grant.startsWith(`${module}/`);
}
