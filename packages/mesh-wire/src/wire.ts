/** What the dialling and the accepting half of a transport share. */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Timers } from "@glia-os/abi/ports";
import type { CarrierChoice } from "./carriers/carrier-choice.ts";
import type { CertificateRotation } from "./certificate-rotation.ts";
import type { Ordinal } from "./control-payload.ts";
import type { FramedSession, SessionParts } from "./framed-session.ts";
import type { WireLimits } from "./limits.ts";
import type { SessionPool } from "./session-pool.ts";

/** The parts of a session that differ from one to the next. */
export type OwnSessionParts = Omit<
  SessionParts,
  "clock" | "timers" | "limits" | "datagrams" | "expired" | "leaving" | "over"
>;

/** One transport, seen from inside. */
export interface Wire {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: WireLimits;
  readonly pool: SessionPool;
  readonly rotation: CertificateRotation;
  readonly carriers: CarrierChoice;
  /** The ordinal of the next hello or welcome. */
  nextOrdinal(): Ordinal;
  /** Whether a hello to this peer waits for its answer. */
  greeting(peer: NodeId): boolean;
  /** Make a session; the caller adds it to the pool. */
  openSession(parts: OwnSessionParts): FramedSession;
}
