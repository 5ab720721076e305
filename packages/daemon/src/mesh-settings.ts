/** How the mesh of a node is set: timing of its failure detector, carriers, discovery, and what it does without a majority. */
import { MEMBERSHIP_PROFILES, type MembershipProfile, type MinorityPolicy } from "@glia-os/mesh-core";
import type { TransportMode } from "@glia-os/mesh-wire";
import { BadOptionsError } from "./errors.ts";

/** Settings of a node's mesh; what is left out has its default. */
export interface MeshSettings {
  /** Timing of the failure detector (docs/spec/membership.md). Default `lan`. All nodes of a mesh should have the same. */
  readonly profile?: MembershipProfile;
  /** `auto` (default): QUIC where both ends have it, else TLS. `quic-only` refuses to start where this process has no QUIC. */
  readonly transport?: TransportMode;
  /** Announce this node on its link by multicast DNS and hear of others of its mesh (docs/spec/discovery.md). Default false. */
  readonly mdns?: boolean;
  /** What this node does while it sees no majority of the mesh (docs/spec/membership.md, "Quorum"). Default `continue`. */
  readonly minorityPolicy?: MinorityPolicy;
}

/** The profiles by name. */
export const PROFILES: readonly MembershipProfile[] = Object.keys(MEMBERSHIP_PROFILES) as MembershipProfile[];
/** The transports by name. */
export const TRANSPORTS: readonly TransportMode[] = ["auto", "quic-only", "tls-only"];
/** The policies by name. */
export const MINORITY_POLICIES: readonly MinorityPolicy[] = ["continue", "refuse-moves", "pause-agents"];

/** @throws {BadOptionsError} for a setting that is none. */
export function checkMeshSettings({ profile, transport, mdns, minorityPolicy }: MeshSettings): void {
  oneOf("profile", profile, PROFILES);
  oneOf("transport", transport, TRANSPORTS);
  oneOf("minority policy", minorityPolicy, MINORITY_POLICIES);
  oneOf("setting of mdns", mdns, [true, false]);
}

function oneOf<Value>(what: string, value: Value | undefined, known: readonly Value[]): void {
  if (value !== undefined && !known.includes(value))
    throw new BadOptionsError(`${JSON.stringify(value)} is no ${what}: ${known.join(", ")}`);
}
