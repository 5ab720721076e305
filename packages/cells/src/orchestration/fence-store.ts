/** The engine of a lease keeper in memory; the port is `FenceStore` of `@glia-os/abi/ports`, and `@glia-os/store/sqlite-fences` keeps one on disk. */
import type { FenceRow, FenceStore } from "@glia-os/abi/ports";

/**
 * A table in memory. Its epochs hold as long as the object: who keeps it elsewhere than in the keeper may restart the keeper, and who
 * loses it may not call a lease fenced any more. For simulations and for leases within one process.
 */
export function createMemoryFenceStore(): FenceStore {
  const rows = new Map<string, FenceRow>();
  return {
    read: (resource) => rows.get(resource),
    swap: (resource, expected, row) => {
      if ((rows.get(resource)?.epoch ?? 0) !== expected) return false;
      rows.set(resource, row);
      return true;
    },
  };
}
