/** `Coordination` on an etcd cluster: several processes on several machines share one truth that outlives each of them. */
import type { Clock, Coordination } from "@glia-os/abi/ports";
import { CheckedCoordination } from "../../checked-coordination.ts";
import { GroupQueue } from "../../engine/group-queue.ts";
import { type CoordinationLimits, limitsOf } from "../../limits.ts";
import { EtcdGateway } from "../gateway.ts";
import { type EtcdPlace, etcdSettings } from "../place.ts";
import { EtcdGroups } from "./group.ts";

/** What to open. */
export interface EtcdCoordinationOptions extends EtcdPlace {
  /** Judges leases. Of this process: the clocks of the cluster decide nothing. */
  readonly clock: Clock;
  /** Limits that differ from the default ones. Clients of one prefix are given the same. */
  readonly limits?: Partial<CoordinationLimits>;
}

/**
 * Connect, and make the counters where there are none.
 * @throws `store.engine-unreachable`, `store.outcome-unknown`, `store.engine-unfit`, `store.cannot-open`, `store.not-writable`,
 * `store.schema-newer`, `store.corrupt`, and `abi.malformed` for a bad option.
 */
export async function openEtcdCoordination(options: EtcdCoordinationOptions): Promise<Coordination> {
  const settings = etcdSettings(options);
  const limits = limitsOf(options.limits);
  const groups = new EtcdGroups(new EtcdGateway(settings), settings, options.clock, limits);
  try {
    await groups.open();
  } catch (error) {
    await groups.close();
    throw error;
  }
  const load = { bytesOf: () => undefined, given: false } as const;
  return new CheckedCoordination(new GroupQueue(groups, settings.queueLimit, load));
}
