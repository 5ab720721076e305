/** What the user's module for the workers of a pool may export. */
import type { CallResult, HostModule, PendingCall } from "@glia-os/abi/ports";

/**
 * The exports a worker looks for in the module that the option `setup` names; both may be left out. Each worker loads the module
 * for itself.
 */
export interface PoolSetup {
  /** Host functions guests can be granted besides `glia.v1`. */
  readonly hostModules?: readonly HostModule[];
  /** Performs what guests wait for in those modules. `guest` is the pool's number. */
  readonly answer?: (guest: number, call: PendingCall) => CallResult | Promise<CallResult>;
}
