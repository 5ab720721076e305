/** What every instance of one admitted module shares. */
import type { HostModule } from "@glia-os/abi/ports";
import type { GuestShape } from "../admission.ts";
import type { Residence } from "../postcopy/residence.ts";
import type { Heartbeat } from "../watchdog.ts";
import type { BodyPlan, BodyPool } from "./body.ts";

/** An admitted module as its instances see it. */
export interface Program {
  /** SHA-256 of the module, as hexadecimal. */
  readonly hash: string;
  readonly shape: GuestShape;
  readonly hostModules: readonly HostModule[];
  readonly heartbeat: Heartbeat | undefined;
  readonly bodies: BodyPool;
  /** Set for one instance that arrives by post-copy: its pages, and what it goes on in when all of them are there. */
  readonly arriving?: { readonly residence: Residence; readonly settled: BodyPlan };
}
