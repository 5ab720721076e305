/** What a member's process and the process that started it tell each other. */
import type { HostPort } from "@glia-os/abi/ports";
import type { MembershipProfile } from "@glia-os/mesh-core";

/** How a member starts. */
export interface MemberStart {
  readonly name: string;
  readonly profile: MembershipProfile;
  readonly bind: HostPort;
  /** Validity of the certificates it shows on the wire, in milliseconds; renewed when a third is left. Default 90 days. */
  readonly certificateMs?: number;
  /** Absent for the founder. */
  readonly joinLine?: string;
  /** How many others may join: on the founder. */
  readonly uses: number;
}

/** To a member. */
export type ToMember =
  | { readonly kind: "start"; readonly start: MemberStart }
  /** Call the others in turn, one call at a time, and tell of each. */
  | { readonly kind: "talk" }
  /** Call nobody any more. */
  | { readonly kind: "hush" };

/** From a member. */
export type FromMember =
  /** It is in the mesh. Only the founder has a line for others. */
  | { readonly kind: "ready"; readonly address: HostPort; readonly joinLine: string | undefined }
  /** A call was answered, or why not. */
  | { readonly kind: "called"; readonly failed: string | undefined }
  /** Its last session with another ended. */
  | { readonly kind: "session-down"; readonly reason: string }
  /** What it thinks of another member changed. */
  | { readonly kind: "view"; readonly of: string; readonly state: View; readonly incarnation: number }
  | { readonly kind: "failed"; readonly why: string };

/** What one member thinks of another. */
export type View = "alive" | "suspect" | "dead" | "left";
